"""A forgotten password: a link by mail, and nobody learns who has an account."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from swarm.accounts.actions import set_password
from swarm.accounts.passwords import fits, hash_of
from swarm.outbound.models import Mail
from swarm.people.models import Person
from tests.support.backends import Backend
from tests.support.site import Site, serve_site, text_of
from tests.support.smtp import Mailbox, mail_server
from tests.support.town import Town, build

OLD, NEW = "an old and long one", "four words in a row"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as made:
        yield made


@pytest.fixture
def site(backend: Backend, mailbox: Mailbox) -> Iterator[Site]:
    mail = {"mail__server": "127.0.0.1", "mail__port": str(mailbox.port), "mail__security": "none"}
    with serve_site(backend, mail__sender="desk@example.org", **mail) as site:
        yield site


@pytest.fixture
def town(site: Site) -> Town:
    town = build(site.store)
    site.do(lambda work: set_password(work, town.people["ina"], hash_of(OLD)))
    return town


def email(site: Site, town: Town) -> str:
    return site.look(lambda work: work.session.get_one(Person, town.people["ina"]).email)


def test_the_link_in_the_letter_sets_another_password(site: Site, town: Town, mailbox: Mailbox) -> None:
    visitor = site.stranger()
    assert 'href="/forgotten"' in visitor.get("/sign-in").text
    asked = visitor.post("/forgotten", {"email": email(site, town).upper()})
    assert asked.status_code == 200
    assert "is on its way there" in text_of(asked.text)
    [letter] = mailbox.wait(letters=1)
    assert letter["Subject"] == "A new password"
    part = letter.get_body(("plain",))
    assert part is not None
    link = re.search(r"/account/[\w-]{43}", part.get_content())
    assert link is not None
    assert visitor.post(link[0], {"password": NEW, "again": NEW}).status_code == 303
    assert fits(NEW, site.look(lambda work: work.session.get_one(Person, town.people["ina"]).password))


def test_an_address_without_an_account_is_answered_alike_and_gets_nothing(
    site: Site, town: Town, mailbox: Mailbox
) -> None:
    known, unknown = email(site, town), "nobody@example.org"
    answers = [site.stranger().post("/forgotten", {"email": one}) for one in (unknown, known)]
    said = [text_of(answer.text).replace(unknown, "").replace(known, "") for answer in answers]
    assert said[0] == said[1]
    # The known one's letter came after, and the first was looked at before it.
    assert [letter["To"].addresses[0].addr_spec for letter in mailbox.wait(letters=1)] == [known]
    rows = site.look(lambda work: work.session.scalars(select(Mail.kind)).all())
    assert rows == ["forgotten", "forgotten"], "both cost one row"


def test_one_address_is_not_flooded(site: Site, town: Town, mailbox: Mailbox) -> None:
    statuses = [
        site.stranger().post("/forgotten", {"email": email(site, town)}).status_code for _time in range(5)
    ]
    assert statuses == [200, 200, 200, 429, 429]


def test_what_is_no_address_is_said(site: Site, town: Town) -> None:
    refused = site.stranger().post("/forgotten", {"email": "ina"})
    assert refused.status_code == 422
    assert "does not look like an e-mail address" in text_of(refused.text)


def test_without_a_mail_server_there_is_no_such_door(backend: Backend) -> None:
    with serve_site(backend) as site:
        build(site.store)
        visitor = site.stranger()
        assert visitor.get("/forgotten").status_code == 404
        assert visitor.post("/forgotten", {"email": "ina@example.org"}).status_code == 404
        assert "/forgotten" not in visitor.get("/sign-in").text


def test_a_new_colleague_gets_the_link_by_mail(site: Site, town: Town, mailbox: Mailbox) -> None:
    root = site.person(town.people["root"])
    form = {"name": "Nia Obi", "email": "nia@example.org", "role": "agent", "language": "en"}
    made = root.post("/people", form)
    assert re.fullmatch(r"/people/\d+", made.headers["location"])
    [letter] = mailbox.wait(letters=1)
    assert (letter["To"], letter["Subject"]) == ("Nia Obi <nia@example.org>", "Your account")
    assert root.post(f"{made.headers['location']}/letter").status_code == 303
    assert len(mailbox.wait(letters=2)) == 2
    assert site.person(town.people["mona"]).post(f"{made.headers['location']}/letter").status_code == 403
