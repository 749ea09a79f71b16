"""Letters leave through a real server: once, with a stable id, and whatever it does, none is lost."""

from __future__ import annotations

import re
import time

import pytest

from swarm.outbound import queue
from swarm.people.models import Person
from swarm.store import Work
from tests.outbound.conftest import Serve
from tests.outbound.rows import body, put, until
from tests.support.site import PATIENCE, Site, text_of
from tests.support.smtp import Mailbox
from tests.support.town import Town, build


def test_a_letter_arrives_as_text_and_html_with_a_link_that_works(
    site: Site, town: Town, mailbox: Mailbox
) -> None:
    put(site, town)
    [letter] = mailbox.wait(letters=1)
    email = site.look(lambda work: work.session.get_one(Person, town.people["ina"]).email)
    assert letter["To"] == f"Ina <{email}>"
    assert letter["From"] == "The desk <desk@example.org>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.org>", letter["Message-ID"])
    link = re.search(rf"{re.escape(site.url)}(/account/[\w-]{{43}})", body(letter, "plain"))
    assert link is not None
    assert link[0] in body(letter, "html")
    assert site.stranger().get(link[1]).status_code == 200
    [row] = until(site, lambda rows: rows[0].state == "sent")
    assert row.letter is None, "the secret is not kept once it is sent"


@pytest.mark.parametrize(
    "behaviour",
    ["451 4.3.0 Later", "421 Shutting down", "drop", "stall"],
    ids=["4xx", "421", "drops", "stalls"],
)
def test_a_server_that_does_not_take_it_gets_it_again_and_the_same(
    serve_with_mail: Serve, mailbox: Mailbox, behaviour: str
) -> None:
    with serve_with_mail(mail__seconds="1") as site:
        town = build(site.store)
        mailbox.behaviour = behaviour
        put(site, town)
        mailbox.wait(tried=1)
        [row] = until(site, lambda rows: bool(rows[0].problem))
        assert (row.state, row.tries) == ("waiting", 1)
        assert row.next_at > site.clock()
        first = row.letter
        assert site.person(town.people["ina"]).get("/mine").status_code == 200, "nobody waits for it"
        mailbox.behaviour = "ok"
        site.clock.move(minutes=2)
        [letter] = mailbox.wait(letters=1)
        assert letter["Message-ID"] == f"<{row.token}@example.org>"
        assert first is not None and first["path"] in body(letter, "plain")
        until(site, lambda rows: rows[0].state == "sent")
        assert len(mailbox.letters) == 1


@pytest.mark.parametrize("at", ["rcpt", "data"])
def test_a_letter_refused_for_good_is_parked_and_can_be_tried_again(
    site: Site, town: Town, mailbox: Mailbox, at: str
) -> None:
    mailbox.behaviour, mailbox.at = "550 5.1.1 Nobody of this name", at
    put(site, town)
    [row] = until(site, lambda rows: rows[0].state == "parked")
    assert "Nobody of this name" in row.problem
    root = site.person(town.people["root"])
    assert "Nobody of this name" in text_of(root.get(f"/people/{town.people['ina']}").text)
    mailbox.behaviour = "ok"
    assert site.do(queue.again) == 1
    assert len(mailbox.wait(letters=1)) == 1


def test_one_bad_address_holds_up_nobody_else(site: Site, town: Town, mailbox: Mailbox) -> None:
    def spoil(work: Work) -> None:
        work.session.get_one(Person, town.people["ben"]).email = "no address at all"

    site.do(spoil)
    for name in ("ben", "ina", "ada"):
        put(site, town, name)
    assert len(mailbox.wait(letters=2)) == 2
    states = [row.state for row in until(site, lambda rows: all(row.state != "waiting" for row in rows))]
    assert sorted(states) == ["parked", "sent", "sent"]


def test_who_left_gets_no_letter(site: Site, town: Town, mailbox: Mailbox) -> None:
    def leave(work: Work) -> None:
        work.session.get_one(Person, town.people["ina"]).active = False

    site.do(leave)
    put(site, town)
    until(site, lambda rows: rows[0].state == "dropped")
    assert mailbox.letters == []


def test_two_workers_send_each_letter_once(serve_with_mail: Serve, mailbox: Mailbox) -> None:
    with serve_with_mail() as site, serve_with_mail():
        town = build(site.store)
        for name in ("ada", "ben", "cleo", "dov", "eve", "hugo", "ina", "lena", "paul", "quinn"):
            put(site, town, name)
        mailbox.wait(letters=10)
        until(site, lambda rows: all(row.state == "sent" for row in rows))
        ids = [letter["Message-ID"] for letter in mailbox.letters]
        assert len(ids) == len(set(ids)) == 10


def test_a_letter_whose_worker_died_is_sent_by_another(serve_with_mail: Serve, mailbox: Mailbox) -> None:
    with serve_with_mail(mail__server="") as site:
        town = build(site.store)
        put(site, town)
        # Taken, and never heard of again.
        site.do(lambda work: queue.take(work, 5, 60))
        with serve_with_mail() as other:
            other.clock.move(seconds=61)
            assert len(mailbox.wait(letters=1)) == 1


def test_after_days_it_is_parked_and_not_tried_for_ever(site: Site, town: Town, mailbox: Mailbox) -> None:
    mailbox.behaviour = "451 Later"
    put(site, town)
    until(site, lambda rows: bool(rows[0].problem))
    site.clock.move(days=4)
    until(site, lambda rows: rows[0].state == "parked")


def test_letters_that_are_over_are_not_kept_for_ever(site: Site, town: Town, mailbox: Mailbox) -> None:
    put(site, town)
    until(site, lambda rows: rows[0].state == "sent")
    assert site.do(lambda work: queue.forget(work, 90)) == 0
    mailbox.behaviour = "550 No"
    put(site, town, "ada")
    until(site, lambda rows: rows[1].state == "parked")
    site.clock.move(days=91)
    assert site.do(lambda work: queue.forget(work, 90)) == 1
    until(site, lambda rows: [row.state for row in rows] == ["parked"])


def test_the_outbox_is_measured(site: Site, town: Town, mailbox: Mailbox) -> None:
    mailbox.behaviour = "451 Later"
    put(site, town)
    until(site, lambda rows: bool(rows[0].problem))
    site.clock.move(seconds=30)
    visitor, end, figures = site.stranger(), time.monotonic() + PATIENCE, ""
    while "swarm_letters_waiting 1" not in figures and time.monotonic() < end:
        figures = visitor.get("/metrics").text
    assert "swarm_letters_waiting 1" in figures
    age = re.search(r"swarm_outbox_age_seconds (\d+)", figures)
    assert age is not None and int(age[1]) >= 30
