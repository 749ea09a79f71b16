"""Everything that is done to a running desk, by name."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import psutil
import psycopg

from tests.faults.launch import POINTS
from tests.faults.meanwhile import HEALED, doorbell_works, fetched, without_redis
from tests.faults.pages import ANSWER, PAUSE, Follower, Seat
from tests.faults.proxy import Mode, Proxy
from tests.faults.running import DidNotStrike, Fault, Run, end
from tests.support.processes import DidNotStart

LONGER = ANSWER + 2.0
"""Seconds, more than a page waits for an answer."""
CROWD = 40
"""Pages in a storm."""


async def nothing(run: Run) -> None:
    await run.pause(1)


# Workers.


async def kill_a_worker(run: Run) -> None:
    for _again in range(2):
        worker = run.dice.choice(run.workers)
        await asyncio.to_thread(worker.kill)
        await run.pause(0.5)
        await run.start(worker)


async def die_at(point: str, run: Run) -> None:
    worker = run.dice.choice(run.workers)
    worker.die_at(point, run.dice.randrange(15, 40))
    await asyncio.to_thread(worker.stop)
    with contextlib.suppress(DidNotStart):
        await run.start(worker)
    for follower in run.watchers:
        follower.go_home()
    dead = await run.until(lambda: worker.process is not None and worker.process.poll() is not None, HEALED)
    worker.heal()
    await asyncio.to_thread(worker.stop)
    await run.start(worker)
    if not dead:
        raise DidNotStrike(f"nobody came to the instruction {point}")


async def freeze_a_worker(run: Run) -> None:
    worker = run.dice.choice(run.workers)
    worker.freeze()
    await run.pause(LONGER)
    worker.thaw()


async def restart_the_workers(run: Run) -> None:
    for worker in run.workers:
        await asyncio.to_thread(worker.stop)
        await run.start(worker)


# Lines between pages and workers.


async def black_hole(run: Run) -> None:
    await _all(run, "black hole", LONGER)


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
        await _all(run, mode, 2)


async def slow_readers(run: Run) -> None:
    """Two leave unread what is sent, until it is too much for the server."""
    slow = run.dice.sample([one for one in run.watchers if one.stream == f"room:{run.rooms[0]}"], 2)
    wordy = [one for one in run.writers if one.ticket == run.rooms[0]]
    others = [one for one in run.watchers if one.stream == slow[0].stream and one not in slow]
    before = {one: one.connections for one in slow}
    for writer in wordy:
        writer.padding, writer.pause = 18_000, 0.0
    try:
        # What the kernel holds on the way grows with what went before.
        for more in (100, 200, 400):
            first = others[0].cursor
            for one in slow:
                one.reads.clear()
            await run.until(lambda: others[0].cursor > first + more, HEALED)  # noqa: B023
            for one in slow:
                one.reads.set()
            if await run.until(lambda: any(one.connections > before[one] for one in slow), 5):
                return
    finally:
        for writer in wordy:
            writer.padding, writer.pause = 0, PAUSE
    raise DidNotStrike("no slow reader was cut")


async def storm(run: Run) -> None:
    """Many come at once, are cut at once and come back at once."""
    ina = await asyncio.to_thread(run.session, "ina")
    crowd = [
        Follower(
            f"one of the crowd at {run.now():.0f} s ({place})", run.seat(ina, room, place), f"room:{room}"
        )
        for place, room in enumerate(run.rooms * (CROWD // len(run.rooms)))
    ]
    following = [asyncio.create_task(one.run()) for one in crowd]
    try:
        run.broken += [f"in the storm: {one}" for one in await run.caught_up(crowd, HEALED)]
        for _again in range(2):
            for proxy in run.proxies:
                proxy.reset()
            await run.pause(0.5)
        run.broken += [f"after the storm: {one}" for one in await run.caught_up(crowd, HEALED)]
    finally:
        await end(*following)
    for one in crowd:
        one.watcher.until = max(one.cursor, 0)
    run.closed += crowd


# Redis.


async def freeze_redis(run: Run) -> None:
    assert run.redis is not None
    await without_redis(run, run.redis.freeze)
    run.redis.thaw()
    await doorbell_works(run)


async def kill_redis(run: Run) -> None:
    assert run.redis is not None
    await without_redis(run, run.redis.kill)
    await run.start(run.redis)
    await doorbell_works(run)


async def flush_redis(run: Run) -> None:
    assert run.redis is not None
    for _again in range(3):
        await asyncio.to_thread(run.redis.flush)
        await run.pause(0.5)


async def cut_subscribers(run: Run) -> None:
    assert run.redis is not None
    for _again in range(3):
        await asyncio.to_thread(run.redis.cut_subscribers)
        await run.pause(0.7)


async def redis_behind_a_black_hole(run: Run) -> None:
    line = _redis_line(run)
    line.set("black hole")
    await run.pause(LONGER)
    line.set("pass")
    await doorbell_works(run)


async def cut_redis(run: Run) -> None:
    line = _redis_line(run)
    for _again in range(2):
        line.reset()
        await run.pause(0.5)
        line.half_close()
        await run.pause(0.5)
    await doorbell_works(run)


# The database.


async def restart_postgres(run: Run) -> None:
    """As when its machine loses power: nothing is finished, what was flushed is found again."""
    assert run.postgres is not None and run.postgres.process is not None
    run.postgres.process.send_signal(signal.SIGQUIT)
    await asyncio.to_thread(run.postgres.process.wait, 30)
    await run.pause(1)
    await run.start(run.postgres)


async def freeze_a_backend(run: Run) -> None:
    """The database's process that serves a worker stops in the middle of what it does."""
    for seconds in (LONGER, 1.0):
        worker = run.dice.choice(run.workers)
        backend = await asyncio.to_thread(_busiest_backend, run, worker.pid)
        backend.suspend()
        await run.pause(seconds)
        backend.resume()
        await run.pause(0.5)


async def kill_a_backend(run: Run) -> None:
    """The database ends every connection of a worker."""
    worker = run.dice.choice(run.workers)
    pids = await asyncio.to_thread(_backends, run, worker.pid)
    assert run.postgres is not None
    for pid in pids:
        await asyncio.to_thread(run.postgres.run, f"SELECT pg_terminate_backend({pid})")


async def fill_the_disk(run: Run) -> None:
    """Writing is refused, reading goes on."""
    assert run.disk is not None
    before = sum(writer.refusals for writer in run.writers)
    cookie = await asyncio.to_thread(run.session, "mona")
    await asyncio.to_thread(run.disk.fill, run.workers)
    try:
        if not await run.until(lambda: sum(one.refusals for one in run.writers) > before + 5, HEALED):
            raise DidNotStrike("nobody noticed that the disk was full")
        for worker in run.workers:
            await fetched(run, Seat([worker.url], cookie, f"/tickets/{run.rooms[0]}"), "a full disk")
        await run.pause(2)
    finally:
        await asyncio.to_thread(run.disk.free, run.workers)


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault, what it is done to, and the part of a house it needs."""

    do: Fault
    to: str
    needs: str = ""


WORKERS, LINES, REDIS, DATABASE, DISK = "workers", "lines", "Redis", "the database", "the disk"
STRIKES: dict[str, Strike] = {
    "nothing": Strike(nothing, LINES),
    "a worker is killed": Strike(kill_a_worker, WORKERS),
    **{f"kill -9 {point}": Strike(partial(die_at, point), WORKERS) for point in POINTS},
    "a worker is frozen": Strike(freeze_a_worker, WORKERS),
    "the workers are restarted": Strike(restart_the_workers, WORKERS),
    "the line swallows everything": Strike(black_hole, LINES),
    "the line is cut": Strike(cut, LINES),
    "the line is half closed": Strike(half_close, LINES),
    "the line is slow": Strike(slow_line, LINES),
    "readers are slow": Strike(slow_readers, LINES),
    "a storm of reconnects": Strike(storm, LINES),
    "Redis is frozen": Strike(freeze_redis, REDIS, "redis"),
    "Redis is killed": Strike(kill_redis, REDIS, "redis"),
    "Redis is flushed": Strike(flush_redis, REDIS, "redis"),
    "subscriptions are cut": Strike(cut_subscribers, REDIS, "redis"),
    "the line to Redis swallows everything": Strike(redis_behind_a_black_hole, REDIS, "redis"),
    "the line to Redis is cut": Strike(cut_redis, REDIS, "redis"),
    "PostgreSQL is restarted": Strike(restart_postgres, DATABASE, "postgres"),
    "a database backend is frozen": Strike(freeze_a_backend, DATABASE, "postgres"),
    "database connections are ended": Strike(kill_a_backend, DATABASE, "postgres"),
    "the disk is full": Strike(fill_the_disk, DISK, "disk"),
}


def fitting(run: Run, *to: str) -> list[str]:
    """The names of what can be done here, to these or to all."""
    return [
        name
        for name, strike in STRIKES.items()
        if (not to or strike.to in to) and (not strike.needs or getattr(run, strike.needs) is not None)
    ]


def drawn(run: Run, names: Sequence[str]) -> Iterator[tuple[str, Fault]]:
    """Each of these once, in an order that the seed decides."""
    for name in random.Random(run.seed).sample(names, len(names)):
        yield name, STRIKES[name].do


async def _all(run: Run, mode: Mode, seconds: float) -> None:
    for proxy in run.proxies:
        proxy.set(mode)
    await run.pause(seconds)
    for proxy in run.proxies:
        proxy.set("pass")


def _redis_line(run: Run) -> Proxy:
    assert run.redis_line is not None
    return run.redis_line


def _backends(run: Run, pid: int) -> list[int]:
    """The database's processes that serve this worker, the one used last first."""
    assert run.postgres is not None
    ports = [
        one.laddr.port
        for one in psutil.Process(pid).net_connections("tcp")
        if one.raddr and one.raddr.port == run.postgres.port
    ]
    with psycopg.connect(run.postgres.dsn("postgres")) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE client_port = ANY(%s) ORDER BY state_change DESC", [ports]
        )
        return [row[0] for row in rows]


def _busiest_backend(run: Run, pid: int) -> psutil.Process:
    pids = _backends(run, pid)
    if not pids:
        raise DidNotStrike("the database serves nobody")
    return psutil.Process(pids[0])
