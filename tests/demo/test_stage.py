"""Simulated people ask the demo whether to work; anybody signed in stops them, and nobody is doubled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from swarm import demo
from swarm.accounts.actions import key_of, start_session
from swarm.accounts.models import SessionRow
from swarm.people.actions import set_up
from swarm.people.models import Person
from swarm.settings import Settings
from swarm.store import Work
from tests.support.backends import Backend
from tests.support.site import Site, Visitor, serve_site


@pytest.fixture
def playing(backend: Backend) -> Iterator[Site]:
    with serve_site(backend, demo="true") as site:
        demo.load(site.store, Settings())
        yield site


def said(site: Site) -> Any:
    answer = site.stranger().get("/demo/stage")
    assert answer.status_code == 200
    return answer.json()


def somebody(site: Site) -> int:
    return site.look(lambda work: work.session.scalars(select(Person.id).order_by(Person.id)).all()[3])


def come(site: Site, person: int, **more: str) -> Visitor:
    visitor = site.stranger()
    assert visitor.post("/demo/sign-in", {"person": str(person), **more}).status_code == 303
    return visitor


def test_who_is_signed_in_is_taken_and_who_only_simulates_is_not(playing: Site) -> None:
    assert said(playing) == {"on": True, "visited": False, "taken": []}
    person = somebody(playing)
    come(playing, person + 1, simulated="on")
    assert said(playing)["visited"] is False
    visitor = come(playing, person)
    assert said(playing) == {"on": True, "visited": True, "taken": [person]}
    visitor.post("/sign-out")
    assert said(playing)["visited"] is False


def test_nobody_looks_when_the_last_sign_of_a_visitor_is_long_ago(playing: Site) -> None:
    come(playing, somebody(playing))
    assert said(playing)["visited"] is True
    playing.clock.move(minutes=16)
    assert said(playing) == {"on": True, "visited": False, "taken": []}


def test_a_customer_is_a_visitor_but_nobody_of_the_demo(playing: Site) -> None:
    ticket = 1
    playing.customer(ticket)
    assert said(playing) == {"on": True, "visited": True, "taken": []}


def test_anybody_signed_in_stops_them_and_lets_them_go_on(playing: Site) -> None:
    visitor = come(playing, somebody(playing))
    assert "Let them rest" in visitor.get("/demo", accept="text/html").text
    assert visitor.post("/demo", {"people": "rest"}).status_code in (204, 303)
    assert said(playing)["on"] is False
    page = visitor.get("/demo", accept="text/html").text
    assert "They rest." in page and "Let them work" in page
    visitor.post("/demo", {"people": "work"})
    assert said(playing)["on"] is True


def test_strangers_stop_nobody(playing: Site) -> None:
    assert playing.stranger().post("/demo", {"people": "rest"}).status_code == 401
    assert said(playing)["on"] is True


def test_nonsense_is_refused(playing: Site) -> None:
    visitor = come(playing, somebody(playing))
    for form in ({}, {"people": "dance"}, {"people": "rest", "more": "yes"}):
        assert visitor.post("/demo", form).status_code == 422, form
    assert said(playing)["on"] is True


def test_without_the_demo_there_is_no_such_door(site: Site) -> None:
    person = site.do(first_person)
    visitor = site.person(person)
    for answer in (
        site.stranger().get("/demo/stage"),
        visitor.get("/demo"),
        visitor.post("/demo", {"people": "rest"}),
    ):
        assert answer.status_code == 404


def test_the_setting_alone_opens_no_door_over_a_database_of_its_own(backend: Backend) -> None:
    with serve_site(backend, demo="true") as site:
        visitor = site.person(site.do(first_person))
        assert site.stranger().get("/demo/stage").status_code == 404
        assert visitor.post("/demo", {"people": "rest"}).status_code == 404


def test_a_simulated_session_is_marked_and_nothing_else(playing: Site) -> None:
    person = somebody(playing)
    secret = playing.do(lambda work: start_session(work, person, days=1, idle_hours=1, simulated=True))
    row = playing.look(lambda work: work.session.get_one(SessionRow, key_of(secret)))
    assert row.simulated


def first_person(work: Work) -> int:
    return set_up(work, name="Root", email="root@example.org", password="x", language="en").id


def test_a_visitor_reads_the_browsers_language_whoever_they_are(playing: Site) -> None:
    person = somebody(playing)
    for tag in ("de", "en"):
        visitor = playing.stranger()
        answer = visitor.post("/demo/sign-in", {"person": str(person)}, **{"Accept-Language": tag})
        assert answer.status_code == 303
        assert f'<html lang="{tag}">' in visitor.get("/mine").text
