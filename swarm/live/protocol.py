"""uvicorn's WebSocket protocol, with a way to write ready-made frames: `--ws swarm.live.protocol:Protocol`.

Relies on internals of `WebSocketsSansIOProtocol`, pinned by tests/live/test_uvicorn_internals.py.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without its compiled half
    from websockets.utils import apply_mask

EXTENSION = "swarm.raw"
"""Where the raw side of a connection stands in `scope["extensions"]`."""
CLOSING_SECONDS = 2.0
"""How long a peer may take to answer a close."""

SHORT = 4096
"""Bytes in a frame that is read the short way; with the first longer one a connection leaves it."""
_TEXT, _MASKED = 0x81, 0x80
_MORE, _LONG = 1 << 40, 1 << 41

OnText = Callable[[str | None], None]
OnLost = Callable[[], None]


class _Nowhere:
    """Stands in for the queue of a connection whose ASGI call has ended."""

    def put_nowait(self, message: object) -> None:
        """Nobody waits for it."""


_NOWHERE: Any = _Nowhere()


def _frame_end(data: bytes, at: int) -> int:
    """Where the frame that begins there ends (RFC 6455, 5.2)."""
    left = len(data) - at
    if left < 2:
        return _MORE
    head, length = (6 if data[at + 1] & _MASKED else 2), data[at + 1] & 0x7F
    if length == 126:
        if left < 4:
            return _MORE
        head, length = head + 2, int.from_bytes(data[at + 2 : at + 4], "big")
    return _LONG if length == 127 or length > SHORT else at + head + length


def _ignored(text: str | None) -> None:
    """The connection is gone; so is whoever read it."""


class Protocol(WebSocketsSansIOProtocol):
    """A connection that may be taken over from its ASGI call, so that idle sockets hold no task."""

    shutdown_seconds = 3.0
    """Over how long a stopping server spreads its goodbyes."""

    _on_text: OnText | None = None
    _on_lost: OnLost | None = None
    _leaving = False
    heard_at: float = 0.0
    """Loop time of the peer's last byte."""
    _long_way = False
    """The parser reads everything; else it is only ever told whole frames."""
    _rest = b""
    """The beginning of a frame."""

    def take_over(self, on_text: OnText, on_lost: OnLost) -> None:
        """Feed these callbacks from now on; the ASGI call may return. `on_text(None)` stands for binary."""
        queue = self.queue
        self._on_text, self._on_lost = on_text, on_lost
        self.heard_at = self.loop.time()
        self.queue = _NOWHERE
        while not queue.empty():
            message = queue.get_nowait()
            if message["type"] == "websocket.receive":
                on_text(message.get("text"))
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        if self.disconnected:
            self.loop.call_soon(self._lost)
        if self._leaving:
            self.shutdown()
        # Kilobytes for each idle socket.
        del self.scope, self.request, self.response

    def write(self, data: bytes) -> int:
        """Send whole frames, already encoded; returns how many bytes the peer has not taken yet."""
        if self.close_sent or self.disconnected:
            return 0
        transport = self.transport
        transport.write(data)
        return transport.get_write_buffer_size()

    def buffered(self) -> int:
        """Bytes the peer has not taken yet."""
        return self.transport.get_write_buffer_size()

    def ping(self) -> None:
        """Ask the peer's network stack for a sign of life; it answers without its page."""
        self.write(b"\x89\x00")

    def close(self, code: int, reason: str = "") -> None:
        """Say why and end; a peer that does not answer is dropped."""
        if not self.handshake_complete or self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.stop_keepalive()
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.close_timer = self.loop.call_later(CLOSING_SECONDS, self.transport.abort)

    def abort(self) -> None:
        """Drop the connection without a word."""
        self.transport.abort()

    async def run_asgi(self) -> None:
        """Like uvicorn's, but a connection that was taken over outlives the call."""
        extensions: dict[str, object] = self.scope["extensions"]  # type: ignore[assignment]
        extensions[EXTENSION] = self
        try:
            await self.app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except BaseException:
            self.logger.exception("Exception in ASGI application\n")
            self.send_500_response()
            self.close(1011)
        else:
            if not self.handshake_complete:
                self.logger.error("ASGI callable returned without completing handshake.")
                self.send_500_response()
        if self._on_text is None and self.close_timer is None:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Every byte is a sign of life; whole short texts go the short way."""
        self.heard_at = self.loop.time()
        if self._on_text is None or self._long_way:
            # What comes after the request and before the take-over may end within a frame.
            self._long_way = self._long_way or self.handshake_initiated
            super().data_received(data)
            return
        if self._rest:
            data, self._rest = self._rest + data, b""
        at, size = 0, len(data)
        while (end := _frame_end(data, at)) <= size:
            if data[at] == _TEXT and data[at + 1] & _MASKED and not self.frames:
                self._read(data, at, end)
            else:
                super().data_received(data[at:end])
            at = end
        if end == _LONG:
            # From here on the parser, which knows its limits, is told everything.
            self._long_way = True
            super().data_received(data[at:])
        else:
            self._rest = data[at:]

    def _read(self, data: bytes, at: int, end: int) -> None:
        start = at + (6 if data[at + 1] & 0x7F < 126 else 8)
        if self.close_sent or self._on_text is None or self.transport.is_closing():
            return
        try:
            text = apply_mask(data[start:end], data[start - 4 : start]).decode()
        except UnicodeDecodeError:
            self.close(1007)
        else:
            self._on_text(text)

    def send_receive_event_to_app(self) -> None:
        """Hand a message straight to whoever took over, without pausing the transport."""
        if self._on_text is None:
            super().send_receive_event_to_app()
            return
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if self.close_sent:
            return
        if self.curr_msg_data_type != "text":
            self._on_text(None)
            return
        try:
            text = bytes(data).decode()
        except UnicodeDecodeError:
            self.close(1007)
            return
        self._on_text(text)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever took over."""
        super().connection_lost(exc)
        self._lost()

    def shutdown(self) -> None:
        """Say goodbye, but not all in the same second."""
        if self.close_sent or self.disconnected:
            super().shutdown()
            return
        if self._on_text is None:
            # The door still asks who this is.
            self._leaving = True
            return
        self.loop.call_later(random.uniform(0.0, self.shutdown_seconds), self.close, 1012)  # noqa: S311

    def _lost(self) -> None:
        on_lost, self._on_lost = self._on_lost, None
        if on_lost is not None:
            on_lost()
            self._on_text = _ignored
