"""Rooms lose, double and reorder nothing while parts of the house are killed, frozen, cut and restarted."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.history import findings
from tests.faults.launch import MUTANTS, POINTS, Altered
from tests.faults.proxy import Mode
from tests.faults.running import LOOSE, Fault, Run, play, report
from tests.support import servers
from tests.support.app import App
from tests.support.backends import Backend, PostgresMaker, SqliteMaker

pytestmark = pytest.mark.fault

SEED = int(os.environ.get("SWARM_TEST_SEED", "0")) or random.randrange(1, 10**6)


async def nothing(run: Run) -> None:
    await run.pause(1)


async def kill_a_worker(run: Run) -> None:
    for _again in range(2):
        worker = run.dice.choice(run.workers)
        worker.kill()
        await run.pause(0.5)
        await run.start(worker)
        await run.pause(0.5)


async def freeze_a_worker(run: Run) -> None:
    worker = run.dice.choice(run.workers)
    worker.freeze()
    await run.pause(3)
    worker.thaw()


async def black_hole(run: Run) -> None:
    for proxy in run.proxies:
        proxy.set("black hole")
    await run.pause(5)
    for proxy in run.proxies:
        proxy.set("pass")


async def cut(run: Run) -> None:
    for _again in range(5):
        for proxy in run.proxies:
            proxy.reset()
        await run.pause(0.4)


async def half_close(run: Run) -> None:
    for _again in range(3):
        for proxy in run.proxies:
            proxy.half_close()
        await run.pause(0.7)


async def slow_line(run: Run) -> None:
    modes: tuple[Mode, ...] = ("delay", "throttle")
    for mode in modes:
        for proxy in run.proxies:
            proxy.set(mode)
        await run.pause(2)
    for proxy in run.proxies:
        proxy.set("pass")


EVERYWHERE: dict[str, Fault] = {
    "nothing": nothing,
    "a worker is killed": kill_a_worker,
    "a worker is frozen": freeze_a_worker,
    "the line swallows everything": black_hole,
    "the line is cut": cut,
    "the line is half closed": half_close,
    "the line is slow": slow_line,
}


@pytest.fixture
def sqlite_run(sqlite_maker: SqliteMaker, tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """One worker on SQLite."""
    with ExitStack() as stack:

        def made(start: Callable[[Backend], App] = lambda backend: App(backend, tmp_path, env=LOOSE)) -> Run:
            backend = sqlite_maker.make(tmp_path)
            worker = stack.enter_context(start(backend))
            return Run(backend, [worker], [], None, None, SEED)

        yield made


@pytest.fixture
def postgres_run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Three workers on a PostgreSQL and a Redis of their own."""
    with ExitStack() as stack:

        def made(start: Callable[[Backend], App] = lambda backend: App(backend, tmp_path, env=LOOSE)) -> Run:
            postgres = stack.enter_context(servers.postgres(durable=True))
            redis = stack.enter_context(servers.redis())
            backend = PostgresMaker(postgres, redis).make()
            workers = [stack.enter_context(start(backend)) for _worker in range(3)]
            return Run(backend, workers, [], postgres, redis, SEED)

        yield made


@pytest.mark.parametrize("name", EVERYWHERE)
def test_one_worker_on_sqlite_keeps_every_promise_while(name: str, sqlite_run: Callable[..., Run]) -> None:
    history = asyncio.run(play(sqlite_run(), EVERYWHERE[name]))
    assert findings(history) == [], report(history, SEED)
    assert sum(call.outcome == "ok" for call in history.calls) > 20, "the run says something"


def healed(worker: App) -> bool:
    return isinstance(worker, Altered) and worker.command is worker.unaltered


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@pytest.mark.parametrize("point", POINTS)
def test_kill_nine_strikes_at_the_worst_instruction(
    point: str, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    dice = random.Random(SEED)

    def start(backend: Backend) -> App:
        return Altered(backend, tmp_path, point, dice.randrange(30, 60), env=LOOSE)

    run = request.getfixturevalue(f"{kind}_run")(start)

    async def comes_back(run: Run) -> None:
        for _second in range(100):
            for worker in run.workers:
                assert isinstance(worker, Altered) and worker.process is not None
                if worker.process.poll() is not None:
                    worker.heal()
                    await run.start(worker)
            await asyncio.sleep(0.1)
            if all(healed(worker) for worker in run.workers):
                return

    history = asyncio.run(play(run, comes_back))
    assert any(healed(worker) for worker in run.workers), "nobody was killed"
    assert findings(history) == [], report(history, SEED)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_caught(mutant: str, sqlite_run: Callable[..., Run], tmp_path: Path) -> None:
    async def strike(run: Run) -> None:
        await cut(run)
        await kill_a_worker(run)

    history = asyncio.run(
        play(sqlite_run(lambda backend: Altered(backend, tmp_path, mutant, env=LOOSE)), strike, heals=False)
    )
    assert findings(history), f"nobody noticed: {mutant}; {report(history, SEED)}"
