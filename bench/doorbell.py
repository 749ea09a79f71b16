"""What a ring costs between workers, beside a bare publish and receive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from redis.asyncio import Redis

from bench.databases import Databases
from bench.figures import Figure
from swarm.live.doorbell_redis import RedisDoorbell
from swarm.store import Entry
from tests.support.servers import redis

RINGS = 20_000
TOGETHER = 20
"""Rings of one turn."""


class _Ear:
    def __init__(self) -> None:
        self.count = 0
        self.news = asyncio.Event()

    def heard(self, stream: str, seq: int, entry: Entry | None) -> None:
        self.count += 1
        self.news.set()

    def reread(self, streams: Collection[str]) -> None:
        """Said when the subscription stands."""

    def signal(self, stream: str, message: Mapping[str, Any]) -> None:
        """Nobody types here."""

    async def until(self, count: int) -> None:
        while self.count < count:
            self.news.clear()
            await self.news.wait()


def measure(databases: Databases, home: Path) -> Iterator[Figure]:
    """One worker rings, another hears; both in this process, Redis in its own."""
    with redis() as server:
        ours = asyncio.run(_ours(server.url, server.pid))
        bare = asyncio.run(_bare(server.url, server.pid))
    for what, mine, theirs in zip(
        ("a ring, told and heard: processor of the two workers", "  of Redis"), ours, bare, strict=True
    ):
        yield Figure(
            what=what, ours=f"{mine * 1e6:.1f} µs", reference=f"{theirs * 1e6:.1f} µs", ratio=mine / theirs
        )


async def _ours(url: str, pid: int) -> tuple[float, float]:
    one, other, ear = RedisDoorbell(url), RedisDoorbell(url), _Ear()
    await one.start(_Ear())
    await other.start(ear)
    await other.ensure(["room:1"])
    await _subscribed(one, ear)
    server, base, cpu = psutil.Process(pid), ear.count, time.process_time()
    redis_cpu = _used(server)
    for start in range(0, RINGS, TOGETHER):
        one.ring([_entry(start + place) for place in range(TOGETHER)])
        await ear.until(base + start + TOGETHER)
    spent = time.process_time() - cpu, _used(server) - redis_cpu
    await one.stop()
    await other.stop()
    return spent[0] / RINGS, spent[1] / RINGS


async def _subscribed(one: RedisDoorbell, ear: _Ear) -> None:
    for _try in range(100):
        one.ring([_entry(0)])
        try:
            await asyncio.wait_for(ear.until(1), 0.2)
        except TimeoutError:
            continue
        return
    raise TimeoutError("the bell is not heard")


async def _bare(url: str, pid: int) -> tuple[float, float]:
    async with Redis.from_url(url) as publisher, Redis.from_url(url) as listener, listener.pubsub() as heard:
        await heard.subscribe("bell")
        await heard.get_message(timeout=5)
        server, data, cpu = psutil.Process(pid), b"x" * 150, time.process_time()
        redis_cpu = _used(server)
        for _turn in range(RINGS // TOGETHER):
            async with publisher.pipeline(transaction=False) as pipe:
                for _each in range(TOGETHER):
                    pipe.publish("bell", data)
                await pipe.execute()
            for _each in range(TOGETHER):
                await heard.get_message(ignore_subscribe_messages=True, timeout=5)
        return (time.process_time() - cpu) / RINGS, (_used(server) - redis_cpu) / RINGS


def _entry(seq: int) -> Entry:
    data = {"ticket_id": 1, "message_id": seq}
    return Entry("room:1", seq, "room.message_posted", datetime.now(UTC), "person:7", data)


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
