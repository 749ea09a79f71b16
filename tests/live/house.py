"""A server with a real socket door over a log in memory, and clients that wait for conditions."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute, WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from swarm.live.close_codes import SIGNED_OUT
from swarm.live.doorbell_memory import MemoryDoorbell
from swarm.live.hub import Hub
from swarm.live.limits import Limits
from swarm.live.ports import Doorbell, PostRefused, Refused, Viewer
from swarm.live.socket import live_endpoint
from swarm.store.log import Entry

PATIENCE = 10.0


class MemoryLog:
    """True numbering, in a lock; shared by several hubs as a database would be."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.rows: dict[str, list[Entry]] = {}
        self.life = "first"
        self.broken = False
        self.reads = 0
        self.head_questions = 0

    def append(self, stream: str, text: str, kind: str = "message.posted") -> Entry:
        with self.lock:
            rows = self.rows.setdefault(stream, [])
            entry = Entry(stream, len(rows) + 1, kind, datetime.now(UTC), "person:1", {"text": text})
            rows.append(entry)
            return entry

    def heads(self, streams: Collection[str]) -> dict[str, int]:
        self._check()
        with self.lock:
            self.head_questions += 1
            return {key: len(self.rows.get(key, ())) for key in streams}

    def after(self, stream: str, seq: int, limit: int) -> list[Entry]:
        self._check()
        with self.lock:
            self.reads += 1
            return self.rows.get(stream, [])[seq : seq + limit]

    def epoch(self) -> str:
        return self.life

    def changed_outside(self) -> bool:
        return True

    def _check(self) -> None:
        if self.broken:
            raise OSError("the database is away")


@dataclass
class Doors:
    """Sessions by cookie, rights as sets; changes like rows would."""

    viewers: dict[str, Viewer] = field(default_factory=dict)
    stamps: dict[str, int] = field(default_factory=dict)
    rights: dict[str, set[str]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    """Streams in which nobody may write."""
    standing_calls: int = 0

    def let_in(self, key: str, who: str, streams: Collection[str], audience: Any = "staff") -> None:
        self.viewers[key] = Viewer(key, who, who.title(), audience, "en", 1)
        self.stamps[key] = 1
        self.rights[key] = set(streams)

    def admit(self, knocks: Sequence[Mapping[str, str]]) -> list[Viewer | Refused]:
        refused = Refused(SIGNED_OUT, "sign in")
        return [self.viewers.get(knock.get("cookie", ""), refused) for knock in knocks]

    def allowed(self, asked: Mapping[Viewer, Collection[str]]) -> dict[Viewer, set[str]]:
        return {
            viewer: self.rights.get(viewer.key, set()) & set(streams) for viewer, streams in asked.items()
        }

    def may_write(self, viewer: Viewer, stream: str) -> bool:
        return stream in self.rights.get(viewer.key, set()) - self.silent

    def standing(self, viewers: Collection[Viewer]) -> dict[str, int | None]:
        self.standing_calls += 1
        return {viewer.key: self.stamps.get(viewer.key) for viewer in viewers}


def draw(entries: Sequence[Entry], audience: str, language: str) -> list[Any]:
    return [
        None
        if entry.kind == "internal.noted" and audience == "customer"
        else [["append", f"#log-{entry.stream.replace(':', '-')}", f"<p>{entry.data['text']}</p>"]]
        for entry in entries
    ]


class Worker:
    """One hub behind one uvicorn."""

    def __init__(self, hub: Hub, server: uvicorn.Server, port: int) -> None:
        self.hub = hub
        self.server = server
        self.port = port

    @asynccontextmanager
    async def page(self, cookie: str = "ann", **more: Any) -> AsyncIterator[Page]:
        async with connect(
            f"ws://127.0.0.1:{self.port}/live",
            subprotocols=[Subprotocol(more.pop("subprotocol", "swarm.html.1"))],
            additional_headers={"cookie": cookie},
            compression=None,
            ping_interval=None,
            close_timeout=0.5,
            **more,
        ) as connection:
            page = Page(connection)
            reading = asyncio.create_task(page.read())
            try:
                yield page
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)


class Page:
    """What a browser does, without drawing: applies only the next number, keeps everything it was sent."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[dict[str, Any]] = []
        self.closed: int | None = None
        self._news = asyncio.Event()

    async def read(self) -> None:
        try:
            async for text in self.connection:
                self.frames.append(json.loads(text))
                self._news.set()
        except ConnectionClosed:
            pass
        self.closed = self.connection.close_code
        self._news.set()

    async def say(self, **frame: Any) -> None:
        await self.connection.send(json.dumps(frame))

    async def watch(self, epoch: str = "first", /, **streams: int) -> None:
        await self.say(t="watch", epoch=epoch, streams={k.replace("_", ":"): n for k, n in streams.items()})

    def numbers(self, stream: str) -> list[int]:
        return [f["n"] for f in self.frames if f["t"] == "event" and f["s"] == stream]

    async def reached(self, stream: str, number: int) -> None:
        await self.until(lambda: self.numbers(stream)[-1:] >= [number])

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["t"] == kind]

    async def until(self, condition: Callable[[], object], patience: float = PATIENCE) -> None:
        async with asyncio.timeout(patience):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def live(self, epoch: str = "first", /, **streams: int) -> None:
        before = len(self.of("caught_up"))
        await self.watch(epoch, **streams)
        await self.until(lambda: len(self.of("caught_up")) == before + len(streams))


async def until(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait for a condition nobody announces."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "waited too long"
        await asyncio.sleep(0.005)


async def refuse_posts(viewer: Viewer, stream: str, client_id: str, body: str) -> int:
    raise PostRefused(403, "You cannot write here.")


@asynccontextmanager
async def worker(
    log: MemoryLog,
    doors: Doors,
    *,
    doorbell: Doorbell | None = None,
    limits: Limits | None = None,
    ws: str = "swarm.live.protocol:Protocol",
    render: Any = draw,
    describe: Any = None,
    post: Any = refuse_posts,
    routes: Sequence[BaseRoute] = (),
) -> AsyncIterator[Worker]:
    hub = Hub(
        log=log,
        render=render,
        doorman=doors,
        post=post,
        doorbell=doorbell or MemoryDoorbell(),
        describe=describe,
        limits=limits,
    )
    app = Starlette(routes=[WebSocketRoute("/live", live_endpoint(hub)), *routes])
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, ws=ws, lifespan="off", log_level="error", ws_ping_interval=None, ws_per_message_deflate=False,
        ws_max_size=65536, timeout_graceful_shutdown=5,
    )  # fmt: skip
    config.load()
    server = uvicorn.Server(config)
    await hub.start()
    serving = asyncio.create_task(server.serve(sockets=[door]))
    await until(lambda: server.started)
    try:
        yield Worker(hub, server, door.getsockname()[1])
    finally:
        await hub.stop()
        server.should_exit = True
        await serving
