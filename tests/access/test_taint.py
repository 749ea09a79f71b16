"""What is internal never reaches anybody without the right: not a byte, on any door, frame or log line."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
import structlog
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.responses import Response

from swarm.afterwards import afterwards, with_what_follows
from swarm.at_once import AT_ONCE
from swarm.events import SYSTEM
from swarm.lanes import queries as lanes
from swarm.lanes.views import Lane
from swarm.letters import LETTERS
from swarm.outbound.letters import Letter
from swarm.outbound.models import Mail
from swarm.portal import cases
from swarm.rooms import actions as rooms
from swarm.settings import load
from swarm.store import Store, Work
from swarm.text.markdown import to_html
from swarm.tickets import actions as tickets
from swarm.tickets import posting
from swarm.tickets.models import Message
from swarm.tickets.opening import store_message
from swarm.tickets.posting import post
from swarm.web.letters import drawn
from swarm.web.render import Render
from tests.access.complete import doors_of
from tests.access.people import GUESTS, World
from tests.access.sending import Knocker, rehearsing
from tests.access.table import DOORS
from tests.access.taint import CUSTOMERS, OF_THE_CUSTOMER, OUTSIDE, Marks, logged, seen_by, taint
from tests.access.wires import Wire, wire

T = TypeVar("T")
GUESTS_SOCKET = "/live/guest/{guest:int}"


@pytest.fixture(scope="module", name="world")
def _world(own_world: World) -> World:
    return own_world


@pytest.fixture(scope="module")
def knocker(world: World) -> Iterator[Knocker]:
    made = Knocker(world)
    yield made
    made.close()


@pytest.fixture(scope="module")
def marks(world: World) -> Marks:
    return taint(world)


@pytest.fixture(autouse=True)
def _rolled_back(world: World) -> Iterator[None]:
    with rehearsing(world) as rehearsal:
        rehearsal.on = True
        yield


def test_no_door_sends_a_mark(world: World, marks: Marks, knocker: Knocker) -> None:
    """To nobody at all, to customers, and to colleagues without the right."""
    with logged() as log:
        # Who may know what is no matter of the database; colleagues are looked at on one.
        for who in OUTSIDE if world.site.store.is_sqlite else CUSTOMERS:
            leaks, knocked = _walk(world, marks, knocker, who)
            assert not leaks, "\n".join(leaks)
            assert knocked == doors_of(world.site.app.routes)
        assert marks.found_in(log()) == []


def test_the_marks_are_there_to_be_found(world: World, marks: Marks, knocker: Knocker) -> None:
    """Whoever may read them finds them on the pages, so a mark that is missing elsewhere was held back."""
    seen = b""
    for who, ticket in (("hive_owner", "swarming"), ("ladder_one", "climbing"), ("ladder_two", "fresh")):
        for door in ("GET /tickets/{number:int}", "GET /tickets/{number:int}/timeline", "GET /me"):
            seen += knocker.knock(who, door, ticket).all_bytes
    seen += knocker.knock("manager", "GET /tickets/{number:int}", "fresh").all_bytes
    seen += knocker.knock("manager", "GET /teams", "fresh").all_bytes
    inside = {
        where
        for where in marks.words
        if not where.startswith(("session", "token", "link", "hash", "password", "e-mail"))
    }
    assert inside - set(marks.found_in(seen)) == set()


@pytest.mark.parametrize("who", ["customer", "other_customer"])
def test_no_frame_sends_a_customer_a_mark(world: World, marks: Marks, who: str) -> None:
    with wire(world, who, "/live/case") as socket:
        _ask_for_everything(world, socket)
        # What happens while they look.
        _happen(world, marks, shown_on=socket if who == "customer" else None)
        socket.settle()
        said = "\n".join(socket.said)
    assert marks.found_in(said, seen_by(marks, who)) == []
    if who == "customer":
        assert "An answer for the customer" in said


@pytest.mark.parametrize("who", GUESTS[:2])
def test_no_frame_sends_a_guest_more_than_their_room(world: World, marks: Marks, who: str) -> None:
    with wire(world, who, GUESTS_SOCKET) as socket:
        _ask_for_everything(world, socket)
        _happen(world, marks, shown_on=socket if who == "guest" else None)
        socket.settle()
        said = "\n".join(socket.said)
    later = {where for where in marks.words if where.startswith("said later")} if who == "guest" else set()
    assert marks.found_in(said, seen_by(marks, who) | later) == []
    if who == "guest":
        assert "An answer for the customer" in said and "room message, tierless" in marks.found_in(said)


def test_a_name_of_the_customer_in_a_guests_line_is_caught(
    world: World, marks: Marks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "_nameless", lambda face: face)
    with wire(world, "guest", GUESTS_SOCKET) as socket:
        socket.watch(f"lane:{world.tickets['swarming']}")
        socket.settle()
    assert marks.found_in("\n".join(socket.said)) == ["customer's name"]


def test_no_frame_sends_a_colleague_without_the_right_a_mark(world: World, marks: Marks) -> None:
    with wire(world, "outsider") as socket:
        _ask_for_everything(world, socket)
        _happen(world, marks)
        socket.settle()
    assert marks.found_in("\n".join(socket.said)) == []


def test_nothing_follows_who_was_dismissed(world: World, marks: Marks) -> None:
    ticket = world.tickets["swarming"]
    with wire(world, "swarm") as socket:
        assert socket.watch(f"room:{ticket}")[f"room:{ticket}"] == "caught_up"
        before = len(socket.said)
        swarm = world.people["swarm"]
        _really(world, lambda work: rooms.dismiss(world.as_(work, "hive_owner"), ticket, swarm))
        assert socket.until("gone")["s"] == f"room:{ticket}"
        _happen(world, marks)
        socket.settle()
        after = "\n".join(socket.said[before:])
    assert [where for where in marks.found_in(after) if where.startswith("said later")] == []


def test_no_letter_to_a_customer_has_a_mark(world: World, marks: Marks) -> None:
    """Of everything that sets one off, with the room full of marks."""
    settings = load({"SWARM_MAIL__SERVER": "localhost", "SWARM_MAIL__SENDER": "desk@example.org"})
    follows = with_what_follows(AT_ONCE, afterwards(settings))
    store = Store(world.site.store.url.render_as_string(hide_password=False), at_once=follows)
    ticket = world.tickets["swarming"]

    def happen(work: Work) -> None:
        owner = world.as_(work, "hive_owner")
        post(owner, ticket, "room", marks.put("said before a letter"), secrets.token_hex(8))
        post(owner, ticket, "lane", "An answer for the customer", secrets.token_hex(8))
        tickets.resolve(owner, ticket)
        tickets.reopen(world.as_(work, "hive_owner"), ticket)

    def written(work: Work) -> list[Letter]:
        rows = work.session.scalars(select(Mail).where(Mail.kind.startswith("case_"))).all()
        return [letter for row in rows if (letter := LETTERS[row.kind](work, row.data)) is not None]

    try:
        store.write_now(SYSTEM, happen)
        letters = store.write_now(SYSTEM, written)
    finally:
        store.close()
    assert [letter.to for letter in letters] == [f"{marks.words['customer address']}@example.org"]
    drawings = [part for letter in letters for part in drawn(world.site.app.state.house, letter)]
    said = "\n".join([*drawings, *map(repr, letters)])
    assert marks.found_in(said, OF_THE_CUSTOMER) == [] and "An answer for the customer" in said


def test_a_leak_on_a_page_is_caught(
    world: World, marks: Marks, knocker: Knocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A door that reads the wrong lane for the customer."""
    really = lanes.tail

    def wrong(session: Session, stream: str, audience: str, **more: Any) -> Lane:
        return really(session, stream.replace("lane:", "room:"), "staff", **more)

    monkeypatch.setattr(cases, "tail", wrong)
    leaks, _knocked = _walk(world, marks, knocker, "customer")
    assert any("GET /case/{number:int}," in leak and "room message, tierless" in leak for leak in leaks)


def test_a_leak_in_a_frame_is_caught(world: World, marks: Marks, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broadcast that draws something of the room into the customer's line."""
    really, word = to_html, marks.words["ask tried"]
    monkeypatch.setattr(lanes, "to_html", lambda body: really(body) + Markup(word))
    with wire(world, "customer", "/live/case") as socket:
        socket.watch(f"lane:{world.tickets['swarming']}")
        _happen(world, marks, shown_on=socket)
        socket.settle()
    assert marks.found_in("\n".join(socket.said), seen_by(marks, "customer")) == ["ask tried"]


def test_a_leak_in_a_header_or_the_log_is_caught(
    world: World, marks: Marks, knocker: Knocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    word, really = marks.words["policy note"], Render.response

    def wrong(*given: Any, **named: Any) -> Response:
        response = really(*given, **named)
        response.headers["X-Note"] = word
        structlog.get_logger("swarm.leak").info("drawn", note=word)
        return response

    monkeypatch.setattr(Render, "response", staticmethod(wrong))
    with logged() as log:
        leaks, _knocked = _walk(world, marks, knocker, "customer")
        assert "policy note" in marks.found_in(log())
    assert any("policy note" in leak for leak in leaks)


def test_a_failure_of_the_database_tells_the_log_no_text(
    world: World, marks: Marks, knocker: Knocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drivers put what was to be stored into their messages."""
    word, really = marks.put("text of a failed write"), store_message

    def wrong(work: Work, ticket_id: int, lane: str, *more: Any, **named: Any) -> Message:
        return really(work, ticket_id, "attic", *more, **named)

    monkeypatch.setattr(posting, "store_message", wrong)
    address = knocker.address("POST /tickets/{number:int}/{lane}/messages lane=room", "swarming")
    form = {"body": f"{word}\n\nand {word}", "client_id": secrets.token_hex(8)}
    with logged() as log:
        answer = knocker.send("hive_owner", "POST", address, form)
        assert answer.status == 500
        # The server logs it after the answer left, and closes the connection.
        knocker.close()
        gives_up = time.monotonic() + 20
        while "IntegrityError" not in log():
            assert time.monotonic() < gives_up, log()
            assert knocker.send("stranger", "GET", "/healthz").status == 200
        assert marks.found_in(log()) == []
    assert word not in answer.body.decode()


TOLD = {
    # Whoever raises a hand is in the swarm, and is answered with the ticket.
    "POST /api/v1/tickets/{number:int}/hand": OF_THE_CUSTOMER,
    "/link/{secret}": frozenset({"link nobody used"}),
    "/join/{secret}": frozenset({"link of a guest"}),
    "/account/{secret}": frozenset({"link into an account", "e-mail address of outsider"}),
}
"""Who has the link has its secret, and is told whose account it opens; by door, what else it tells."""


def _walk(world: World, marks: Marks, knocker: Knocker, who: str) -> tuple[list[str], set[str]]:
    """Every door about every ticket, with each face of an answer: what leaked, which doors were tried."""
    leaks, knocked = [], set()
    may = seen_by(marks, who)
    for door in DOORS:
        knocked.add(" ".join(door.split()[:2]))
        for ticket in ("swarming", "climbing", "fresh") if "{number" in door else ("swarming",):
            for face in ("page", "piece" if door.startswith("GET") else "json")[: 1 + (ticket == "swarming")]:
                headers = {"Accept": "text/html"} if face == "page" else {"X_Swarm_Request": face}
                answer = knocker.knock(who, door, ticket, **headers)
                own = may | next((told for path, told in TOLD.items() if path in door), frozenset())
                leaks += [
                    f"{door}, {who}, {ticket}, {face}: {where}"
                    for where in marks.found_in(answer.all_bytes, own)
                ]
    return leaks, knocked


def _ask_for_everything(world: World, socket: Wire) -> None:
    """Every stream from its beginning, and every frame there is."""
    ids = [*world.tickets.values()]
    streams = [f"{kind}:{id_}" for kind in ("lane", "room") for id_ in ids]
    streams += [f"person:{id_}" for id_ in world.people.values()]
    streams += [f"team:{id_}" for id_ in world.teams.values()]
    socket.watch(*streams)
    for stream in streams[: len(ids) * 2]:
        socket.send(t="typing", s=stream)
        socket.send(t="post", s=stream, id=secrets.token_hex(8), body="Anybody there?")
        socket.until("ack", "refused")
    socket.send(t="unwatch", streams=streams[-1:])
    socket.settle()


def _happen(world: World, marks: Marks, *, shown_on: Wire | None = None) -> None:
    """A line in each lane, really; returns when the owner's page shows it, and the given one."""
    ticket = world.tickets["swarming"]
    lane, room = f"lane:{ticket}", f"room:{ticket}"

    def say(work: Work) -> int:
        owner = world.as_(work, "hive_owner")
        post(owner, ticket, "room", marks.put(f"said later {secrets.token_hex(2)}"), secrets.token_hex(8))
        category = marks.put("hive category")
        tickets.change_details(owner, ticket, priority=2, category=category, language="en", tags=["x"])
        return post(owner, ticket, "lane", "An answer for the customer", secrets.token_hex(8)).seq

    with wire(world, "hive_owner") as owner:
        owner.watch(lane, room)
        seq = _really(world, say)
        for socket in (owner, shown_on):
            while socket is not None and socket.until("event")["n"] != seq:
                pass


def _really(world: World, do: Callable[[Work], T]) -> T:
    return world.site.store.write_now(SYSTEM, do)
