"""The door: one WebSocket of a page or a program."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from swarm.live import close_codes
from swarm.live.frames import SUBPROTOCOLS, Batch, Form
from swarm.live.limits import Bucket
from swarm.live.ports import Refused, Viewer
from swarm.live.protocol import CLOSING_SECONDS, EXTENSION
from swarm.live.stream import Group

MUCH = 64 * 1024
"""Bytes."""


class Outlet(Protocol):
    """The side of a connection the hub writes to; swarm.live.protocol's is the fast one."""

    heard_at: float

    def buffered(self) -> int:
        """Bytes the peer has not taken yet."""
        ...

    def ping(self) -> None:
        """Ask for a sign of life."""
        ...

    def close(self, code: int, reason: str = "") -> None:
        """Say why and end."""
        ...

    def abort(self) -> None:
        """Drop the connection."""
        ...


class Socket:
    """What the hub keeps for each connection."""

    __slots__ = (
        "_outlet",
        "_raw",
        "bucket",
        "closing",
        "group",
        "in_flight",
        "pending",
        "posts",
        "streams",
        "typed_at",
        "viewer",
    )

    def __init__(self, viewer: Viewer, form: Form, now: float) -> None:
        self.viewer = viewer
        self.group: Group = (viewer.audience, viewer.language, form)
        self.streams: dict[str, bool] = {}
        """Stream → live; False while it is catching up."""
        self.pending: list[Batch] | None = None
        """What this turn has for it."""
        self.bucket = Bucket(100.0, now)
        self.posts: Bucket | None = None
        self.in_flight = 0
        self.typed_at: dict[str, float] | None = None
        self.closing = False
        self._outlet: Outlet | None = None
        self._raw: Callable[[bytes], int] | None = None

    def attach(self, outlet: Outlet, raw: Callable[[bytes], int] | None) -> None:
        """Connect the writing side; `raw` takes bytes in wire form and says how many lie unread."""
        self._outlet = outlet
        self._raw = raw

    def detach(self) -> None:
        """The connection is gone."""
        self._outlet = self._raw = None
        self.closing = True

    def flush(self, most: int) -> bool:
        """Hand over what is pending in one write; False when the peer leaves too much unread."""
        batches, self.pending = self.pending, None
        if batches is None or self.closing or self._outlet is None:
            return True
        if self._raw is not None:
            wire = batches[0].wire if len(batches) == 1 else b"".join([batch.wire for batch in batches])
            return self._raw(wire) <= most
        assert isinstance(self._outlet, PlainOutlet)
        self._outlet.put(batches)
        return self._outlet.buffered() <= most

    def answer(self, batch: Batch) -> None:
        """Write at once what says nothing of any stream; a peer with much unread hears from us anyway."""
        if self._outlet is None or self.closing or self._outlet.buffered() > MUCH:
            return
        if self._raw is not None:
            self._raw(batch.wire)
        else:
            assert isinstance(self._outlet, PlainOutlet)
            self._outlet.put([batch])

    def unread(self) -> bool:
        """Whether bytes for this peer still lie here."""
        return self._outlet is not None and self._outlet.buffered() > 0

    @property
    def heard_at(self) -> float:
        """Loop time of the peer's last sign of life."""
        return self._outlet.heard_at if self._outlet is not None else 0.0

    def ping(self) -> None:
        """Ask the peer's network stack for a sign of life."""
        if self._outlet is not None and not self.closing:
            self._outlet.ping()

    def close(self, code: int, reason: str = "") -> None:
        """Say why and end; nothing is written after it."""
        if self._outlet is not None and not self.closing:
            self.closing = True
            self._outlet.close(code, reason)

    def abort(self) -> None:
        """Drop a dead peer."""
        if self._outlet is not None:
            self.closing = True
            self._outlet.abort()


class PlainOutlet:
    """Any ASGI server: one task a socket sends text frames."""

    def __init__(self, send: Send, now: float) -> None:
        self.heard_at = now
        self._send = send
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._close: tuple[int, str] | None = None
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()

    def put(self, batches: list[Batch]) -> None:
        """Queue frames."""
        for batch in batches:
            for payload in batch.payloads:
                self._waiting.append(payload)
                self._bytes += len(payload)
        self._wake.set()

    def buffered(self) -> int:
        """Bytes not yet handed to the server."""
        return self._bytes

    def ping(self) -> None:
        """The server's own keep-alive does it."""
        self.heard_at = asyncio.get_running_loop().time()

    def close(self, code: int, reason: str = "") -> None:
        """After what is being sent now."""
        if self._close is None:
            self._close = (code, reason)
            self._wake.set()
            self._closing.set()

    def abort(self) -> None:
        """The nearest thing ASGI has."""
        self.close(close_codes.AGAIN_LATER)

    async def run(self) -> None:
        """Send until closed."""
        while self._close is None:
            while self._waiting and self._close is None:
                payload = self._waiting.popleft()
                await self._send({"type": "websocket.send", "text": payload.decode()})
                self._bytes -= len(payload)
            if self._close is None:
                self._wake.clear()
                await self._wake.wait()
        code, reason = self._close
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def stuck(self) -> None:
        """Return when a peer had its time to answer a close."""
        await self._closing.wait()
        await asyncio.sleep(CLOSING_SECONDS)


class Hub(Protocol):
    """What the door needs of the hub."""

    def full(self) -> bool: ...
    def forms(self) -> frozenset[Form]: ...
    async def admit(self, headers: Headers) -> Viewer | Refused: ...
    def open(self, viewer: Viewer, form: Form) -> Socket | Refused: ...
    def greet(self, socket: Socket) -> bytes: ...
    def read(self, socket: Socket, text: str | None) -> None: ...
    def lost(self, socket: Socket) -> None: ...


class LiveEndpoint:
    """ASGI application for `/live`; foreign origins were refused before."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "websocket"
        await receive()
        hub = self._hub
        if hub.full():
            await _refuse_handshake(scope, send)
            return
        offered = [name for name in scope["subprotocols"] if SUBPROTOCOLS.get(name) in hub.forms()]
        headers = Headers(scope=scope)
        admitted = await hub.admit(headers)
        await send({"type": "websocket.accept", "subprotocol": offered[0] if offered else None})
        if not offered:
            admitted = Refused(close_codes.BAD_FRAME, "subprotocol swarm.html.1 expected")
        opened = admitted if isinstance(admitted, Refused) else hub.open(admitted, SUBPROTOCOLS[offered[0]])
        if isinstance(opened, Refused):
            await send({"type": "websocket.close", "code": opened.code, "reason": short(opened.why)})
            return
        raw: Any = (scope.get("extensions") or {}).get(EXTENSION)
        if raw is None:
            await self._plain(opened, receive, send)
            return
        opened.attach(raw, raw.write)
        raw.write(Batch([hub.greet(opened)]).wire)
        raw.take_over(lambda text: hub.read(opened, text), lambda: hub.lost(opened))

    async def _plain(self, socket: Socket, receive: Receive, send: Send) -> None:
        outlet = PlainOutlet(send, asyncio.get_running_loop().time())
        socket.attach(outlet, None)
        outlet.put([Batch([self._hub.greet(socket)])])
        reading = asyncio.create_task(self._read(socket, outlet, receive))
        sending = asyncio.create_task(outlet.run())
        stuck = asyncio.create_task(outlet.stuck())
        tasks = (reading, sending, stuck)
        try:
            await asyncio.wait((reading, stuck), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.lost(socket)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, socket: Socket, outlet: PlainOutlet, receive: Receive) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            outlet.heard_at = asyncio.get_running_loop().time()
            self._hub.read(socket, message.get("text"))


def live_endpoint(hub: Hub) -> LiveEndpoint:
    """The door for `WebSocketRoute("/live", live_endpoint(hub))`."""
    return LiveEndpoint(hub)


def short(why: str) -> str:
    """A close reason holds 123 bytes."""
    return why.encode()[:120].decode(errors="ignore")


async def _refuse_handshake(scope: Scope, send: Send) -> None:
    if "websocket.http.response" in (scope.get("extensions") or {}):
        await send(
            {"type": "websocket.http.response.start", "status": 503, "headers": [(b"retry-after", b"10")]}
        )
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close", "code": close_codes.AGAIN_LATER})
