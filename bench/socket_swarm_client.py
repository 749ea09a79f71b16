"""Many cheap sockets: a raw asyncio protocol that opens, may speak, and counts the frames it gets."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

ACK, CAUGHT_UP = b'{"t":"ack"', b'{"t":"caught_up"'
PING, PONG = 0x89, b"\x8a\x80\0\0\0\0"


class CountingSocket(asyncio.Protocol):
    """A WebSocket client that counts whole frames without looking into them (RFC 6455, 5.2)."""

    def __init__(
        self, host: str, path: str, headers: Sequence[tuple[str, str]], arrived: Callable[[], None]
    ) -> None:
        self._request = _handshake(host, path, headers)
        self.arrived = arrived
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._skip = 0
        self._open = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.frames = 0
        self.messages = 0
        """Frames too long for a short head: what was written, not what answers the one who wrote it."""
        self.acks = self.caught_up = 0
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember it."""
        self.lost = True
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("refused"))

    def data_received(self, data: bytes) -> None:
        """Count frames; payloads are skipped, not read."""
        if self._rest:
            data = self._rest + data
            self._rest = b""
        if not self._open:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._rest = data
                return
            if self.opened.done():
                # Whoever asked has gone.
                self.close()
                return
            if not data.startswith(b"HTTP/1.1 101"):
                self.opened.set_exception(ConnectionError(data[:80].decode("latin-1")))
                return
            self._open = True
            self.opened.set_result(None)
            data = data[end + 4 :]
        at, size, before, messages = self._skip, len(data), self.frames, self.messages
        short = 0
        while at + 4 <= size:
            length = data[at + 1]
            if length == 126:
                messages += 1
                at += 4 + (data[at + 2] << 8 | data[at + 3])
            elif length < 126:
                short += 1
                self._short(data, at)
                at += 2 + length
            elif at + 10 <= size:
                messages += 1
                at += 10 + int.from_bytes(data[at + 2 : at + 10], "big")
            else:
                break
        if size - at == 2 and not data[at + 1]:
            short += 1
            self._short(data, at)
            at += 2
        self.frames += short + messages - self.messages
        self.messages = messages
        if at < size:
            self._rest = data[at:]
            self._skip = 0
        else:
            self._skip = at - size
        if self.frames != before:
            self.arrived()

    def _short(self, data: bytes, at: int) -> None:
        if data.startswith(ACK, at + 2):
            self.acks += 1
        elif data.startswith(CAUGHT_UP, at + 2):
            self.caught_up += 1
        elif data[at] == PING and self._transport is not None:
            self._transport.write(PONG)

    def say(self, text: str) -> None:
        """Send one masked text frame."""
        assert self._transport is not None
        payload = text.encode()
        size = len(payload)
        head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
        # A mask of zeros is a mask, and costs nothing.
        self._transport.write(head + b"\0\0\0\0" + payload)

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a run came to."""

    deliveries: int
    seconds: float
    client_cpu: float
    """Seconds of the client's processor; near `seconds` means the client was the limit."""

    @property
    def per_second(self) -> float:
        """Frames delivered to all sockets, per second."""
        return self.deliveries / self.seconds


async def open_sockets(
    port: int, headers: Sequence[Sequence[tuple[str, str]]], *, path: str = "/", host: str = "127.0.0.1"
) -> list[CountingSocket]:
    """An open socket for each set of headers."""
    loop = asyncio.get_running_loop()
    sockets: list[CountingSocket] = []
    for its in headers:

        def make(its: Sequence[tuple[str, str]] = its) -> CountingSocket:
            return CountingSocket(f"{host}:{port}", path, its, lambda: None)

        _transport, made = await loop.create_connection(make, host, port)
        await made.opened
        sockets.append(made)
    return sockets


async def drive(
    sockets: Sequence[CountingSocket], message: Callable[[int], str], *, messages: int, in_flight: int
) -> Delivered:
    """The first socket writes; so many of its messages are on their way at any time."""
    sender = sockets[0]
    start = [socket.messages for socket in sockets]
    words = [message(number) for number in range(1, messages + 1)]
    done = asyncio.get_running_loop().create_future()
    sent = 0

    def arrived() -> None:
        nonlocal sent
        back = sender.messages - start[0]
        while sent < messages and sent - back < in_flight:
            sender.say(words[sent])
            sent += 1
        if back >= messages and not done.done():
            done.set_result(None)

    sender.arrived = arrived
    began, cpu = time.perf_counter(), time.process_time()
    arrived()
    await done
    everybody = asyncio.Event()

    def complete() -> None:
        if all(socket.messages >= before + messages for socket, before in zip(sockets, start, strict=True)):
            everybody.set()

    for socket in sockets:
        socket.arrived = complete
    complete()
    await everybody.wait()
    seconds = time.perf_counter() - began
    return Delivered(messages * len(sockets), seconds, time.process_time() - cpu)


def _handshake(host: str, path: str, headers: Sequence[tuple[str, str]]) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
