"""`swarm simulate`: people come to a demo by its doors, and what is printed is what happened there."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from swarm.events import SYSTEM
from swarm.rooms.models import Ask
from swarm.simulation import Figures, NotSwarm, simulate
from swarm.tickets.models import Message, Ticket
from tests.support.app import App
from tests.support.backends import Backend
from tests.support.processes import free_port
from tests.support.town import open_store

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


def test_they_come_to_a_demo_only(backend: Backend, serve: Callable[..., App]) -> None:
    app = serve(backend)
    with pytest.raises(NotSwarm, match="no demo"):
        asyncio.run(simulate(app.url, people=4, seconds=1, seed=1, pace=1, figures=Figures()))
