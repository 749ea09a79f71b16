"""What happens is told outside: at least once, signed, with a stable id, whatever the other side does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from pathlib import Path

import pytest
from sqlalchemy import update

from swarm.outbound import deliveries
from swarm.outbound.models import Delivery, Webhook
from swarm.people.models import Team
from swarm.store import Work, log
from swarm.tickets.csv_rows import Options
from swarm.tickets.importing import Wishes, bring_in
from swarm.tickets.posting import post
from tests.access.taint import logged
from tests.support.receiver import Receiver, Told, receiving
from tests.support.site import PATIENCE, Site, text_of
from tests.support.town import build
from tests.webhooks.conftest import Outside, Serve, outside, secret_in


def is_signed(told: Told, secret: str) -> bool:
    """As the specification says it, in other words than ours."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{told.id}.{told.headers['webhook-timestamp']}.".encode() + told.body
    right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return told.headers["webhook-signature"] == f"v1,{right}"


def test_what_happens_is_told_once_signed_and_in_full(out: Outside) -> None:
    out.say("It is the *toner*", "room")
    out.say("Try again", "lane")
    told = sorted(out.receiver.wait(2), key=lambda one: str(one.json["stream"]), reverse=True)
    room, lane = told[0].json, told[1].json
    person = f"person:{out.town.people['ina']}"
    assert room["type"] == "room.message_posted" and room["data"]["text"] == "It is the *toner*"
    assert room["stream"] == f"room:{out.ticket}" and room["seq"] >= 1
    assert room["ticket"] == {"id": out.ticket, "number": f"SW-{out.ticket}"}
    assert room["actor"] == {"id": person, "name": "Ina"}
    assert room["headline"] == "Ina wrote in the room"
    assert room["timestamp"].endswith("Z")
    assert lane["type"] == "lane.message_posted" and lane["data"]["text"] == "Try again"
    assert all(is_signed(one, out.secret) for one in told)
    assert len({one.id for one in told}) == 2 and all("." not in one.id for one in told)
    assert told[0].path == "/hook?key=1"
    assert told[0].headers["content-type"] == "application/json"
    assert abs(int(told[0].headers["webhook-timestamp"]) - time.time()) < 60
    rows = out.until(lambda rows: all(row.state == "arrived" for row in rows))
    assert len(rows) == len(out.receiver.told) == 2
    assert (rows[0].status, rows[0].said) == (200, "Taken, ·[31mthanks")


def test_messages_through_the_socket_are_told_too(out: Outside) -> None:
    ina = out.site.person(out.town.people["ina"])
    with ina.socket({f"room:{out.ticket}": 0}) as wire:
        for number in range(5):
            wire.send(
                {"t": "post", "s": f"room:{out.ticket}", "id": f"m-{number}", "body": f"Frame {number}"}
            )
        acks = {wire.until(lambda frame: frame["t"] == "ack")["n"] for _each in range(5)}
    told = [one.json for one in out.receiver.wait(5)]
    assert {one["seq"] for one in told} == acks
    assert {one["data"]["text"] for one in told} == {f"Frame {number}" for number in range(5)}
    heads = out.site.look(lambda work: log.heads(work.session, [f"room:{out.ticket}"]))
    assert max(acks) == heads[f"room:{out.ticket}"]


def test_only_what_was_chosen_and_only_from_then_on(site: Site, receiver: Receiver) -> None:
    town = build(site.store)
    town.open("hive")
    out = outside(site, receiver, ("ticket.opened",))
    assert out.until(lambda rows: True) == [], "nothing of before"
    out.say("Not chosen")
    number = out.town.open("ladder")
    [told] = receiver.wait(1)
    assert told.json["ticket"]["id"] == number
    assert len(out.until(lambda rows: all(row.state == "arrived" for row in rows))) == 1


def test_imported_history_is_told_nobody(site: Site, receiver: Receiver, tmp_path: Path) -> None:
    out = outside(site, receiver, ("ticket.opened", "lane.message_posted"))
    file = tmp_path / "old.csv"
    file.write_text("id,subject,body,email\n1,Old,It was broken,x@example.org\n", encoding="utf-8")
    team = out.site.look(lambda work: _team_key(work, out.town.teams["hive"]))
    assert bring_in(site.store, file, Options(), Wishes(source="old", team=team)).added == 1
    opened = out.town.open("hive")
    rows = out.until(lambda rows: bool(rows))
    assert {row.stream for row in rows} == {f"lane:{opened}"}


def _team_key(work: Work, team: int) -> str:
    return work.session.get_one(Team, team).key


@pytest.mark.parametrize("behaviour", ["500", "429", "drop", "stall", "garbage"])
def test_what_is_not_taken_comes_again_with_the_same_id(out: Outside, behaviour: str) -> None:
    out.receiver.behaviour = behaviour
    out.say("Again and again")
    [row] = out.until(lambda rows: bool(rows) and bool(rows[0].said))
    assert (row.state, row.tries) == ("waiting", 1) and row.next_at > out.site.clock()
    assert row.status == (int(behaviour) if behaviour.isdigit() else None)
    assert out.root.get("/mine").status_code == 200, "nobody waits for it"
    out.receiver.behaviour = "200"
    out.site.clock.move(minutes=1)
    first, second = out.receiver.wait(2)
    assert first.id == second.id and first.body == second.body
    assert is_signed(second, out.secret)
    out.until(lambda rows: rows[0].state == "arrived")


def test_a_huge_answer_is_cut_and_counts(out: Outside) -> None:
    out.receiver.behaviour = "huge"
    out.say()
    [row] = out.until(lambda rows: bool(rows) and rows[0].state == "arrived")
    assert len(row.said) <= 500
    assert out.receiver.cut.wait(PATIENCE), "the rest was read as well"


def test_a_redirect_is_not_followed(out: Outside) -> None:
    with receiving() as elsewhere:
        out.receiver.behaviour = f"redirect {elsewhere.url}"
        out.say()
        [row] = out.until(lambda rows: bool(rows) and bool(rows[0].status))
        assert (row.state, row.status) == ("waiting", 302) and elsewhere.told == []


def test_one_that_stalls_holds_up_no_other(serve_hooks: Serve, receiver: Receiver) -> None:
    with serve_hooks(webhooks__seconds="30") as site, receiving() as other:
        out = outside(site, receiver)
        receiver.behaviour = "stall"
        form = {"name": "Other", "url": other.url, "events": ["room.message_posted"]}
        assert out.root.post("/webhooks", form).status_code == 201
        for number in range(20):
            out.say(f"Line {number}")
        assert len(other.wait(20)) == 20
        receiver.going.set()


def test_an_address_that_fails_rests_and_is_given_up_after_days(out: Outside) -> None:
    out.receiver.behaviour = "500"
    for _each in range(4):
        out.say()
    out.until_webhook(lambda row: row.failures >= 3 and row.rest_until is not None)
    page = text_of(out.root.get(f"/webhooks/{out.id}").text)
    assert "Nothing arrives. First failure: " in page and "No, not like this" in page
    out.site.clock.move(days=3, minutes=1)
    row = out.until_webhook(lambda row: row.state == "off")
    assert row.given_up
    out.root = out.site.person(out.town.people["root"])
    assert "Given up" in text_of(out.root.get("/webhooks").text)
    assert "was switched off: nothing arrived there" in text_of(out.root.get("/audit").text)
    came = len(out.receiver.told)
    out.say("Not put in any more")
    out.receiver.behaviour = "200"
    assert out.root.post(f"/webhooks/{out.id}/state", {"state": "on"}).status_code == 303
    rows = out.until(lambda rows: all(row.state != "waiting" for row in rows))
    assert len(rows) == 4
    failed = [row for row in rows if row.state == "failed"]
    assert failed and len(out.receiver.told) - came == 4 - len(failed)
    assert out.root.post(f"/webhooks/{out.id}/again").status_code == 303
    out.until(lambda rows: all(row.state == "arrived" for row in rows))
    assert {one.id for one in out.receiver.told[came:]} == {one.id for one in out.receiver.told}


def test_one_that_says_it_is_gone_is_given_up_at_once(out: Outside) -> None:
    out.receiver.behaviour = "410"
    out.say()
    assert out.until_webhook(lambda row: row.state == "off").given_up


def test_what_arrived_can_be_sent_once_more_with_the_same_id(out: Outside) -> None:
    out.say()
    [row] = out.until(lambda rows: bool(rows) and rows[0].state == "arrived")
    assert out.root.post(f"/webhooks/{out.id}/again", {"delivery": row.id}).status_code == 303
    first, second = out.receiver.wait(2)
    assert first.id == second.id
    out.until(lambda rows: rows[0].state == "arrived")


def test_two_workers_tell_everything_once(serve_hooks: Serve, receiver: Receiver) -> None:
    with serve_hooks() as site, serve_hooks() as other:
        out = outside(site, receiver)
        there = out.town.through(other.store)
        for number in range(40):
            town = (out.town, there)[number % 2]
            town.act("ina", post, out.ticket, "room", f"Line {number}", secrets.token_hex(8))
        receiver.wait(40)
        out.until(lambda rows: len(rows) == 40 and all(row.state == "arrived" for row in rows))
        assert len(receiver.told) == 40
        assert sorted(one.json["data"]["text"] for one in receiver.told) == sorted(
            f"Line {number}" for number in range(40)
        )


def test_what_a_dead_worker_had_is_told_by_another(serve_hooks: Serve, receiver: Receiver) -> None:
    with serve_hooks() as site:
        out = outside(site, receiver)
        receiver.behaviour = "500"
        out.say()
        out.until(lambda rows: bool(rows) and rows[0].tries == 1 and bool(rows[0].said))

        def steal(work: Work) -> None:
            work.session.execute(update(Webhook).values(rest_until=None))
            [row] = work.session.scalars(update(Delivery).values(next_at=work.now).returning(Delivery))
            assert row.state == "waiting"
            # Taken, and never heard of again.
            assert deliveries.take(work, out.id, 5, 600)

        site.do(steal)
        receiver.behaviour = "200"
        site.clock.move(seconds=601)
        first, last = receiver.wait(1)[0], receiver.wait(2)[-1]
        assert first.id == last.id


def test_what_is_old_and_what_nobody_wants_goes(out: Outside) -> None:
    out.say()
    out.until(lambda rows: bool(rows) and rows[0].state == "arrived")
    assert out.site.do(lambda work: deliveries.forget(work, 30)) == 0
    out.site.clock.move(days=31)
    assert out.site.do(lambda work: deliveries.forget(work, 30)) == 1
    out.receiver.behaviour = "500"
    out.say()
    out.until(lambda rows: bool(rows) and bool(rows[0].said))
    out.root = out.site.person(out.town.people["root"])
    assert out.root.post(f"/webhooks/{out.id}/removal").status_code == 303
    assert out.root.get(f"/webhooks/{out.id}").status_code == 404
    assert out.site.do(lambda work: deliveries.forget(work, 30)) == 1
    row = out.site.look(lambda work: work.session.get_one(Webhook, out.id))
    assert (row.secret, row.url) == ("", "")
    out.say("Nobody is told")
    assert out.until(lambda rows: True) == []


def test_a_copy_of_a_desk_sends_nothing(serve_hooks: Serve, receiver: Receiver) -> None:
    with serve_hooks(webhooks__sent="false") as site:
        out = outside(site, receiver)
        out.say()
        assert [row.state for row in out.until(lambda rows: len(rows) == 1)] == ["waiting"]
        with serve_hooks():
            assert len(receiver.wait(1)) == 1


def test_nothing_of_it_stands_in_the_log(out: Outside) -> None:
    with logged() as log:
        out.receiver.behaviour = "500"
        out.say("Something internal")
        out.until(lambda rows: bool(rows) and bool(rows[0].said) and "webhook_not_taken" in log())
        said = log()
    assert all(word not in said for word in (out.secret, "key=1", "internal", "not like this"))


def test_the_secret_is_shown_once(out: Outside) -> None:
    for path in ("/webhooks", f"/webhooks/{out.id}", "/audit"):
        assert out.secret not in out.root.get(path).text
    again = {"name": "Dashboard", "url": "https://example.com/", "events": ["ticket.opened"]}
    answer = out.root.post("/webhooks", again)
    assert answer.status_code == 422 and "has this name" in answer.text


def test_it_is_measured(out: Outside) -> None:
    out.receiver.behaviour = "500"
    out.say()
    out.until(lambda rows: bool(rows) and bool(rows[0].said))
    visitor, end, figures = out.site.stranger(), time.monotonic() + 3 * PATIENCE, ""
    while "swarm_webhooks_waiting 1" not in figures and time.monotonic() < end:
        figures = visitor.get("/metrics").text
    assert "swarm_webhooks_waiting 1" in figures


def test_a_new_secret_signs_from_then_on(out: Outside) -> None:
    made = out.root.post(f"/webhooks/{out.id}/secret")
    assert made.status_code == 201
    out.say()
    [told] = out.receiver.wait(1)
    assert is_signed(told, secret_in(made.text)) and not is_signed(told, out.secret)
