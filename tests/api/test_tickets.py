"""What people do with tickets, programs do by the same rules: open, find, write, sort, solve."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from swarm.tickets.models import Message, Ticket
from tests.api.conftest import Programs
from tests.api.program import case
from tests.support.site import Site
from tests.support.town import Town


def test_a_ticket_is_opened_found_answered_and_solved(site: Site, town: Town, program: Programs) -> None:
    ina = program("ina")
    opened = ina.open(town.teams["hive"], priority="high", tags=["Phone", "hardware"], company="Chen & Sons")
    number = opened["number"]
    assert (opened["status"], opened["mode"], opened["waits_for"]) == ("open", "tierless", 0)
    assert opened["owner"] == {"id": town.people["hugo"], "name": "Hugo"}
    assert opened["customer"]["email"] == "bo@example.org"
    assert (opened["priority"], opened["tags"], opened["channel"]) == ("high", ["hardware", "phone"], "api")

    assert [one["number"] for one in ina.get("/tickets", list="queue").json()["items"]] == [number]
    taken = ina.post(f"/tickets/{number}/owner", version=opened["version"]).json()
    assert (taken["owner"]["name"], taken["version"], taken["waits_for"]) == ("Ina", 2, None)
    assert [one["number"] for one in ina.get("/tickets", list="mine").json()["items"]] == [number]

    room = ina.post(f"/tickets/{number}/lanes/room/messages", body="Swap it.", client_id="note-0001").json()
    assert (room["lane"], room["n"], room["body"]) == ("room", taken["heads"]["room"] + 1, "Swap it.")
    answer = ina.post(
        f"/tickets/{number}/lanes/lane/messages", body="Try now.", client_id="answer-01", wait=True
    )
    assert answer.status_code == 201
    assert ina.get(f"/tickets/{number}").json()["status"] == "waiting"
    assert ina.post(f"/tickets/{number}/pace", pace="on_hold").json()["status"] == "on_hold"
    assert ina.post(f"/tickets/{number}/answer", message=room["id"]).json()["answer"] == room["id"]
    sorted_ = ina.post(
        f"/tickets/{number}/details", priority="low", category="phones", language="nl", tags=[]
    )
    assert (sorted_.json()["priority"], sorted_.json()["category"], sorted_.json()["tags"]) == (
        "low",
        "phones",
        [],
    )
    solved = ina.post(f"/tickets/{number}/resolution").json()
    assert solved["status"] == "resolved" and solved["resolved_at"]
    assert ina.post(f"/tickets/{number}/reopening").json()["status"] == "open"
    assert ina.post(f"/tickets/{number}/answer", message=None).json()["answer"] is None


def test_the_page_shows_what_a_program_did(site: Site, town: Town, program: Programs) -> None:
    number = program("ina").open(town.teams["hive"])["number"]
    program("ina").post(f"/tickets/{number}/owner")
    program("ina").post(f"/tickets/{number}/lanes/room/messages", body="Seen by all", client_id="note-0001")
    page = site.person(town.people["hugo"]).get(f"/tickets/{number}").text
    assert "Seen by all" in page and "The phone is dead" in page


def test_the_same_client_id_is_the_same_ticket(site: Site, town: Town, program: Programs) -> None:
    ina = program("ina")
    sent = case(town.teams["hive"])
    with ThreadPoolExecutor(4) as together:
        answers = list(together.map(lambda _n: ina.post("/tickets", **sent), range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert site.look(lambda work: work.session.scalar(select(func.count()).select_from(Ticket))) == 1
    for other in ({"subject": "Another"}, {"body": "Another"}, {"name": "Other"}, {"email": "x@example.org"}):
        assert ina.post("/tickets", **{**sent, **other}).status_code == 409, other
    assert site.look(lambda work: work.session.scalar(select(func.count()).select_from(Ticket))) == 1


@pytest.mark.parametrize("lane", ["lane", "room"])
def test_the_same_client_id_is_the_same_message(site: Site, town: Town, program: Programs, lane: str) -> None:
    ina = program("ina")
    number = ina.open(town.teams["hive"])["number"]
    ina.post(f"/tickets/{number}/owner")
    path, sent = f"/tickets/{number}/lanes/{lane}/messages", {"body": "Once", "client_id": "once-0001"}
    with ThreadPoolExecutor(4) as together:
        answers = list(together.map(lambda _n: ina.post(path, **sent), range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    refused = ina.post(path, **{**sent, "body": "Twice"})
    assert refused.status_code == 409
    assert "sent before with another text" in refused.json()["detail"]
    stored = select(func.count()).select_from(Message).where(Message.client_id == "once-0001")
    assert site.look(lambda work: work.session.scalar(stored)) == 1


def test_a_list_is_read_page_by_page(town: Town, program: Programs) -> None:
    ina = program("ina")
    numbers = {ina.open(town.teams["hive"], subject=f"Case {n}")["number"] for n in range(7)}
    found: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = ina.get("/tickets", limit=3, team=town.teams["hive"], **cursor).json()
        found += [one["number"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert len(found) == 7 and set(found) == numbers
    assert ina.get("/tickets", cursor="bm9uc2Vuc2U").status_code == 422
    narrowed = ina.get(
        "/tickets", status="active", mode="tierless", priority="normal", owner=town.people["hugo"]
    )
    assert len(narrowed.json()["items"]) == 7
    assert ina.get("/tickets", tag="nothing").json() == {"items": [], "next": None}


def test_foreign_tickets_are_not_there(town: Town, program: Programs) -> None:
    number = program("mona").open(town.teams["ladder"])["number"]
    quinn = program("quinn")
    assert quinn.get("/tickets").json()["items"] == []
    for answer in (
        quinn.get(f"/tickets/{number}"),
        quinn.get(f"/tickets/{number}/lanes/lane/events"),
        quinn.get(f"/tickets/{number}/lanes/room/events"),
        quinn.get(f"/tickets/{number}/swarm"),
        quinn.post(f"/tickets/{number}/owner"),
        quinn.post(f"/tickets/{number}/lanes/room/messages", body="x", client_id="note-0001"),
    ):
        unknown = quinn.get("/tickets/999999")
        assert answer.status_code == 404
        assert answer.json()["detail"] == unknown.json()["detail"]


def test_a_refusal_says_the_rules_sentence(town: Town, program: Programs) -> None:
    ina, hugo = program("ina"), program("hugo")
    number = ina.open(town.teams["hive"])["number"]
    ina.post(f"/tickets/{number}/owner")
    refused = hugo.post(f"/tickets/{number}/lanes/lane/messages", body="Hello", client_id="answer-01")
    assert refused.status_code == 403
    assert refused.json()["detail"] == "Only the owner answers the customer. Ina owns this ticket."
    assert ina.post("/tickets", **case(town.teams["ladder"])).status_code == 403
    assert ina.post(f"/tickets/{number}/mode", reason="Because").status_code == 403


def test_of_two_who_take_one_wins_and_the_other_hears_who(town: Town, program: Programs) -> None:
    ina, hugo = program("ina"), program("hugo")
    opened = ina.open(town.teams["hive"])
    with ThreadPoolExecutor(2) as together:
        answers = list(
            together.map(
                lambda one: one.post(f"/tickets/{opened['number']}/owner", version=opened["version"]),
                (ina, hugo),
            )
        )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    winner = "Ina" if answers[0].status_code == 200 else "Hugo"
    [lost] = [answer for answer in answers if answer.status_code == 409]
    assert winner in lost.json()["detail"]


def test_a_tiered_ticket_climbs_and_comes_back(town: Town, program: Programs) -> None:
    ada, cleo = program("ada"), program("cleo")
    number = ada.open(town.teams["ladder"])["number"]
    ada.post(f"/tickets/{number}/owner")
    up = ada.post(f"/tickets/{number}/escalation", reason="Beyond me", note="Tried it all").json()
    assert (up["waits_for"], up["owner"]["name"]) == (2, "Ada")
    assert cleo.post(f"/tickets/{number}/owner").json()["tier"] == 2
    down = cleo.post(f"/tickets/{number}/return", reason="Yours again").json()
    assert (down["tier"], down["owner"]["name"]) == (1, "Ada")
    given = ada.post(f"/tickets/{number}/handover", to=town.people["ben"], reason="Off home").json()
    assert given["owner"]["name"] == "Ben"
    moved = program("mona").post(f"/tickets/{number}/mode", reason="Let us try").json()
    assert (moved["mode"], moved["assigned_mode"]) == ("tierless", "tiered")


def test_events_since_a_number_are_all_there_without_gaps(town: Town, program: Programs) -> None:
    ina = program("ina")
    number = ina.open(town.teams["hive"])["number"]
    ina.post(f"/tickets/{number}/owner")
    for n in range(5):
        sent = {"body": f"Line {n}", "client_id": secrets.token_hex(8)}
        ina.post(f"/tickets/{number}/lanes/room/messages", **sent)
    path, after, seen = f"/tickets/{number}/lanes/room/events", 0, []
    while True:
        page = ina.get(path, after=after, limit=2).json()
        if not page["items"]:
            break
        seen += page["items"]
        after = seen[-1]["n"]
    assert [one["n"] for one in seen] == list(range(1, page["head"] + 1))
    assert {one["s"] for one in seen} == {f"room:{number}"}
    texts = [one["data"]["message"]["body"] for one in seen if one["k"] == "room.message_posted"]
    assert texts == [f"Line {n}" for n in range(5)]
    [taken] = [one["data"] for one in seen if one["k"] == "ticket.taken"]
    assert taken["by"] == {"id": f"person:{town.people['ina']}", "name": "Ina"}
    assert taken["headline"] == "Ina took the ticket"
    assert taken["facts"]["from_id"] == town.people["hugo"]
    lane = ina.get(f"/tickets/{number}/lanes/lane/events").json()
    assert lane["items"][0]["k"] == "ticket.opened"
    assert ina.get(path, after=10**9).json()["items"] == []
