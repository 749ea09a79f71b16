"""One run: writers and watchers at some workers, faults one after another, and everything that was said."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Protocol

from sqlalchemy import select

from swarm.accounts.actions import exchange, make_link, start_session
from swarm.events import SYSTEM
from swarm.store import Store, Work, log
from swarm.store.tables import EventRow
from swarm.tickets import actions as tickets
from swarm.tickets.models import Message, Ticket
from tests.faults.history import History, Row, Struck, findings
from tests.faults.launch import Altered
from tests.faults.pages import BROKEN, Follower, Seat, Writer, messages, plain
from tests.faults.proxy import Proxy, proxied
from tests.support.backends import Backend
from tests.support.processes import Program
from tests.support.servers import Postgres, RedisServer
from tests.support.town import Town, build, open_store

ROOMS = 2
LOOSE = {
    "SWARM_LIMITS__POSTS_PER_MINUTE": "1000000",
    "SWARM_LIMITS__SIGN_IN_PER_MINUTE": "1000000",
    "SWARM_LIVE__POSTS_PER_SECOND": "10000",
    "SWARM_LIVE__FRAMES_PER_SECOND": "10000",
    "SWARM_LIVE__SOCKETS_PER_PERSON": "1000",
    "SWARM_LIVE__PROBE_SECONDS": "1",
    "SWARM_LIVE__DRAIN_SECONDS": "0.2",
    "SWARM_LIVE__BUFFER_BYTES": "65536",
    "SWARM_LOG__LEVEL": "warning",
}
"""Writers here are quicker than people, and runs shorter than days."""
SOME = 6
"""Messages that each writer writes before a fault and after it."""
QUIET = 45.0
"""Seconds in which everything must have come together once the faults are over."""


class DidNotStrike(AssertionError):
    """A fault that changed nothing says nothing."""


class Disk(Protocol):
    """What the database is written on."""

    def fill(self, workers: Sequence[Program]) -> None:
        """Leave no room from now on."""
        ...

    def free(self, workers: Sequence[Program]) -> None:
        """Room again."""
        ...


@dataclass
class Run:
    """The parts that a fault may touch."""

    backend: Backend
    start_one: Callable[[Backend], Altered]
    count: int = 1
    """How many workers share the database."""
    postgres: Postgres | None = None
    redis: RedisServer | None = None
    disk: Disk | None = None
    seed: int = 0
    away: float = 14.0
    """Seconds that Redis stays away; the doorbell throws its connections away after twelve."""
    quiet: float = QUIET
    gives_up: float = 0.1
    """The share of messages that writers send once, whatever the answer."""
    dice: random.Random = field(init=False)
    workers: list[Altered] = field(default_factory=list)
    proxies: list[Proxy] = field(default_factory=list)
    """One before each worker."""
    redis_line: Proxy | None = None
    """Between workers and Redis."""
    watchers: list[Follower] = field(default_factory=list)
    closed: list[Follower] = field(default_factory=list)
    """Pages that were closed before the end."""
    writers: list[Writer] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    struck: list[Struck] = field(default_factory=list)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    began: float = field(default_factory=time.monotonic)
    store: Store = field(init=False)
    town: Town = field(init=False)
    rooms: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def now(self) -> float:
        """Seconds on the run's one clock."""
        return time.monotonic() - self.began

    async def pause(self, seconds: float) -> None:
        """Let pages work for about so long."""
        await asyncio.sleep(seconds * self.dice.uniform(0.7, 1.3))

    async def start(self, program: Program) -> None:
        """Start what ended, while pages go on."""
        program.launch()
        await asyncio.to_thread(program.await_ready)

    async def until(self, what: Callable[[], bool], seconds: float) -> bool:
        """Whether it came true in so many seconds."""
        deadline = self.now() + seconds
        while not what():
            if self.now() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    async def heads(self) -> dict[str, int]:
        """How far each room's log goes now."""
        streams = [f"room:{room}" for room in self.rooms]
        return await asyncio.to_thread(
            self.store.read_now, SYSTEM, lambda work: log.heads(work.session, streams)
        )

    async def caught_up(self, followers: Sequence[Follower], seconds: float) -> list[str]:
        """Wait until these show all that is stored now; returns who does not after so many seconds."""
        try:
            heads = await asyncio.wait_for(self.heads(), seconds)
        except TimeoutError:
            return ["the database does not answer"]

        def behind() -> list[Follower]:
            return [one for one in followers if not one.caught_up or one.cursor < heads[one.stream]]

        await self.until(lambda: not behind(), seconds)
        return [f"{one.watcher.name} stands at {one.cursor} of {heads[one.stream]}" for one in behind()]

    async def written(self, more: int) -> bool:
        """Whether every writer wrote so many more before patience ends."""
        wanted = [len(writer.calls) + more for writer in self.writers]
        return await self.until(
            lambda: all(len(one.calls) >= least for one, least in zip(self.writers, wanted, strict=True)),
            self.quiet,
        )

    def session(self, who: str) -> str:
        """A cookie of this person, as signing in gives it."""
        person = self.town.people[who]
        return "session=" + self.store.write_now(
            SYSTEM, lambda work: start_session(work, person, days=1, idle_hours=12)
        )

    def seat(self, cookie: str, room: int, first: int) -> Seat:
        """A browser that begins at that worker."""
        urls = [proxy.url for proxy in self.proxies]
        turned = [urls[(first + place) % len(urls)] for place in range(len(urls))]
        return Seat(turned, cookie, f"/tickets/{room}")


Fault = Callable[[Run], Awaitable[None]]


async def play(run: Run, faults: Iterable[tuple[str, Fault]], *, heals: bool = True) -> History:
    """Write and watch while the faults strike one after another; returns when all is quiet, or time is over.

    `heals`: after each, writers must get on and pages catch up by themselves.
    """
    async with run.stack as stack:
        run.store = open_store(run.backend)
        stack.callback(run.store.close)
        await _open_house(run, stack)
        town = run.town = build(run.store)
        run.rooms = [town.open("hive") for _room in range(ROOMS)]
        for room in run.rooms:
            town.act("hugo", tickets.take, room)
        outsiders = _people(run)
        following = [asyncio.create_task(one.run()) for one in (*run.watchers, *outsiders)]
        writing = [asyncio.create_task(one.run()) for one in run.writers]
        try:
            await run.written(SOME)
            for name, fault in faults:
                await _strike(run, name, fault, heals)
            for writer in run.writers:
                writer.writing = False
            await asyncio.wait_for(asyncio.gather(*writing), run.quiet)
            await _quiet(run)
            fell = [repr(task.exception()) for task in following if task.done()]
            history = History(
                calls=[call for writer in run.writers for call in writer.calls],
                watchers=[one.watcher for one in (*run.watchers, *run.closed)],
                outsiders=[one.watcher for one in outsiders],
                inside=["inside "],
                nodes={worker.url: await _shown(run, worker.url) for worker in run.workers},
                struck=run.struck,
                broken=[*run.broken, *fell, *(said for one in run.writers for said in one.turned_away)],
            )
        finally:
            await end(*following, *writing)
        return await asyncio.to_thread(run.store.read_now, SYSTEM, lambda work: _stored(work, run, history))


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel these and return when they are over."""
    left: set[asyncio.Task[None]] = set(tasks)
    while left:
        # Again and again: `wait_for` may lose a cancellation that comes together with what it waits for.
        for task in left:
            task.cancel()
        _over, left = await asyncio.wait(left, timeout=1.0)


async def _open_house(run: Run, stack: AsyncExitStack) -> None:
    backend = run.backend
    if run.redis is not None:
        run.redis_line = await stack.enter_async_context(proxied(run.redis.port))
        backend = replace(backend, redis_url=f"redis://127.0.0.1:{run.redis_line.port}/0")
    run.workers = [run.start_one(backend) for _worker in range(run.count)]
    for worker in run.workers:
        stack.push_async_callback(asyncio.to_thread, worker.stop)
    await asyncio.gather(*(run.start(worker) for worker in run.workers))
    run.proxies = [await stack.enter_async_context(proxied(worker.port)) for worker in run.workers]


def _people(run: Run) -> list[Follower]:
    """Watchers and writers in each room, spread over the workers; returns customers who listen for more."""

    def customer(room: int) -> Seat:
        def enter(work: Work) -> str:
            owner = work.session.get_one(Ticket, room).customer_id
            assert owner is not None
            return exchange(work, make_link(work, room, owner, 7), None, 60)[1]

        urls = run.seat("", room, 0).urls
        return Seat(urls, f"case={run.store.write_now(SYSTEM, enter)}", f"/case/{room}", "/live/case")

    ina, hugo = run.session("ina"), run.session("hugo")
    run.watchers = [
        Follower(f"watcher {place} of {room}", run.seat(ina, room, place), f"room:{room}")
        for room in run.rooms
        for place in range(3)
    ]
    run.writers = [
        Writer(
            f"{room}-{place}",
            run.seat(hugo, room, place),
            room,
            run.now,
            through_socket=place % 2 == 0,
            gives_up=run.gives_up,
        )
        for room in run.rooms
        for place in range(3)
    ]
    return [
        Follower(f"customer of {room}", customer(room), f"lane:{room}", f"room:{room}") for room in run.rooms
    ]


async def _strike(run: Run, name: str, fault: Fault, heals: bool) -> None:
    began = run.now()
    try:
        await fault(run)
    except DidNotStrike as problem:
        run.broken.append(f"{name}: {problem}")
    run.struck.append(Struck(name, began, run.now()))
    if not heals:
        return
    if not await run.written(SOME):
        run.broken.append(f"not everybody could write after: {name}")
    behind = await run.caught_up(run.watchers, run.quiet)
    run.broken += [f"after: {name}: {one}" for one in behind]
    for follower in run.watchers:
        follower.go_home()


async def _quiet(run: Run) -> None:
    """Wait until every page stands at the end of its stream; the checker says what is missing otherwise."""
    with contextlib.suppress(TimeoutError):
        heads = await asyncio.wait_for(run.heads(), run.quiet)
        await run.until(
            lambda: all(one.caught_up and one.cursor == heads[one.stream] for one in run.watchers), run.quiet
        )


async def _shown(run: Run, url: str) -> dict[str, list[tuple[int, str]]]:
    """What one node shows of each room."""
    cookie, found = run.session("mona"), {}
    for room in run.rooms:
        text = ""
        for _try in range(20):
            try:
                async with Seat([url], cookie, "").client() as http:
                    answer = await http.get(f"/tickets/{room}")
                if answer.status_code == 200:
                    text = answer.text
                    break
            except BROKEN:
                pass
            await asyncio.sleep(0.5)
        found[f"room:{room}"] = messages(text.partition(f'id="log-room-{room}"')[2])
    return found


def _stored(work: Work, run: Run, history: History) -> History:
    streams = [f"room:{room}" for room in run.rooms]
    rows = work.session.execute(
        select(Message.ticket_id, Message.seq, Message.client_id).where(Message.lane == "room")
    )
    history.rows = [
        Row(f"room:{ticket}", seq, plain(id_)) for ticket, seq, id_ in rows if ticket in run.rooms
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
    struck = ", ".join(f"{one.name} ({one.began:.0f}–{one.ended:.0f} s)" for one in history.struck)
    frames = sum(len(watcher.shown) for watcher in history.watchers)
    found = findings(history)
    return (
        f"seed {seed}: {ended}, {len(history.rows)} stored, {frames} shown; {struck}; "
        f"{len(found)} findings{''.join(f'{chr(10)}  {one}' for one in found[:20])}"
    )
