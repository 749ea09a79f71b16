"""`swarm simulate`: people come to a demo by its doors, and what is printed is what happened there."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from swarm.accounts.actions import set_password
from swarm.accounts.passwords import hash_of
from swarm.events import SYSTEM
from swarm.people.models import Person
from swarm.rooms.models import Ask
from swarm.simulation import Account, Figures, NotSwarm, simulate
from swarm.store import Work
from swarm.tickets.models import Message, Ticket
from tests.support.app import App
from tests.support.backends import Backend
from tests.support.processes import free_port
from tests.support.town import Town, open_store

PASSWORD = "a password of simulated people"
SEATED = 60
"""Tickets the demo begins with."""


def counted(backend: Backend) -> dict[str, int]:
    store = open_store(backend)
    try:
        return store.read_now(
            SYSTEM,
            lambda work: {
                table.__name__: work.session.scalar(select(func.count()).select_from(table)) or 0
                for table in (Ticket, Ask, Message)
            },
        )
    finally:
        store.close()


def test_what_is_counted_is_what_the_database_holds(
    blank_backend: Backend, serve: Callable[..., App]
) -> None:
    app = serve(blank_backend, "--demo")
    before = counted(blank_backend)
    assert before["Ticket"] == SEATED
    figures = Figures()
    asyncio.run(simulate(app.url, people=16, seconds=25, seed=3, pace=20, figures=figures))
    after = counted(blank_backend)
    assert figures.errors == {}
    assert figures.counts["opened"] == after["Ticket"] - before["Ticket"] > 0
    assert figures.counts["asks"] == after["Ask"] - before["Ask"]
    # A ticket's first words are a message, too.
    written = figures.counts["messages"] + figures.counts["opened"]
    assert written == after["Message"] - before["Message"]
    assert figures.counts["left_open"] == 0
    assert figures.seconds["delivery"]


def test_where_nothing_answers_it_says_so() -> None:
    with pytest.raises(NotSwarm, match="answers as swarm does"):
        asyncio.run(
            simulate(
                f"http://127.0.0.1:{free_port()}", people=4, seconds=1, seed=1, pace=1, figures=Figures()
            )
        )


def test_without_the_demo_it_says_what_is_needed(backend: Backend, serve: Callable[..., App]) -> None:
    app = serve(backend)
    with pytest.raises(NotSwarm, match="no demo: say with --accounts"):
        asyncio.run(simulate(app.url, people=4, seconds=1, seed=1, pace=1, figures=Figures()))


def test_with_accounts_they_come_to_any_server(
    town: Town, backend: Backend, serve: Callable[..., App]
) -> None:
    hashed = hash_of(PASSWORD)

    def let_in(work: Work) -> list[str]:
        people = [work.session.get_one(Person, town.people[name]) for name in ("ada", "ben", "hugo", "ina")]
        for person in people:
            set_password(work, person.id, hashed)
        return [person.email for person in people]

    emails = town.do("root", let_in)
    app = serve(backend, env={"SWARM_LIMITS__OPENING_PER_MINUTE": "1000"})
    figures = Figures()
    given = [Account(one, "/sign-in", {"email": one, "password": PASSWORD}) for one in emails]
    asyncio.run(simulate(app.url, people=8, seconds=20, seed=2, pace=20, figures=figures, given=given))
    assert figures.errors == {}
    assert figures.counts["opened"] and figures.counts["messages"]
    wrong = [Account(emails[0], "/sign-in", {"email": emails[0], "password": "another"})]
    with pytest.raises(NotSwarm, match="with this password alone"):
        asyncio.run(simulate(app.url, people=4, seconds=1, seed=1, pace=1, figures=Figures(), given=wrong))
