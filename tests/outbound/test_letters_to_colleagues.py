"""Colleagues hear by mail of what waits for them: while they are not here, together, and as they wish."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator

import pytest

from swarm import main
from swarm.people.actions import deactivate
from swarm.people.models import Seen
from swarm.routing.matching import ask_for_help
from swarm.tickets.actions import hand_over, take
from swarm.tickets.posting import post
from tests.outbound.conftest import Serve
from tests.outbound.rows import body, mails, until
from tests.support.site import PATIENCE, Site
from tests.support.smtp import Mailbox
from tests.support.town import Town, build


@pytest.fixture
def site(serve_with_mail: Serve, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Letters to customers are another matter."""
    monkeypatch.setattr(main, "HERE_EVERY", 0.1)
    with serve_with_mail(mail__customers="false") as site:
        yield site


@pytest.fixture
def town(site: Site) -> Town:
    return build(site.store)


def owned(town: Town, who: str = "ina") -> int:
    ticket = town.open("hive")
    town.act(who, take, ticket)
    return ticket


def ask(town: Town, ticket: int, *names: str) -> None:
    town.act(
        "ina",
        ask_for_help,
        ticket,
        question="Why the internal secret?",
        tried="",
        skill_ids=[],
        person_ids=[town.people[name] for name in names],
        client_id=secrets.token_hex(8),
    )


def settled(site: Site, count: int) -> list[str]:
    rows = until(site, lambda rows: len(rows) == count and all(row.state != "waiting" for row in rows))
    return [row.state for row in rows]


def test_who_is_asked_and_not_here_gets_a_letter(site: Site, town: Town, mailbox: Mailbox) -> None:
    ticket = owned(town)
    ask(town, ticket, "paul")
    site.clock.move(seconds=31)
    [letter] = mailbox.wait(letters=1)
    assert letter["To"].startswith("Paul <paul.")
    assert letter["Subject"] == f"Ina asks for your help: SW-{ticket} The printer is on fire"
    words = body(letter, "plain")
    assert f"{site.url}/tickets/{ticket}" in words
    assert "internal secret" not in words


def test_who_is_here_gets_none(site: Site, town: Town, mailbox: Mailbox) -> None:
    ticket, paul = owned(town), town.people["paul"]
    with site.person(paul).socket({f"person:{paul}": 0}):
        ask(town, ticket, "paul")
        asked_at = site.clock()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            seen = site.look(lambda work: work.session.get(Seen, paul))
            if seen is not None and seen.at > asked_at:
                break
        site.clock.move(seconds=31)
        assert settled(site, 1) == ["dropped"]
    assert mailbox.letters == []


def test_what_comes_together_is_one_letter_and_what_is_over_is_not_in_it(
    site: Site, town: Town, mailbox: Mailbox
) -> None:
    first, second, third = owned(town), owned(town), owned(town)
    for ticket in (first, second):
        town.act("ina", hand_over, ticket, town.people["hugo"], "Yours")
    ask(town, third, "hugo")
    town.act("hugo", hand_over, second, town.people["ina"], "Back")
    site.clock.move(seconds=31)
    words = {letter["To"].split()[0]: body(letter, "plain") for letter in mailbox.wait(letters=2)}
    assert f"This is yours now: SW-{first}" in words["Hugo"]
    assert f"asks for your help: SW-{third}" in words["Hugo"]
    assert f"SW-{second}" not in words["Hugo"], "it is not theirs any more"
    assert f"This is yours now: SW-{second}" in words["Ina"]


def test_what_one_did_oneself_is_no_news(site: Site, town: Town, mailbox: Mailbox) -> None:
    owned(town)
    assert mails(site) == []


def test_each_says_what_they_get_letters_about(site: Site, town: Town, mailbox: Mailbox) -> None:
    ticket = owned(town)
    ina, paul = site.person(town.people["ina"]), site.person(town.people["paul"])
    assert "Mail while you are not here" in ina.get("/me").text
    town.act_as(town.customer(ticket), post, ticket, "lane", "Any news?", secrets.token_hex(8))
    assert mails(site) == [], "not unless they wish"
    assert ina.post("/me/letters", {"letters": ["answers"]}).status_code == 303
    assert paul.post("/me/letters", {}).status_code == 303
    town.act_as(town.customer(ticket), post, ticket, "lane", "Still no news?", secrets.token_hex(8))
    ask(town, ticket, "paul")
    site.clock.move(seconds=31)
    [letter] = mailbox.wait(letters=1)
    assert letter["Subject"].startswith(f"The customer answered: SW-{ticket}")
    assert settled(site, 1) == ["sent"]


def test_an_answer_that_was_read_meanwhile_is_not_sent(site: Site, town: Town, mailbox: Mailbox) -> None:
    ticket = owned(town)
    ina = site.person(town.people["ina"])
    ina.post("/me/letters", {"letters": ["answers"]})
    town.act_as(town.customer(ticket), post, ticket, "lane", "Any news?", secrets.token_hex(8))
    assert ina.post(f"/tickets/{ticket}/read", {"lane": "lane", "seq": 999}).status_code == 303
    site.clock.move(seconds=31)
    assert settled(site, 1) == ["dropped"]


def test_who_left_gets_none(site: Site, town: Town, mailbox: Mailbox) -> None:
    ticket = owned(town)
    ask(town, ticket, "paul")
    site.do(lambda work: deactivate(work, town.people["paul"]))
    site.clock.move(seconds=31)
    assert settled(site, 1) == ["dropped"]
