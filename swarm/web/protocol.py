"""uvicorn's HTTP protocol, with bounds on what a stranger may keep us waiting for.

Relies on internals of `HttpToolsProtocol`, pinned by tests/web/test_uvicorn_http.py.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic
from typing import Any, cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEADERS = 100
UNREAD = 60.0
"""Seconds a peer may leave some 64 KiB of an answer unread."""
SOON = 0.1
"""Seconds in which a connection above the bound may still turn out to be a live socket."""
SLICE = 0.01
"""Seconds in which handshakes are answered before the event loop looks at what else there is."""
HANDSHAKE = 8.0
"""Seconds after which a handshake is not worth answering any more: pages wait for ten."""
LAST_CHANCE = 1.0
"""Seconds in which a stopping server still answers what arrives on an idle connection."""


class Http(HttpToolsProtocol):
    """A connection whose headers, leftovers and unread answers have a deadline. Made ready by `limited`."""

    header_seconds = 10.0
    header_bytes = 32 * 1024
    most = 1000
    """Connections at a time, without live sockets."""
    sockets = 10_000
    """Live sockets at a time, also those that nobody has let in yet."""
    upgrades: Upgrades
    here: set[Http]
    idle: dict[Http, None]
    """Those that keep us waiting, the one that does longest first."""
    stopping = False

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _refusal: bytes | None = None
    _heading = False
    _head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room for it by dropping who has waited longest, or refuse it when all are busy."""
        super().connection_made(transport)
        self.here.add(self)
        self.idle[self] = None
        self._wait()
        if len(self.here) > self.most:
            longest = next(iter(self.idle))
            if longest is not self:
                # What came with it may be handshakes that are no requests, once they are read.
                self.loop.call_later(SOON if len(self.here) <= 2 * self.most else 0, self._make_room)
            elif len(self.here) > 2 * self.most:
                transport.abort()
            else:
                self._refusal = b"503 Service Unavailable"
        if self.stopping:
            self.loop.call_later(LAST_CHANCE, self._end_if_idle)

    def _make_room(self) -> None:
        if len(self.here) > self.most and self.idle:
            longest = next(iter(self.idle))
            longest._forget()
            longest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to headers; bytes that begin nothing buy no time."""
        self._head += len(data)
        super().data_received(data)
        if self not in self.here or self.transport.is_closing():
            return
        if self._heading and self._head > self.header_bytes:
            self._answer(b"431 Request Header Fields Too Large")
        elif self.cycle is None or self.cycle.response_complete:
            self._wait()

    def on_message_begin(self) -> None:
        """Headers begin to arrive."""
        self._heading = True
        self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The request is whole but for its body, which the application bounds."""
        self._heading = False
        self._head = 0
        self.idle.pop(self, None)
        self._done()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.header_bytes or len(self.headers) > MOST_HEADERS:
            self._refusal = b"431 Request Header Fields Too Large"
        app = self.app
        if self._refusal is not None:
            self.app = cast(ASGI3Application, _Refuse(self._refusal))
        try:
            super().on_headers_complete()
        finally:
            self.app = app
        if self.stopping and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """Nothing of this request is missing."""
        self._head = 0
        self._done()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """From here on it waits for the peer: to read, or to ask again."""
        super().on_response_complete()
        if self not in self.here:
            return
        if self.transport.is_closing():
            self._until_read()
        elif self.cycle.response_complete:
            self.idle[self] = None

    def handle_websocket_upgrade(self) -> None:
        """A live socket has bounds of its own; a stopping or full server sends it elsewhere."""
        full = len(self.connections) - len(self.here) >= self.sockets
        if self._refusal is not None or self.stopping or full:
            self._answer(self._refusal or b"503 Service Unavailable")
            return
        self._forget()
        self.upgrades.add(self)

    def upgrade(self, waited: float) -> None:
        """Become a live socket; a page that has waited for long is about to come back anyway."""
        if self.transport.is_closing():
            return
        self.transport.resume_reading()
        if self.stopping or waited > HANDSHAKE:
            self._answer(b"503 Service Unavailable")
            return
        super().handle_websocket_upgrade()

    def timeout_keep_alive_handler(self) -> None:
        """Idle for long enough."""
        super().timeout_keep_alive_handler()
        self._until_read()

    def pause_writing(self) -> None:
        """The peer does not read; it has its time to begin again."""
        super().pause_writing()
        self._until_read()

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        if self._unread is not None and not self.transport.is_closing():
            self._unread.cancel()
            self._unread = None
            self.idle.pop(self, None)

    def shutdown(self) -> None:
        """Answer what is in work, and what was on its way here when we said we would stop."""
        type(self).stopping = True
        if self.cycle is not None and not self.cycle.response_complete:
            super().shutdown()
        else:
            self.loop.call_later(LAST_CHANCE, self._end_if_idle)

    def _end_if_idle(self) -> None:
        if self in self.here and (self.cycle is None or self.cycle.response_complete):
            self.transport.close()
            self._until_read()

    def _wait(self) -> None:
        if self._deadline is None and self.timeout_keep_alive_task is None:
            self._deadline = self.loop.call_later(self.header_seconds, self._too_slow)

    def _done(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            self.transport.abort()
        elif self.flow.read_paused or (self.cycle is not None and not self.cycle.response_complete):
            # It waits for us, not we for it.
            self._wait()
        elif self._heading:
            self._answer(b"408 Request Timeout")
        else:
            self.transport.close()
            self._until_read()

    def _answer(self, status: bytes) -> None:
        """Say so without a request to answer, and end."""
        self._done()
        self.transport.write(
            b"HTTP/1.1 " + status + b"\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
        self.transport.close()
        self._until_read()

    def _until_read(self) -> None:
        if self._unread is None and self in self.here:
            self._unread = self.loop.call_later(UNREAD, self.transport.abort)
            self.idle[self] = None

    def _forget(self) -> None:
        self.here.discard(self)
        self.idle.pop(self, None)
        self._done()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


class Upgrades:
    """Handshakes wait for a slice of the event loop: thousands must not keep it from everybody else."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, Http]] = deque()
        self._asked = False

    def add(self, connection: Http) -> None:
        """Upgrade it in its turn; until then nothing more is read from it."""
        connection.transport.pause_reading()
        self._waiting.append((monotonic(), connection))
        self._ask_slice()

    def _ask_slice(self) -> None:
        if self._waiting and not self._asked:
            self._asked = True
            self._waiting[0][1].loop.call_soon(self._slice)

    def _slice(self) -> None:
        self._asked = False
        began = now = monotonic()
        try:
            while self._waiting and now < began + SLICE:
                since, connection = self._waiting.popleft()
                connection.upgrade(now - since)
                now = monotonic()
        finally:
            self._ask_slice()


class _Refuse:
    """Answers every request with this status."""

    def __init__(self, status: bytes) -> None:
        self._status = int(status[:3])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"retry-after", b"5"), (b"content-length", b"0"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def limited(*, header_seconds: float, header_bytes: int, most: int, sockets: int) -> type[Http]:
    """The protocol for one server: seconds and bytes of headers; connections and live sockets at a time."""
    bounds = {
        "header_seconds": header_seconds,
        "header_bytes": header_bytes,
        "most": most,
        "sockets": sockets,
    }
    return cast(
        type[Http], type("Limited", (Http,), {**bounds, "here": set(), "idle": {}, "upgrades": Upgrades()})
    )
