"""The customer's ticket: all of the lane, nothing of the room, and every word kept."""

from __future__ import annotations

import re
import secrets
from typing import Any

import pytest

from swarm.people.queries import person_actor
from swarm.store import Work
from swarm.tickets.actions import close_resolved, resolve, set_pace
from swarm.tickets.models import Ticket
from tests.portal.house import (
    House,
    at_once,
    bodies,
    enter,
    field_in,
    furnish,
    staff_says,
)
from tests.support.backends import Backend
from tests.support.site import Site, Visitor, serve_site, text_of

INTERNAL = "internal-7b1f"


def as_mira(site: Site, house: House, do: Any, *arguments: Any) -> None:
    def run(work: Work) -> None:
        work.actor = person_actor(work.session, house.mira)
        do(work, *arguments)

    site.do(run)


def write(visitor: Visitor, number: int, body: str, client_id: str = "", **headers: str) -> Any:
    form = {"body": body, "client_id": client_id or secrets.token_hex(8)}
    return visitor.post(f"/case/{number}/messages", form, **headers)


def status_of(site: Site, number: int) -> str:
    return site.look(lambda work: work.session.get_one(Ticket, number).status)


def test_the_page_shows_the_lane_the_owner_and_the_status(site: Site, house: House) -> None:
    visitor, number = enter(site, house)
    staff_says(site, house.mira, number, "lane", "We look into it.")
    page = text_of(visitor.get(f"/case/{number}").text)
    for words in (
        "The export stops",
        "Mira Jansen looks after this ticket",
        "40 %",
        "We look into it.",
        "Open",
    ):
        assert words in page
    assert "Tierless" not in page


def test_nothing_of_the_room_reaches_the_customer(site: Site, house: House) -> None:
    visitor, number = enter(site, house)
    with visitor.socket({f"lane:{number}": 0}, "/live/case") as wire:
        wire.send({"t": "watch", "epoch": wire.frames[0]["epoch"], "streams": {f"room:{number}": 0}})
        refused = wire.until(lambda frame: frame["t"] == "gone")
        assert refused["s"] == f"room:{number}"
        staff_says(site, house.mira, number, "room", f"Between us: {INTERNAL}")
        staff_says(site, house.mira, number, "lane", "For you.")
        wire.until(lambda frame: frame["t"] == "event" and "For you." in str(frame))
        assert INTERNAL not in str(wire.frames)
        assert f"room:{number}" not in str([frame for frame in wire.frames if frame["t"] != "gone"])
    for path in ("", "/head", "/note", "/foot", "/older?before=3", "/older?before=99"):
        answer = visitor.get(f"/case/{number}{path}")
        assert answer.status_code == 200, path
        assert INTERNAL not in answer.text
        assert "room:" not in answer.text
        assert "log-room" not in answer.text


def test_only_this_browsers_tickets_open(site: Site, house: House) -> None:
    laura, hers = enter(site, house)
    _, other = enter(site, house, email="somebody@else.example.org", subject="Not hers")
    for path in ("", "/head", "/note", "/foot", "/older?before=2"):
        assert laura.get(f"/case/{other}{path}").status_code == 404
        assert laura.get(f"/case/999999{path}").status_code == 404
        assert site.stranger().get(f"/case/{hers}{path}").status_code == 401
        assert site.person(house.mira).get(f"/case/{hers}{path}").status_code == 401
    assert write(laura, other, "Let me in").status_code == 404
    assert write(site.stranger(), hers, "Let me in").status_code == 401
    assert len(bodies(site, other)) == 1
    assert laura.get("/case/99999999999999999999").status_code == 404
    assert laura.get(f"/tickets/{hers}").status_code == 303


def test_writing_without_script(site: Site, house: House) -> None:
    visitor, number = enter(site, house)
    client_id = field_in(visitor.get(f"/case/{number}"), "client_id")
    answer = write(visitor, number, "One more thing.", client_id)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/case/{number}")
    assert "One more thing." in visitor.get(f"/case/{number}").text
    assert bodies(site, number)[-1] == "One more thing."


def test_writing_as_the_script_does(site: Site, house: House) -> None:
    visitor, number = enter(site, house)
    answer = write(visitor, number, "One more thing.", Accept="application/json")
    assert answer.status_code == 200
    assert isinstance(answer.json()["seq"], int)


def test_a_message_sent_six_times_at_once_stands_once(site: Site, house: House) -> None:
    visitor, number = enter(site, house)
    answers = at_once(
        6, lambda: write(visitor, number, "Once.", "one-and-the-same", Accept="application/json")
    )
    assert [answer.status_code for answer in answers] == [200] * 6
    assert len({answer.json()["seq"] for answer in answers}) == 1
    assert bodies(site, number).count("Once.") == 1


def test_the_same_id_with_another_text_is_refused_and_kept(site: Site, house: House) -> None:
    visitor, number = enter(site, house)
    write(visitor, number, "First.", "one-and-the-same")
    again = write(visitor, number, "Second.", "one-and-the-same")
    assert again.status_code == 409
    assert field_in(again, "body") == "Second."
    assert field_in(again, "client_id") != "one-and-the-same"
    assert "Second." not in bodies(site, number)


def test_writing_opens_a_resolved_ticket_again_within_the_days(site: Site, house: House) -> None:
    visitor, number = enter(site, house)
    as_mira(site, house, resolve, number)
    page = text_of(visitor.get(f"/case/{number}").text)
    assert "Resolved" in page
    assert "it is open again" in page
    site.clock.move(days=6)
    assert write(visitor, number, "Not solved.").status_code == 303
    assert status_of(site, number) == "open"


@pytest.mark.parametrize("closed", [True, False])
def test_a_closed_ticket_takes_nothing_and_keeps_the_text(site: Site, house: House, closed: bool) -> None:
    visitor, number = enter(site, house)
    as_mira(site, house, resolve, number)
    site.clock.move(days=8)
    if closed:
        site.do(lambda work: close_resolved(work, 7))
    page = visitor.get(f"/case/{number}")
    assert "This ticket is closed" in page.text
    assert 'href="/open"' in page.text
    assert "<form" not in page.text
    refused = write(visitor, number, "Still\nnot solved.")
    assert refused.status_code == 403
    assert "Still\nnot solved.</textarea>" in refused.text
    assert "Still\nnot solved." not in bodies(site, number)
    assert write(visitor, number, "x", Accept="application/json").status_code == 403


def test_waiting_is_said_to_the_customer_and_ends_with_the_answer(site: Site, house: House) -> None:
    visitor, number = enter(site, house)
    as_mira(site, house, set_pace, number, "waiting")
    page = text_of(visitor.get(f"/case/{number}").text)
    assert page.count("Waiting for your answer") == 2
    assert "the customer" not in page
    write(visitor, number, "Here it is.")
    assert status_of(site, number) == "open"


def test_older_messages_page_by_page_without_script(site: Site, house: House) -> None:
    visitor, number = enter(site, house)
    for turn in range(130):
        staff_says(site, house.mira, number, "lane", f"line-{turn:03}-")
    seen: list[str] = []
    page = visitor.get(f"/case/{number}").text
    while True:
        seen = re.findall(r"line-\d{3}-", page) + seen
        older = re.search(rf'href="(/case/{number}/older\?before=\d+)"', page)
        if older is None:
            break
        piece = visitor.get(older[1], **{"HX-Request": "true"}).text
        page = visitor.get(older[1]).text
        assert "<html" in page
        assert "<html" not in piece
        assert re.findall(r"line-\d{3}-", piece) == re.findall(r"line-\d{3}-", page)
    assert seen == [f"line-{turn:03}-" for turn in range(130)]


BAD: dict[str, tuple[dict[str, str], int]] = {
    "nothing": ({"body": ""}, 422),
    "only spaces": ({"body": " \n "}, 422),
    "too long": ({"body": "x" * 20_001}, 422),
    "control character": ({"body": "a\x07b"}, 422),
    "unknown field": ({"by_staff": "yes"}, 422),
    "another lane": ({"lane": "room"}, 422),
    "short id": ({"client_id": "1"}, 422),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_stores_nothing_and_keeps_what_was_typed(site: Site, house: House, name: str) -> None:
    visitor, number = enter(site, house)
    wrong, status = BAD[name]
    form = {"body": "A good text.", "client_id": secrets.token_hex(8), **wrong}
    for accept in ("text/html", "application/json"):
        answer = visitor.post(f"/case/{number}/messages", form, Accept=accept)
        assert answer.status_code == status
    assert len(bodies(site, number)) == 1
    page = visitor.post(f"/case/{number}/messages", form)
    assert field_in(page, "body").strip() == form["body"].strip()


def test_what_no_page_of_ours_sends(site: Site, house: House) -> None:
    visitor, number = enter(site, house)
    path, own = f"/case/{number}/messages", {"Origin": site.url}
    kinds = {"Content-Type": "application/x-www-form-urlencoded"}
    assert visitor.http.post(path, json={"body": "x"}, headers=own).status_code == 415
    assert (
        visitor.http.post(path, content=b"{}", headers={**own, "Content-Type": "text/plain"}).status_code
        == 415
    )
    assert visitor.http.post(path, content=b"body=%ED%A0%80", headers={**own, **kinds}).status_code == 400
    assert write(visitor, number, "x", Origin="https://elsewhere.example").status_code == 403
    assert visitor.http.post(path, data={"body": "x"}).status_code == 403
    assert visitor.get(path).status_code == 405
    for before in ("", "0", "-1", "x", "1e9", "9" * 40):
        assert visitor.get(f"/case/{number}/older?before={before}").status_code == 422
    assert visitor.get(f"/case/{number}/older?before=2&room=1").status_code == 422
    assert len(bodies(site, number)) == 1


def test_too_many_messages_are_slowed_and_kept(backend: Backend) -> None:
    with serve_site(backend, limits__posts_per_minute="2") as site:
        visitor, number = enter(site, furnish(site))
        assert [write(visitor, number, f"{turn}").status_code for turn in range(2)] == [303, 303]
        third = write(visitor, number, "A third.")
        assert third.status_code == 429
        assert field_in(third, "body") == "A third."
        assert "A third." not in bodies(site, number)


def test_the_owners_answer_comes_live_with_the_new_status(site: Site, house: House) -> None:
    visitor, number = enter(site, house)
    with visitor.socket({f"lane:{number}": 0}, "/live/case") as wire:
        wire.until(lambda frame: frame["t"] == "caught_up")
        staff_says(site, house.mira, number, "lane", "An answer.")
        posted = wire.event("lane.message_posted")
        assert posted["do"][0][:2] == ["append", f"#log-lane-{number}"]
        as_mira(site, house, resolve, number)
        resolved = wire.event("ticket.resolved")
        assert ["refresh", f".case-{number}"] in [list(op) for op in resolved["do"]]
    page = visitor.get(f"/case/{number}").text
    assert page.count(f"case-{number}") >= 2
