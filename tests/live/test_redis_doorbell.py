"""The doorbell between workers, with a real Redis that is frozen, killed and late."""

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from swarm.live.doorbell_redis import RedisDoorbell
from swarm.live.limits import Limits
from tests.faults.proxy import proxied
from tests.live.house import Doors, MemoryLog, Page, Worker, until, worker
from tests.support import servers
from tests.support.processes import free_port

SLOW_HEADS = Limits(heads_every=60, presence_grace=0.2)
FAST_HEADS = Limits(heads_every=0.2)


def house() -> tuple[MemoryLog, Doors]:
    log, doors = MemoryLog(), Doors()
    doors.let_in("ann", "person:1", ["room:1"])
    doors.let_in("bob", "person:2", ["room:1"])
    return log, doors


@asynccontextmanager
async def two(log: MemoryLog, doors: Doors, url: str, limits: Limits) -> AsyncIterator[tuple[Worker, Worker]]:
    def bell() -> RedisDoorbell:
        return RedisDoorbell(url, probe=0.3, silent=1.5)

    async with (
        worker(log, doors, doorbell=bell(), limits=limits) as one,
        worker(log, doors, doorbell=bell(), limits=limits) as other,
    ):
        yield one, other


def are_here(page: Page, count: int) -> bool:
    told = page.of("presence")
    return bool(told) and len(told[-1]["here"]) == count


async def proved(*workers: Worker) -> None:
    await until(lambda: all(one.hub.doorbell.age() < 0.7 and one.hub.doorbell._proved > 0 for one in workers))  # type: ignore[attr-defined]


async def test_a_commit_on_one_worker_shows_on_the_other() -> None:
    log, doors = house()
    with servers.redis() as redis:
        async with two(log, doors, redis.url, SLOW_HEADS) as (one, other):
            await proved(one, other)
            async with one.page() as ann, other.page("bob") as bob:
                await ann.live(room_1=0)
                await bob.live(room_1=0)
                reads = log.reads
                one.hub.ring([log.append("room:1", "hello")])
                await bob.until(lambda: bob.numbers("room:1") == [1])
                await ann.until(lambda: ann.numbers("room:1") == [1])
                # What the ring carried was the next number: nobody asked the log.
                assert log.reads == reads
                other.hub.ring([log.append("room:1", "x" * 10_000)])
                await ann.until(lambda: ann.numbers("room:1") == [1, 2])
                await bob.until(lambda: bob.numbers("room:1") == [1, 2])


async def test_presence_and_typing_cross_the_workers() -> None:
    log, doors = house()
    with servers.redis() as redis:
        async with two(log, doors, redis.url, SLOW_HEADS) as (one, other):
            await proved(one, other)
            async with one.page() as ann:
                await ann.live(room_1=0)
                async with other.page("bob") as bob:
                    await bob.live(room_1=0)
                    for page in (ann, bob):
                        await page.until(functools.partial(are_here, page, 2))
                    await bob.say(t="typing", s="room:1")
                    await ann.until(lambda: ann.of("typing"))
                await ann.until(lambda: are_here(ann, 1))


async def test_a_frozen_redis_is_noticed_and_the_log_goes_on() -> None:
    log, doors = house()
    with servers.redis() as redis:
        async with two(log, doors, redis.url, FAST_HEADS) as (one, other):
            await proved(one, other)
            async with one.page() as ann, other.page("bob") as bob:
                await ann.live(room_1=0)
                await bob.live(room_1=0)
                redis.freeze()
                one.hub.ring([log.append("room:1", "while frozen")])
                await bob.until(lambda: bob.numbers("room:1") == [1])
                await until(lambda: other.hub.doorbell.age() > 2)
                async with other.page() as late:
                    await late.live(room_1=0)
                redis.thaw()
                await proved(one, other)
                one.hub.ring([log.append("room:1", "thawed")])
                await bob.until(lambda: bob.numbers("room:1") == [1, 2])


async def test_a_killed_redis_comes_back_and_what_was_missed_is_read_again() -> None:
    log, doors = house()
    with servers.redis() as redis:
        async with two(log, doors, redis.url, SLOW_HEADS) as (one, other):
            await proved(one, other)
            async with other.page("bob") as bob:
                await bob.live(room_1=0)
                redis.kill()
                await until(lambda: other.hub.doorbell._pubsub is None)  # type: ignore[attr-defined]
                one.hub.ring([log.append("room:1", "lost ring")])
                redis.start()
                # Heads are compared once a minute here: the new subscription alone makes it read.
                await bob.until(lambda: bob.numbers("room:1") == [1], 20)


async def test_a_redis_that_is_down_at_the_start_delays_nobody() -> None:
    log, doors = house()
    url = f"redis://127.0.0.1:{free_port()}/0"
    async with (
        two(log, doors, url, FAST_HEADS) as (one, other),
        asyncio.timeout(5),
        one.page() as ann,
        other.page("bob") as bob,
    ):
        await ann.live(room_1=0)
        await bob.live(room_1=0)
        one.hub.ring([log.append("room:1", "x")])
        await bob.until(lambda: bob.numbers("room:1") == [1])


async def test_a_reset_line_is_a_lost_batch_and_no_error() -> None:
    log, doors = house()
    with servers.redis() as redis:
        async with proxied(redis.port) as line:
            bell = RedisDoorbell(f"redis://127.0.0.1:{line.port}", probe=0.3, silent=1.5)
            async with worker(log, doors, doorbell=bell, limits=SLOW_HEADS) as one:
                await proved(one)
                line.reset()
                await until(lambda: bell.counts["reconnections"] and bell.counts["lost_batches"])
                proven = bell._proved
                await until(lambda: bell._proved > proven)
