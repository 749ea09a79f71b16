"""The second step: a code works once, guesses are counted, recovery works, and every door asks for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx2
import pyotp
import pytest

from swarm.accounts import second_step
from swarm.accounts.account_links import make_account_link
from swarm.accounts.actions import set_password
from swarm.accounts.models import Factor, SignIn
from swarm.accounts.passwords import hash_of
from swarm.accounts.second_step import TRIES
from swarm.people.models import Person
from swarm.store import Work
from tests.portal.house import at_once
from tests.support.backends import Backend
from tests.support.site import Site, Visitor, serve_site, text_of
from tests.support.town import Town, build

PASSWORD = "four words in a row"
HASH = hash_of(PASSWORD)


@pytest.fixture
def site(backend: Backend) -> Iterator[Site]:
    with serve_site(backend) as site:
        yield site


@pytest.fixture
def town(site: Site) -> Town:
    town = build(site.store)
    for name in ("ina", "root"):
        site.do(lambda work, name=name: set_password(work, town.people[name], HASH))  # type: ignore[misc]
    return town


def email(site: Site, town: Town, name: str = "ina") -> str:
    return site.look(lambda work: work.session.get_one(Person, town.people[name]).email)


def add_app(site: Site, town: Town, name: str = "ina") -> tuple[pyotp.TOTP, list[str]]:
    """An app that makes this person's codes, and their recovery codes."""

    def add(work: Work) -> tuple[str, list[str]]:
        me = town.people[name]
        secret = second_step.new_app(work, me).secret
        code = pyotp.TOTP(secret).at(work.now - timedelta(seconds=30))
        return secret, list(second_step.confirm_app(work, me, code, "My phone"))

    secret, codes = town.do(name, add)
    return pyotp.TOTP(secret), codes


def sign_in(visitor: Visitor, site: Site, town: Town, name: str = "ina") -> httpx2.Response:
    """The password, and no more than that."""
    return visitor.post(
        "/sign-in", {"email": email(site, town, name), "password": PASSWORD, "next": "/queue"}
    )


def second(visitor: Visitor, code: str) -> httpx2.Response:
    return visitor.post("/sign-in/second", {"code": code})


def test_the_password_alone_opens_nothing(site: Site, town: Town) -> None:
    app, _codes = add_app(site, town)
    visitor = site.stranger()
    answer = sign_in(visitor, site, town)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in/second")
    assert "session" not in visitor.http.cookies
    for door in ("/mine", "/queue", "/people", "/me/second-step"):
        assert visitor.get(door).headers["location"].startswith("/sign-in")
    assert "Type the code that your app shows now." in text_of(visitor.get("/sign-in/second").text)
    done = second(visitor, app.at(site.clock()))
    assert (done.status_code, done.headers["location"]) == (303, "/queue")
    assert visitor.get("/mine").status_code == 200
    assert visitor.get("/sign-in/second").headers["location"] == "/sign-in"


def test_a_code_works_once_and_an_older_one_no_more(site: Site, town: Town) -> None:
    app, _codes = add_app(site, town)
    site.clock.move(minutes=5)
    now, before = app.at(site.clock()), app.at(site.clock() - timedelta(seconds=30))
    first, other = site.stranger(), site.stranger()
    sign_in(first, site, town)
    sign_in(other, site, town)
    assert second(first, f"{now[:3]} {now[3:]}").status_code == 303
    for used in (now, before):
        refused = second(other, used)
        assert refused.status_code == 422
        assert "is not right, or was used before" in text_of(refused.text)
    site.clock.move(seconds=31)
    assert second(other, app.at(site.clock())).status_code == 303


def test_of_six_browsers_with_one_code_one_is_let_in(site: Site, town: Town) -> None:
    app, _codes = add_app(site, town)
    code = app.at(site.clock() + timedelta(seconds=30))
    visitors = [site.stranger() for _browser in range(6)]
    for visitor in visitors:
        sign_in(visitor, site, town)
    waiting = iter(visitors)
    statuses = at_once(6, lambda: second(next(waiting), code).status_code)
    assert sorted(statuses) == [303, 422, 422, 422, 422, 422]


def test_a_code_works_once_across_workers(backend: Backend) -> None:
    with serve_site(backend) as site, serve_site(backend) as other:
        town = build(site.store)
        site.do(lambda work: set_password(work, town.people["ina"], HASH))
        app, _codes = add_app(site, town)
        code = app.at(site.clock() + timedelta(seconds=30))
        here, there = site.stranger(), other.stranger()
        sign_in(here, site, town)
        sign_in(there, other, town)
        assert second(here, code).status_code == 303
        assert second(there, code).status_code == 422


def test_wrong_codes_end_the_sign_in_and_count_for_the_account(site: Site, town: Town) -> None:
    app, _codes = add_app(site, town)
    visitor = site.stranger()
    sign_in(visitor, site, town)
    for _guess in range(TRIES):
        assert second(visitor, "000000").status_code == 422
    over = second(visitor, app.at(site.clock()))
    assert (over.status_code, over.headers["location"]) == (303, "/sign-in")
    assert "session" not in visitor.http.cookies
    others = [site.stranger() for _browser in range(2)]
    for other in others:
        sign_in(other, site, town)
    for _guess in range(TRIES - 1):
        assert second(others[0], "000000").status_code == 422
    slowed = second(others[1], app.at(site.clock()))
    assert slowed.status_code == 429, "ten guesses a minute, whatever browser they come from"
    assert int(slowed.headers["retry-after"]) > 0


def test_a_recovery_code_works_once(site: Site, town: Town) -> None:
    _app, codes = add_app(site, town)
    assert len(codes) == 10
    first, other = site.stranger(), site.stranger()
    for visitor in (first, other):
        sign_in(visitor, site, town)
    assert second(first, codes[0].lower()).status_code == 303
    assert second(other, codes[0]).status_code == 422
    assert second(other, codes[1].replace("-", "")).status_code == 303
    assert "8 are left." in text_of(other.get("/me/second-step").text)


def test_half_a_sign_in_ends_with_time_and_the_account(site: Site, town: Town) -> None:
    app, _codes = add_app(site, town)
    visitor = site.stranger()
    sign_in(visitor, site, town)
    site.clock.move(minutes=11)
    assert second(visitor, app.at(site.clock())).headers["location"] == "/sign-in"
    sign_in(visitor, site, town)
    site.do(lambda work: work.session.get_one(Person, town.people["ina"]).__setattr__("active", False))
    assert second(visitor, app.at(site.clock())).headers["location"] == "/sign-in"
    assert site.stranger().get("/sign-in/second").headers["location"] == "/sign-in"


def test_a_link_into_the_account_asks_for_it_too(site: Site, town: Town) -> None:
    app, _codes = add_app(site, town)
    secret = town.do("root", lambda work: make_account_link(work, town.people["ina"], timedelta(hours=1)))
    visitor = site.stranger()
    chosen = visitor.post(f"/account/{secret}", {"password": PASSWORD * 2, "again": PASSWORD * 2})
    assert chosen.headers["location"] == "/sign-in/second"
    assert "session" not in visitor.http.cookies
    assert second(visitor, app.at(site.clock())).headers["location"] == "/mine"


def test_an_app_is_added_on_ones_own_page_and_asks_for_the_password(site: Site, town: Town) -> None:
    ina, elsewhere = site.person(town.people["ina"]), site.person(town.people["ina"])
    wrong = ina.post("/me/second-step/app", {"current": "not this one"})
    assert wrong.status_code == 422
    assert "This is not your password." in text_of(wrong.text)
    assert ina.post("/me/second-step/app", {"current": PASSWORD}).status_code == 303
    page = ina.get("/me/second-step").text
    shown = re.search(r'class="code"[^>]*>([A-Z2-7 ]+)<', page)
    assert shown is not None and "<svg" in page
    app = pyotp.TOTP(shown[1].replace(" ", ""))
    assert sign_in(site.stranger(), site, town).headers["location"] == "/queue", "not before its first code"
    refused = ina.post("/me/second-step/app/confirmation", {"code": "000000", "name": "Phone"})
    assert refused.status_code == 422
    made = ina.post("/me/second-step/app/confirmation", {"code": app.at(site.clock()), "name": "Phone"})
    assert made.status_code == 200
    assert len(re.findall(r"[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}", made.text)) == 10
    assert made.headers["cache-control"] == "no-store"
    assert elsewhere.get("/mine").status_code == 303
    assert sign_in(site.stranger(), site, town).headers["location"] == "/sign-in/second"


def test_new_recovery_codes_end_the_old_ones(site: Site, town: Town) -> None:
    _app, codes = add_app(site, town)
    ina, visitor = site.person(town.people["ina"]), site.stranger()
    assert ina.post("/me/second-step/codes", {"current": PASSWORD}).status_code == 200
    sign_in(visitor, site, town)
    assert second(visitor, codes[0]).status_code == 422


def test_one_is_removed_with_the_password_and_others_cannot_be_named(site: Site, town: Town) -> None:
    add_app(site, town)
    add_app(site, town, "root")
    ina = site.person(town.people["ina"])
    ids = site.look(lambda work: {one.person_id: one.id for one in work.session.query(Factor)})
    mine, theirs = ids[town.people["ina"]], ids[town.people["root"]]
    assert ina.post("/me/second-step/removal", {"current": PASSWORD, "factor": theirs}).status_code == 404
    assert ina.post("/me/second-step/removal", {"current": "wrong", "factor": mine}).status_code == 422
    assert ina.post("/me/second-step/removal", {"current": PASSWORD, "factor": mine}).status_code == 303
    assert sign_in(site.stranger(), site, town).headers["location"] == "/queue"
    assert sign_in(site.stranger(), site, town, "root").headers["location"] == "/sign-in/second"


def test_a_role_that_needs_it_adds_one_at_the_door(site: Site, town: Town) -> None:
    root, ina = site.person(town.people["root"]), site.person(town.people["ina"])
    own = root.post("/people/second-step", {"roles": ["agent", "administrator"]})
    assert own.status_code == 403
    assert "Add a second step to your own account first" in text_of(own.text)
    assert root.post("/people/second-step", {"roles": ["agent"]}).status_code == 303
    assert ina.get("/mine").status_code == 303, "signed out at once"
    visitor = site.stranger()
    assert sign_in(visitor, site, town).headers["location"] == "/sign-in/add"
    assert visitor.get("/mine").status_code == 303
    shown = re.search(r'class="code"[^>]*>([A-Z2-7 ]+)<', visitor.get("/sign-in/add").text)
    assert shown is not None
    app = pyotp.TOTP(shown[1].replace(" ", ""))
    assert visitor.post("/sign-in/add", {"code": "000000"}).status_code == 422
    made = visitor.post("/sign-in/add", {"code": app.at(site.clock())})
    assert made.status_code == 200
    assert 'href="/queue"' in made.text
    assert visitor.get("/mine").status_code == 200
    factor = site.look(
        lambda work: work.session.query(Factor).filter_by(person_id=town.people["ina"]).one().id
    )
    kept = visitor.post("/me/second-step/removal", {"current": PASSWORD, "factor": factor})
    assert kept.status_code == 403
    assert "Your role needs a second step." in text_of(kept.text)


def test_whoever_gets_such_a_role_is_signed_out_until_they_add_one(site: Site, town: Town) -> None:
    root, quinn = site.person(town.people["root"]), site.person(town.people["quinn"])
    assert root.post("/people/second-step", {"roles": ["manager"]}).status_code == 303
    one = site.look(lambda work: work.session.get_one(Person, town.people["quinn"]))
    changed = {"name": one.name, "email": one.email, "role": "manager"}
    assert root.post(f"/people/{one.id}/account", changed).status_code == 303
    assert quinn.get("/mine").status_code == 303


def test_an_administrator_removes_what_somebody_lost(site: Site, town: Town) -> None:
    add_app(site, town)
    root, ina = site.person(town.people["root"]), site.person(town.people["ina"])
    here = f"/people/{town.people['ina']}/second-step/removal"
    assert site.person(town.people["mona"]).post(here).status_code == 403
    assert root.post(here).status_code == 303
    assert ina.get("/mine").status_code == 303
    assert sign_in(site.stranger(), site, town).headers["location"] == "/queue"
    said = text_of(root.get(f"/audit?person={town.people['ina']}").text)
    assert "Root removed a second step of Ina: My phone" in said
    assert "Ina added a second step: My phone" in said


def test_old_halves_are_swept_away(site: Site, town: Town) -> None:
    add_app(site, town)
    for _time in range(3):
        sign_in(site.stranger(), site, town)
        site.clock.move(minutes=11)
    sign_in(site.stranger(), site, town)
    assert site.look(lambda work: work.session.query(SignIn).count()) == 1
