"""A turn that fails answers everybody in it, and soon."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from swarm.events import SYSTEM
from swarm.live.ports import Viewer
from swarm.settings import Settings
from swarm.store import Store
from swarm.tickets.actions import take
from swarm.watching import PostFrame
from tests.support.town import Town

pytestmark = pytest.mark.anyio
FIVE = 5


@pytest.fixture
def ticket(town: Town) -> int:
    ticket = town.open("hive")
    town.act("hugo", take, ticket)
    return ticket


def viewer(town: Town) -> Viewer:
    id_ = f"person:{town.people['hugo']}"
    return Viewer(key="nobody", id=id_, name="Hugo", audience="staff", language="en", stamp=1)


def failing(
    store: Store, monkeypatch: pytest.MonkeyPatch, outcome: Callable[[asyncio.Future[Any]], None]
) -> list[int]:
    """Every write fails so from here on; grows with each that was begun."""
    begun: list[int] = []

    def begin(*_what: object) -> asyncio.Future[Any]:
        begun.append(1)
        made: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        outcome(made)
        return made

    monkeypatch.setattr(store, "begin", begin)
    return begun


def away() -> OperationalError:
    return OperationalError("COMMIT", {}, psycopg.OperationalError("the database is away"))


async def five(post: PostFrame, town: Town, ticket: int) -> list[Any]:
    said = [post(viewer(town), f"room:{ticket}", f"client-{number}", "Hello") for number in range(FIVE)]
    return await asyncio.wait_for(asyncio.gather(*said, return_exceptions=True), 5)


async def test_where_the_database_is_away_nobody_waits_for_each_of_the_others(
    town: Town, ticket: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = failing(town.store, monkeypatch, lambda future: future.set_exception(away()))
    answers = await five(PostFrame(town.store, Settings()), town, ticket)
    assert [type(answer) for answer in answers] == [OperationalError] * FIVE
    assert len(begun) == 2, "together, and one alone"


async def test_a_fault_of_one_message_is_looked_for_one_by_one(
    town: Town, ticket: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = failing(town.store, monkeypatch, lambda future: future.set_exception(ValueError("broken")))
    answers = await five(PostFrame(town.store, Settings()), town, ticket)
    assert [type(answer) for answer in answers] == [ValueError] * FIVE
    assert len(begun) == 1 + FIVE


async def test_whoever_ends_the_turn_everybody_in_it_is_answered(
    town: Town, ticket: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = PostFrame(town.store, Settings())
    begun = asyncio.Event()
    failing(town.store, monkeypatch, lambda _future: begun.set())
    waiting = asyncio.ensure_future(five(post, town, ticket))
    await begun.wait()
    # So that it waits for the transaction.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert post._writing is not None
    post._writing.cancel()
    assert [type(answer) for answer in await waiting] == [RuntimeError] * FIVE


async def test_a_system_without_threads_left_is_said_to_who_wrote(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_what: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(town.store._writers, "submit", none_left)
    writing = town.store.begin(SYSTEM, lambda _work: "done")
    if town.store.is_sqlite:
        assert await writing == "done", "its one writer runs from the start"
        return
    with pytest.raises(RuntimeError, match="new thread"):
        await writing
