"""One run: writers and watchers at several workers, a fault in the middle, and everything that was said."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from sqlalchemy import select

from swarm.accounts.actions import exchange, make_link, start_session
from swarm.events import SYSTEM
from swarm.store import Store, Work, log
from swarm.store.tables import EventRow
from swarm.tickets import actions as tickets
from swarm.tickets.models import Message, Ticket
from tests.faults.history import History, Row, findings
from tests.faults.pages import BROKEN, Follower, Seat, Writer, messages, plain
from tests.faults.proxy import Proxy, proxied
from tests.support.app import App
from tests.support.backends import Backend
from tests.support.processes import Program
from tests.support.servers import Postgres, RedisServer
from tests.support.town import build, open_store

ROOMS = 2
LOOSE = {
    "SWARM_LIMITS__POSTS_PER_MINUTE": "1000000",
    "SWARM_LIVE__POSTS_PER_SECOND": "10000",
    "SWARM_LIVE__FRAMES_PER_SECOND": "10000",
    "SWARM_LIVE__SOCKETS_PER_PERSON": "1000",
    "SWARM_LIVE__PROBE_SECONDS": "1",
    "SWARM_LIVE__DRAIN_SECONDS": "0.2",
}
"""Writers here are quicker than people, and runs shorter than days."""
SOME = 8
"""Messages that each writer writes before a fault and after it."""
QUIET = 45.0
"""Seconds in which everything must have come together once the faults are over."""


@dataclass
class Run:
    """The parts that a fault may touch."""

    backend: Backend
    workers: Sequence[App]
    proxies: Sequence[Proxy]
    postgres: Postgres | None
    redis: RedisServer | None
    seed: int
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    async def pause(self, seconds: float) -> None:
        """Let pages work for about so long."""
        await asyncio.sleep(seconds * self.dice.uniform(0.7, 1.3))

    async def start(self, program: Program) -> None:
        """Start what ended, while pages go on."""
        program.launch()
        await asyncio.to_thread(program.await_ready)


Fault = Callable[[Run], Awaitable[None]]


async def play(run: Run, fault: Fault, *, heals: bool = True) -> History:
    """Write and watch while the fault strikes; returns when all is quiet again, or time is over.

    `heals`: writers must get on afterwards.
    """
    store = open_store(run.backend)
    try:
        return await _play(run, store, fault, heals)
    finally:
        store.close()


async def _play(run: Run, store: Store, fault: Fault, heals: bool) -> History:
    town = build(store)
    rooms = [town.open("hive") for _room in range(ROOMS)]
    for room in rooms:
        town.act("hugo", tickets.take, room)
    began = time.monotonic()
    direct = [worker.url for worker in run.workers]
    async with AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(proxied(worker.port)) for worker in run.workers]
        run.proxies = proxies
        urls = [proxy.url for proxy in proxies]

        def seat(who: str, room: int, first: int) -> Seat:
            secret = store.write_now(
                SYSTEM, lambda work: start_session(work, town.people[who], days=1, idle_hours=12)
            )
            turned = [urls[(first + place) % len(urls)] for place in range(len(urls))]
            return Seat(turned, f"session={secret}", f"/tickets/{room}")

        def customer(room: int) -> Seat:
            def enter(work: Work) -> str:
                owner = work.session.get_one(Ticket, room).customer_id
                assert owner is not None
                return exchange(work, make_link(work, room, owner, 7), None, 60)[1]

            return Seat(urls, f"case={store.write_now(SYSTEM, enter)}", f"/case/{room}", "/live/case")

        now = lambda: time.monotonic() - began  # noqa: E731
        watchers = [
            Follower(f"watcher {place} of {room}", seat("ina", room, place), f"room:{room}")
            for room in rooms
            for place in range(3)
        ]
        outsiders = [
            Follower(f"customer of {room}", customer(room), f"lane:{room}", f"room:{room}") for room in rooms
        ]
        writers = [
            Writer(f"{room}-{place}", seat("hugo", room, place), room, now, through_socket=place % 2 == 0)
            for room in rooms
            for place in range(3)
        ]
        following = [asyncio.create_task(one.run()) for one in (*watchers, *outsiders)]
        writing = [asyncio.create_task(one.run()) for one in writers]
        try:
            await _written(writers, SOME)
            await fault(run)
            if heals:
                await _written(writers, SOME)
            for writer in writers:
                writer.writing = False
            await asyncio.wait_for(asyncio.gather(*writing), QUIET)
            streams = [f"room:{room}" for room in rooms]
            await _quiet(store, streams, watchers)
            history = History(
                calls=[call for writer in writers for call in writer.calls],
                watchers=[one.watcher for one in watchers],
                outsiders=[one.watcher for one in outsiders],
                inside=["inside "],
                nodes={url: await _shown(seat("mona", rooms[0], 0), url, rooms) for url in direct},
            )
        finally:
            for task in (*following, *writing):
                task.cancel()
            await asyncio.gather(*following, *writing, return_exceptions=True)
    return store.read_now(SYSTEM, lambda work: _stored(work, history, streams))


async def _written(writers: Sequence[Writer], more: int) -> None:
    """Wait until every writer has written so many more; the checker sees what they did where they cannot."""
    wanted = [len(writer.calls) + more for writer in writers]

    async def all_have() -> None:
        for writer, least in zip(writers, wanted, strict=True):
            await writer.has_written(least)

    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(all_have(), QUIET)


async def _quiet(store: Store, streams: Sequence[str], watchers: Sequence[Follower]) -> None:
    """Wait until every page has come to the end of its stream; the checker says what is missing otherwise."""

    async def together() -> None:
        while True:
            heads = await asyncio.to_thread(
                store.read_now, SYSTEM, lambda work: log.heads(work.session, streams)
            )
            if all(one.caught_up and one.cursor == heads[one.stream] for one in watchers):
                return
            await asyncio.sleep(0.1)

    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(together(), QUIET)


async def _shown(seat: Seat, url: str, rooms: Sequence[int]) -> dict[str, list[tuple[int, str]]]:
    """What one node shows of each room."""
    found = {}
    for room in rooms:
        for _try in range(20):
            try:
                async with Seat([url], seat.cookie, "").client() as http:
                    answer = await http.get(f"/tickets/{room}")
                if answer.status_code == 200:
                    break
            except BROKEN:
                pass
            await asyncio.sleep(0.5)
        found[f"room:{room}"] = messages(answer.text.partition(f'id="log-room-{room}"')[2])
    return found


def _stored(work: Work, history: History, streams: Sequence[str]) -> History:
    rows = work.session.execute(
        select(Message.ticket_id, Message.seq, Message.client_id).where(Message.lane == "room")
    )
    history.rows = [
        Row(f"room:{ticket}", seq, plain(id_)) for ticket, seq, id_ in rows if f"room:{ticket}" in streams
    ]
    history.heads = log.heads(work.session, streams)
    numbers: dict[str, list[int]] = {stream: [] for stream in streams}
    for stream, seq in work.session.execute(
        select(EventRow.stream, EventRow.seq)
        .where(EventRow.stream.in_(streams))
        .order_by(EventRow.stream, EventRow.seq)
    ):
        numbers[stream].append(seq)
    history.numbers = numbers
    return history


def report(history: History, seed: int) -> str:
    """What a run came to, in a few words."""
    ended = {kind: sum(call.outcome == kind for call in history.calls) for kind in ("ok", "fail", "info")}
    return f"seed {seed}: {ended}, {len(history.rows)} stored; " + "; ".join(findings(history)[:20])
