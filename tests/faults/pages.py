"""Pages without a browser: one follows a stream as docs/protocol.md says, one writes until it is answered."""

from __future__ import annotations

import asyncio
import html
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Origin, Subprotocol

from tests.faults.history import Call, Watcher

ANSWER = 4.0
"""Seconds after which a page gives an answer up."""
PAUSE = 0.1
"""Seconds that a writer waits, about, from one message to the next."""
MESSAGE = re.compile(r'<article class="msg[^>]*? data-client-id="([^"]*)" data-seq="(\d+)"')
LIVE = re.compile(r'<meta name="swarm-live" content="([^"]*)"')
SENT_AWAY = {4400: "a bad frame", 4401: "signed out", 4403: "not allowed", 4404: "gone"}
"""Nobody here ever deserves these."""
BROKEN = (OSError, WebSocketException, httpx2.HTTPError, TimeoutError)


def plain(client_id: str) -> str:
    """A mutant marks what it stores; pages and checker compare without the mark."""
    return client_id.partition("#")[0]


def messages(markup: str) -> list[tuple[int, str]]:
    """Number and client id of each message in some HTML."""
    return [(int(seq), plain(html.unescape(id_))) for id_, seq in MESSAGE.findall(markup)]


@dataclass(slots=True)
class Seat:
    """A browser: its cookie, and the servers it may be sent to."""

    urls: Sequence[str]
    cookie: str
    page: str
    """The path of its page."""
    socket: str = "/live"
    at: int = 0

    @property
    def url(self) -> str:
        """The server of the moment."""
        return self.urls[self.at % len(self.urls)]

    def elsewhere(self) -> None:
        """The next time to another one."""
        self.at += 1

    def client(self) -> httpx2.AsyncClient:
        """HTTP with the cookie."""
        return httpx2.AsyncClient(
            base_url=self.url,
            timeout=ANSWER,
            headers={"Cookie": self.cookie, "Accept": "text/html"},
            verify=False,
        )

    def open(self) -> connect:
        """A socket as its page opens it."""
        return connect(
            self.url.replace("http", "ws") + self.socket,
            subprotocols=[Subprotocol("swarm.html.1")],
            origin=Origin(self.url),
            additional_headers={"Cookie": self.cookie},
            compression=None,
            open_timeout=ANSWER,
            close_timeout=0.5,
            ping_interval=None,
        )


class Follower:
    """Shows one stream; comes back by itself, and notes every promise that is broken."""

    def __init__(self, name: str, seat: Seat, stream: str, *also: str) -> None:
        self.watcher = Watcher(name, stream)
        self.seat = seat
        self.stream = stream
        self.also = also
        """Streams it has no right to, and asks for all the same."""
        self.cursor = -1
        self.caught_up = False
        self.connections = 0
        self.reads = asyncio.Event()
        """Cleared, it leaves unread what the server sends."""
        self.reads.set()
        self._home = seat.at
        self._connection: ClientConnection | None = None
        self._epoch = ""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                if self.cursor < 0:
                    await self._load()
                async with self.seat.open() as self._connection:
                    self.connections += 1
                    await self._follow(self._connection)
            except BROKEN as problem:
                self.caught_up = False
                if isinstance(problem, ConnectionClosed) and problem.rcvd and problem.rcvd.code in SENT_AWAY:
                    self.watcher.faults.append(f"was closed for {SENT_AWAY[problem.rcvd.code]}")
                self.seat.elsewhere()
            await asyncio.sleep(random.uniform(0.02, 0.2))

    def go_home(self) -> None:
        """Come back on the server it began with."""
        if self.seat.at != self._home:
            self.seat.at = self._home - 1
            if self._connection is not None:
                self._connection.transport.abort()

    async def _load(self) -> None:
        """The page as it is now, in place of what stands."""
        async with self.seat.client() as http:
            answer = await http.get(self.seat.page)
        if answer.status_code >= 500:
            raise TimeoutError
        if answer.status_code != 200:
            self.watcher.faults.append(f"its page answered {answer.status_code}")
            raise TimeoutError
        self._received(answer.text)
        found = LIVE.search(answer.text)
        assert found, "the page says nothing of its streams"
        live = json.loads(html.unescape(found[1]))
        self._epoch, self.cursor = live["epoch"], live["streams"][self.stream]
        lane, _colon, number = self.stream.partition(":")
        part = answer.text.partition(f'id="log-{lane}-{number}"')[2].partition('id="log-')[0]
        self.watcher.shown = messages(part)
        self.watcher.since = min((seq for seq, _id in self.watcher.shown), default=self.cursor + 1) - 1

    async def _follow(self, connection: ClientConnection) -> None:
        last = self.cursor
        await connection.send(
            json.dumps(
                {
                    "t": "watch",
                    "epoch": self._epoch,
                    "streams": {self.stream: last, **dict.fromkeys(self.also, 0)},
                }
            )
        )
        beaten = asyncio.get_running_loop().time()
        while True:
            await self.reads.wait()
            try:
                text = await asyncio.wait_for(connection.recv(), 1.0)
            except TimeoutError:
                if asyncio.get_running_loop().time() - beaten > ANSWER:
                    raise
                await connection.send('{"t":"ping"}')
                continue
            beaten = asyncio.get_running_loop().time()
            assert isinstance(text, str)
            self._received(text)
            frame = json.loads(text)
            if frame.get("s") in self.also and frame["t"] in ("event", "caught_up"):
                self.watcher.faults.append(f"was let into {frame['s']}")
            if frame.get("s") != self.stream:
                continue
            if frame["t"] == "reload":
                self.cursor, self.caught_up = -1, False
                return
            if frame["t"] == "gone":
                self.watcher.faults.append("was sent away")
                return
            if frame["t"] == "caught_up":
                if frame["n"] != last:
                    self.watcher.faults.append(f"caught up at {frame['n']} after {last}")
                self.caught_up = True
            if frame["t"] == "event":
                if frame["n"] != last + 1:
                    self.watcher.faults.append(f"number {frame['n']} came after {last}")
                last = frame["n"]
                self._apply(frame)

    def _received(self, text: str) -> None:
        if self.also:
            self.watcher.received.append(text)

    def _apply(self, frame: dict[str, Any]) -> None:
        if frame["n"] <= self.cursor:
            return
        self.cursor = frame["n"]
        for op in frame["do"]:
            if op[0] == "append":
                self.watcher.shown += messages(op[2])


@dataclass(slots=True)
class Writer:
    """Writes one message after another; sends each again, with its id, until somebody answers."""

    name: str
    seat: Seat
    ticket: int
    now: Callable[[], float]
    through_socket: bool
    calls: list[Call] = field(default_factory=list)
    writing: bool = True
    pause: float = PAUSE
    patience: float = 20.0
    gives_up: float = 0.1
    """The share of messages that are sent once, whatever the answer."""
    padding: int = 0
    """Letters that make a message longer."""
    turned_away: list[str] = field(default_factory=list)
    refusals: int = 0
    """Answers that said: not now."""
    _wrote: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def stream(self) -> str:
        """Where it writes."""
        return f"room:{self.ticket}"

    async def run(self) -> None:
        """Until told to stop writing; returns when the last message was answered or given up."""
        number = 0
        while self.writing:
            number += 1
            client_id = f"{self.name}-{number:05}"
            body = f"inside {client_id}{' x' * (self.padding // 2)}"
            self.calls.append(await self._say(client_id, body))
            self._wrote.set()
            # As behind a balancer: each to the next server.
            self.seat.elsewhere()
            await asyncio.sleep(random.uniform(0, 2 * self.pause))

    async def has_written(self, least: int) -> None:
        """Return when it has so many answers."""
        while len(self.calls) < least:
            self._wrote.clear()
            await self._wrote.wait()

    async def _say(self, client_id: str, body: str) -> Call:
        began, doubt = self.now(), False
        patience = 0.0 if random.random() < self.gives_up else self.patience
        while True:
            try:
                status, seq = await (self._frame if self.through_socket else self._form)(client_id, body)
            except BROKEN:
                status, seq, doubt = 0, None, True
            if seq is not None:
                return Call(self.stream, client_id, began, self.now(), "ok", seq)
            if 400 <= status < 500 and status not in (408, 425, 429):
                self.turned_away.append(f"{self.name} was turned away with {status}")
                return Call(self.stream, client_id, began, self.now(), "info" if doubt else "fail")
            doubt = doubt or status >= 500
            self.refusals += status >= 500
            if self.now() - began >= patience:
                return Call(self.stream, client_id, began, self.now(), "info")
            self.seat.elsewhere()
            await asyncio.sleep(random.uniform(0.02, 0.1))

    async def _form(self, client_id: str, body: str) -> tuple[int, int | None]:
        async with self.seat.client() as http:
            answer = await http.post(
                f"/tickets/{self.ticket}/room/messages",
                data={"body": body, "client_id": client_id},
                headers={"Accept": "application/json", "Origin": self.seat.url},
            )
        return answer.status_code, answer.json()["seq"] if answer.status_code == 200 else None

    async def _frame(self, client_id: str, body: str) -> tuple[int, int | None]:
        async with self.seat.open() as connection, asyncio.timeout(ANSWER):
            frame = {"t": "post", "s": self.stream, "id": client_id, "body": body}
            await connection.send(json.dumps(frame))
            while True:
                said = json.loads(await connection.recv())
                if said["t"] == "ack" and said["id"] == client_id:
                    return 200, said["n"]
                if said["t"] == "refused" and said["id"] == client_id:
                    return int(said["status"]), None
