"""A right that was given in a commit that failed gives nobody anything later."""

from __future__ import annotations

import asyncio
import errno
import threading

import pytest
from sqlalchemy import event

from swarm.accounts.actions import key_of, start_session
from swarm.events import SYSTEM
from swarm.live.ports import PostRefused, Viewer
from swarm.people.actions import name_duty_lead, set_profile
from swarm.settings import Settings
from swarm.store import ReadOnly, Work
from swarm.tickets.actions import take
from swarm.watching import PostFrame
from tests.support.backends import Backend
from tests.support.town import build, open_store

pytestmark = pytest.mark.anyio
PATIENCE = 10.0


async def test_a_colleague_let_in_by_a_commit_that_failed_stays_outside(sqlite_backend: Backend) -> None:
    store = open_store(sqlite_backend)
    town = build(store)
    dov, hive = town.people["dov"], town.teams["hive"]
    ticket = town.open("hive")
    town.act("ina", take, ticket)
    secret = store.write_now(SYSTEM, lambda work: start_session(work, dov, days=14, idle_hours=12))
    post = PostFrame(store, Settings())
    viewer = Viewer(key_of(secret), f"person:{dov}", "Dov", "staff", "en", 1)
    busy, go = threading.Event(), threading.Event()

    def hold(_work: Work) -> None:
        busy.set()
        assert go.wait(PATIENCE)

    def no_room(_connection: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    # One commit: dov is let in, dov writes, and there is no room for either.
    held = store._submit(SYSTEM, hold)
    assert await asyncio.to_thread(busy.wait, PATIENCE)
    let_in = store._submit(SYSTEM, lambda work: name_duty_lead(work, hive, dov))
    answer = asyncio.ensure_future(post(viewer, f"room:{ticket}", "one", "Am I in?"))
    while store._queue.qsize() < 2:  # noqa: ASYNC110
        await asyncio.sleep(0)
    held.add_done_callback(lambda _held: event.listen(store._writing, "commit", no_room))
    go.set()
    with pytest.raises(PostRefused) as refused:
        await answer
    assert refused.value.status == 503
    with pytest.raises(ReadOnly):
        let_in.result(PATIENCE)
    event.remove(store._writing, "commit", no_room)
    store.writing.works()

    # Their rights move as often as they would have moved, and elsewhere.
    store.write_now(SYSTEM, lambda work: set_profile(work, dov, name="Dov", language="en", timezone="UTC"))
    with pytest.raises(PostRefused, match="no such ticket") as refused:
        await post(viewer, f"room:{ticket}", "two", "Am I in?")
    assert refused.value.status == 404
    store.close()
