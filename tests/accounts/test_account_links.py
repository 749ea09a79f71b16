"""A link into an account: looking is free, it works once, and it ends with what it was made for."""

from __future__ import annotations

from datetime import timedelta

import httpx2
import pytest

from swarm.accounts.account_links import make_account_link
from swarm.accounts.actions import set_password
from swarm.accounts.passwords import fits, hash_of
from swarm.people.actions import deactivate
from swarm.people.models import Person
from swarm.store import Work
from tests.portal.house import at_once
from tests.support.site import Site, Visitor, text_of
from tests.support.town import Town, build

OLD, NEW = "an old and long one", "four words in a row"


@pytest.fixture
def town(site: Site) -> Town:
    return build(site.store)


def link(town: Town, name: str = "ina", hours: float = 72) -> str:
    def make(work: Work) -> str:
        return make_account_link(work, town.people[name], timedelta(hours=hours))

    return f"/account/{town.do('root', make)}"


def choose(visitor: Visitor, link: str, password: str = NEW, again: str = "") -> httpx2.Response:
    return visitor.post(link, {"password": password, "again": again or password})


def kept(site: Site, town: Town) -> str | None:
    return site.look(lambda work: work.session.get_one(Person, town.people["ina"]).password)


def test_a_mail_scanner_does_not_use_it_up(site: Site, town: Town) -> None:
    made, scanner = link(town), site.stranger()
    for _time in range(3):
        assert scanner.get(made).status_code == 200
    assert scanner.http.head(made).status_code == 200
    assert choose(site.stranger(), made).status_code == 303


def test_it_works_once_and_signs_out_everywhere_else(site: Site, town: Town) -> None:
    site.do(lambda work: set_password(work, town.people["ina"], hash_of(OLD)))
    elsewhere, made = site.person(town.people["ina"]), link(town)
    assert "A new password for Ina" in text_of(site.stranger().get(made).text)
    assert choose(site.stranger(), made).status_code == 303
    assert elsewhere.get("/mine").status_code == 303
    assert fits(NEW, kept(site, town))
    for refused in (choose(site.stranger(), made, "another long one"), site.stranger().get(made)):
        assert refused.status_code == 410
        assert "used before" in text_of(refused.text)
    assert fits(NEW, kept(site, town))


def test_of_six_browsers_at_once_one_chooses(site: Site, town: Town) -> None:
    made = link(town)
    statuses = at_once(6, lambda: choose(site.stranger(), made).status_code)
    assert sorted(statuses) == [303, 410, 410, 410, 410, 410]


def test_a_password_that_does_not_fit_leaves_the_link_as_it_was(site: Site, town: Town) -> None:
    made, visitor = link(town), site.stranger()
    for form, words in (
        ({"password": NEW, "again": "something else"}, "This is not the same as above."),
        ({"password": "short", "again": "short"}, "At least"),
        ({"password": NEW}, "This is needed."),
        ({"password": NEW, "again": NEW, "role": "administrator"}, ""),
    ):
        refused = visitor.post(made, form)
        assert refused.status_code == 422
        assert words in text_of(refused.text)
        assert NEW not in refused.text
    assert kept(site, town) is None
    assert choose(visitor, made).status_code == 303


def test_it_ends_with_time_a_newer_one_and_the_account(site: Site, town: Town) -> None:
    first = link(town)
    second = link(town)
    assert site.stranger().get(first).status_code == 410
    assert site.stranger().get(second).status_code == 200
    site.clock.move(hours=73)
    expired = choose(site.stranger(), second)
    assert expired.status_code == 410
    assert "has expired" in text_of(expired.text)
    third = link(town)
    site.do(lambda work: deactivate(work, town.people["ina"]))
    assert choose(site.stranger(), third).status_code == 410
    assert kept(site, town) is None


def test_guessed_and_broken_ones_open_nothing(site: Site, town: Town) -> None:
    made = link(town)
    for wrong in (made[:-1], made + "a", "/account/" + "a" * 43, "/account/%00", "/account/%ff"):
        assert site.stranger().get(wrong).status_code in (400, 404, 410), wrong
        assert choose(site.stranger(), wrong).status_code in (400, 404, 410), wrong
    assert kept(site, town) is None


def test_a_foreign_page_cannot_use_it(site: Site, town: Town) -> None:
    refused = site.stranger().post(link(town), {"password": NEW, "again": NEW}, Origin="https://evil.example")
    assert refused.status_code == 403
    assert kept(site, town) is None
