"""Who loses a right gets no frame later than three seconds after, on every worker, with Redis or without."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.rights import LOSSES, Scene, Watching
from tests.support import servers
from tests.support.app import App
from tests.support.backends import Backend, PostgresMaker, SqliteMaker
from tests.support.servers import RedisServer
from tests.support.town import build, open_store

pytestmark = pytest.mark.fault

MOST = 3.0
"""Seconds between the loss and the last frame."""
LOOSE = {
    "SWARM_LIMITS__POSTS_PER_MINUTE": "1000000",
    "SWARM_LIVE__SOCKETS_PER_PERSON": "100",
    "SWARM_LIVE__DRAIN_SECONDS": "0",
}
PATIENCE = 30.0


@dataclass
class House:
    """Workers over one database."""

    backend: Backend
    workers: Sequence[App]
    redis: RedisServer | None


@pytest.fixture(scope="module")
def three(postgres_server: servers.Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Three workers on PostgreSQL and a Redis of their own."""
    home = tmp_path_factory.mktemp("three")
    with ExitStack() as stack:
        redis = stack.enter_context(servers.redis())
        backend = PostgresMaker(stack.enter_context(servers.postgres()), redis).make()
        workers = [stack.enter_context(App(backend, home, env=LOOSE)) for _worker in range(3)]
        yield House(backend, workers, redis)


async def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited too long"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def busy(scene: Scene) -> AsyncIterator[None]:
    """Everybody watches, and messages come all the time."""
    watchers = [*scene.losing, *scene.staying]
    tasks = [asyncio.create_task(one.run()) for one in watchers]
    posting = asyncio.create_task(scene.post_forever())
    try:
        await until(lambda: all(len(one.frames) > 3 for one in watchers))
        yield
    finally:
        scene.posting = False
        await posting
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def lose(scene: Scene) -> dict[str, float]:
    """One after the other, through doors of the first worker and the command line; when each happened."""
    for loss in LOSSES.values():
        await asyncio.to_thread(loss, scene)
    return {name: await asyncio.to_thread(scene.lost_at, name) for name in LOSSES}


async def go_on(watchers: Sequence[Watching], seconds: float) -> None:
    """Until those who stay have been shown messages for so long."""
    since = time.time()
    await until(lambda: all(one.frames[-1][0] > since + seconds for one in watchers))


def delays(scene: Scene, lost: dict[str, float]) -> dict[tuple[str, int], float]:
    """Seconds from each loss to the last frame, by person and worker."""
    return {(one.name, one.worker): one.frames[-1][0] - lost[one.name] for one in scene.losing}


async def nobody_sees_on(scene: Scene) -> None:
    async with busy(scene):
        lost = await lose(scene)
        await go_on(scene.staying, MOST + 1)
    seen = delays(scene, lost)
    print("last frame after the loss, seconds:", {key: round(at, 2) for key, at in sorted(seen.items())})
    print("largest:", round(max(seen.values()), 2))
    assert max(seen.values()) <= MOST, seen
    assert all(one.sent_away for one in scene.losing), [one for one in scene.losing if not one.sent_away]


@pytest.mark.parametrize("redis", ["alive", "frozen", "killed"])
def test_on_three_workers_nobody_sees_on(redis: str, three: House) -> None:
    store = open_store(three.backend)
    scene = Scene.open(build(store), three.backend, three.workers)
    assert three.redis is not None

    async def play() -> None:
        assert three.redis is not None
        if redis == "frozen":
            three.redis.freeze()
        if redis == "killed":
            three.redis.kill()
        await nobody_sees_on(scene)

    try:
        asyncio.run(play())
    finally:
        store.close()
        if redis == "killed":
            three.redis.start()
        three.redis.thaw()


def test_on_sqlite_nobody_sees_on(sqlite_maker: SqliteMaker, tmp_path: Path) -> None:
    backend = sqlite_maker.make(tmp_path)
    store = open_store(backend)
    with App(backend, tmp_path, env=LOOSE) as worker:
        asyncio.run(nobody_sees_on(Scene.open(build(store), backend, [worker])))
    store.close()


def test_a_worker_that_stood_still_wakes_and_tells_them_nothing(three: House) -> None:
    store = open_store(three.backend)
    scene = Scene.open(build(store), three.backend, three.workers)
    asleep = three.workers[2]

    async def play() -> None:
        async with busy(scene):
            asleep.freeze()
            try:
                lost = await lose(scene)
                await go_on(scene.staying[:2], MOST + 0.5)
                woken = time.time()
            finally:
                asleep.thaw()
            await go_on(scene.staying, 1)
            async with asyncio.timeout(PATIENCE):
                while not all(one.sent_away for one in scene.losing):
                    await go_on(scene.staying, 0.2)
        seen = delays(scene, lost)
        print("largest elsewhere:", round(max(at for key, at in seen.items() if key[1] < 2), 2))
        late = [one for one in scene.losing if one.worker == 2 and one.frames[-1][0] > woken]
        assert late == []

    asyncio.run(play())
    store.close()
