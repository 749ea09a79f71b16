"""Twice, late, at the same time: one of them counts, the other hears who and what; nothing is half done."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select, update

from swarm.accounts.actions import key_of
from swarm.accounts.models import Link
from swarm.modes.models import PolicyChange
from swarm.rooms.models import Ask
from swarm.store import Work
from swarm.tickets.models import Message, Ownership, Ticket
from tests.access.people import World, fresh_link
from tests.access.sending import Answer, Form, Knocker, snapshot
from tests.access.wires import wire

JSON = {"Accept": "application/json"}


@pytest.fixture
def knocker(world: World) -> Iterator[Knocker]:
    made = Knocker(world)
    yield made
    made.close()


def at_once(world: World, whos: Sequence[str], path: str, form: Form | Callable[[str], Form]) -> list[Answer]:
    """Everybody sends this at the same moment."""
    ready = Barrier(len(whos))

    def send(who: str) -> Answer:
        own = Knocker(world)
        sent = form(who) if callable(form) else form
        ready.wait(10)
        try:
            return own.send(who, "POST", path, sent, **JSON)
        finally:
            own.close()

    with ThreadPoolExecutor(len(whos)) as threads:
        return list(threads.map(send, whos))


def count(world: World, table: type, *where: object) -> int:
    """Rows of a table."""
    query = select(func.count()).select_from(table).where(*where)  # type: ignore[arg-type]
    return world.site.look(lambda work: work.session.scalar(query)) or 0


def statuses(answers: Sequence[Answer]) -> list[int]:
    """In order of size."""
    return sorted(answer.status for answer in answers)


def test_a_message_sent_twice_is_one(world: World, knocker: Knocker) -> None:
    ticket = world.tickets["swarming"]
    for who, path in (
        ("hive_owner", f"/tickets/{ticket}/room/messages"),
        ("hive_owner", f"/tickets/{ticket}/lane/messages"),
        ("customer", f"/case/{ticket}/messages"),
    ):
        form = {"body": "Once", "client_id": secrets.token_hex(8)}
        first = at_once(world, [who] * 4, path, form)
        assert statuses(first) == [200] * 4
        assert len({answer.body for answer in first}) == 1
        assert count(world, Message, Message.client_id == form["client_id"]) == 1
        before = snapshot(world)
        other = knocker.send(who, "POST", path, {**form, "body": "Another text"}, **JSON)
        assert other.status == 409
        assert "sent before with another text" in json.loads(other.body)["detail"]
        assert snapshot(world) == before


def test_an_ask_sent_twice_is_one(world: World, knocker: Knocker) -> None:
    path = f"/tickets/{world.tickets['swarming']}/asks"
    form = {"question": "Once?", "people": world.people["outsider"], "client_id": secrets.token_hex(8)}
    assert statuses(at_once(world, ["hive_owner"] * 4, path, form)) == [204] * 4
    assert count(world, Ask, Ask.client_id == form["client_id"]) == 1
    assert knocker.send("hive_owner", "POST", path, {**form, "question": "Or not?"}, **JSON).status == 409


def test_a_ticket_opened_twice_is_one(world: World, knocker: Knocker) -> None:
    case = {"name": "Ana", "email": "ana@example.org", "subject": "Help", "team": world.teams["hive"]}
    for who, path, right in (("stranger", "/open", 201), ("hive_owner", "/tickets", 204)):
        body = f"It broke, {secrets.token_hex(4)}"
        form = {**case, "body": body, "client_id": secrets.token_hex(32 if who == "stranger" else 16)}
        # A colleague is asked whether it is the customer of that address, whom the page made.
        form |= {"customer": "new"} if who == "hive_owner" else {}
        answers = at_once(world, [who] * 4, path, form)
        assert statuses(answers) == [right] * 4
        assert count(world, Message, Message.body == body) == 1
        before = snapshot(world)
        other = knocker.send(who, "POST", path, {**form, "subject": "Something else"}, **JSON)
        assert other.status == 409, other.body
        assert snapshot(world) == before


def test_one_of_two_takes_a_ticket_and_the_other_hears_who(world: World) -> None:
    ticket = world.tickets["fresh"]
    form = {"seen": world.versions["fresh"]}
    answers = at_once(world, ["hive_one", "hive_owner"], f"/tickets/{ticket}/owner", form)
    assert statuses(answers) == [204, 409]
    said = next(json.loads(answer.body)["detail"] for answer in answers if answer.status == 409)
    winner = "Hive One" if answers[0].status == 204 else "Hive Owner"
    assert winner in said
    assert count(world, Ownership, Ownership.ticket_id == ticket) == 2


def test_a_stale_version_changes_nothing(world: World, knocker: Knocker) -> None:
    before = snapshot(world)
    words = {"reason": "Because", "note": "Tried", "to": world.people["ladder_one"]}
    climbing, waiting = world.tickets["climbing"], world.tickets["waiting"]
    for who, path, names in (
        ("manager", f"/tickets/{climbing}/owner", ()),
        ("ladder_owner", f"/tickets/{climbing}/handover", ("to", "reason")),
        ("ladder_owner", f"/tickets/{climbing}/escalation", ("reason", "note")),
        ("ladder_two", f"/tickets/{waiting}/return", ("reason",)),
        ("ladder_two", f"/tickets/{waiting}/owner", ()),
    ):
        for seen in (1, 3, 2**53 - 1):
            answer = knocker.send(who, "POST", path, {**{n: words[n] for n in names}, "seen": seen}, **JSON)
            assert answer.status == 409, (path, answer.status)
            assert "Ladder Owner" in json.loads(answer.body)["detail"]
    assert snapshot(world) == before


def test_one_of_two_managers_switches_and_the_other_hears_who_and_what(world: World) -> None:
    def form(who: str) -> Form:
        policy = "tiered" if who == "manager" else "tierless"
        return {"policy": policy, "note": f"As {who} wishes", "version": world.policy}

    answers = at_once(world, ["manager", "administrator"], "/teams/ladder/policy", form)
    assert statuses(answers) == [204, 409]
    said = next(json.loads(answer.body)["detail"] for answer in answers if answer.status == 409)
    winner = "manager" if answers[0].status == 204 else "administrator"
    assert winner.title() in said
    assert f"As {winner} wishes" in said
    changes = count(world, PolicyChange, PolicyChange.team_id == world.teams["ladder"])
    assert changes == count(world, PolicyChange, PolicyChange.team_id == world.teams["hive"]) + 1


def test_a_link_works_once(world: World, knocker: Knocker) -> None:
    path = f"/link/{fresh_link(world, 'swarming')}"
    assert knocker.send("stranger", "GET", path).status == 200
    assert knocker.send("stranger", "HEAD", path).status == 200
    answers = at_once(world, ["stranger"] * 4, path, {})
    assert statuses(answers) == [303, 410, 410, 410]
    before = snapshot(world)
    for method in ("GET", "POST"):
        again = knocker.send("stranger", method, path)
        assert again.status == 410
        assert "It works once" in again.body.decode() or "it works once" in again.body.decode()
        assert "set-cookie" not in {name.lower() for name, _value in again.headers}
    assert snapshot(world) == before


def test_a_link_that_expired_or_never_was(world: World, knocker: Knocker) -> None:
    secret = fresh_link(world, "swarming")

    def expire(work: Work) -> None:
        late = work.now - timedelta(seconds=1)
        work.session.execute(update(Link).where(Link.key == key_of(secret)).values(expires_at=late))

    world.site.do(expire)
    before = snapshot(world)
    for name, words in ((secret, "expired"), (secrets.token_urlsafe(32), "not one of ours")):
        for method in ("GET", "POST"):
            answer = knocker.send("customer", method, f"/link/{name}")
            assert answer.status == 410
            assert words in answer.body.decode()
    assert snapshot(world) == before


def test_a_new_link_ends_the_one_before(world: World, knocker: Knocker) -> None:
    first = fresh_link(world, "swarming")
    fresh_link(world, "swarming")
    assert knocker.send("stranger", "POST", f"/link/{first}").status == 410


def test_an_invitation_is_answered_once(world: World, knocker: Knocker) -> None:
    number = world.invitations["invited"]
    answers = at_once(world, ["invited"] * 4, f"/invitations/{number}/acceptance", {})
    assert statuses(answers) == [204] * 4
    before = snapshot(world)
    late = knocker.send("invited", "POST", f"/invitations/{number}/refusal", {}, **JSON)
    assert late.status == 409
    declined = world.invitations["declined"]
    assert knocker.send("declined", "POST", f"/invitations/{declined}/acceptance", {}, **JSON).status == 409
    assert snapshot(world) == before


def test_resolving_twice_is_refused_the_second_time(world: World) -> None:
    ticket = world.tickets["swarming"]
    answers = at_once(world, ["hive_owner"] * 2, f"/tickets/{ticket}/resolution", {})
    assert statuses(answers) == [204, 403]
    status = world.site.look(lambda work: work.session.get_one(Ticket, ticket).status)
    assert status == "resolved"


def test_a_frame_sent_again_is_acknowledged_with_the_same_number(world: World) -> None:
    ticket = world.tickets["swarming"]
    id_ = secrets.token_hex(8)
    with wire(world, "hive_owner") as one, wire(world, "hive_owner") as two:
        for socket in (one, two, one):
            socket.send(t="post", s=f"room:{ticket}", id=id_, body="Once")
        numbers = {socket.until("ack")["n"] for socket in (one, two, one)}
        assert len(numbers) == 1
        one.send(t="post", s=f"room:{ticket}", id=id_, body="Another text")
        refused = one.until("ack", "refused")
        assert refused["status"] == 409
        assert "sent before with another text" in refused["why"]

    def stored(id_: str) -> list[str]:
        return world.site.look(
            lambda work: [row.body for row in work.session.query(Message).filter_by(client_id=id_)]
        )

    assert stored(id_) == ["Once"]


def test_a_form_and_a_frame_with_one_id_are_one_message(world: World) -> None:
    ticket = world.tickets["swarming"]
    id_ = secrets.token_hex(8)
    answer = world.visitors["hive_owner"].say(ticket, "room", "Once", id_)
    assert answer.status_code == 303
    with wire(world, "hive_owner") as socket:
        socket.send(t="post", s=f"room:{ticket}", id=id_, body="Once")
        socket.until("ack")
    found = world.site.look(lambda work: work.session.query(Message).filter_by(client_id=id_).count())
    assert found == 1
