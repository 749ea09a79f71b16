"""Many cheap sockets: a raw asyncio protocol that opens, may speak, and counts the frames it gets.

Run as a program it takes what to do as JSON on standard input and says what came of it as JSON.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import psutil
import uvloop


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
            if not data.startswith(b"HTTP/1.1 101"):
                self.opened.set_exception(ConnectionError(data[:80].decode("latin-1")))
                return
            self._open = True
            self.opened.set_result(None)
            data = data[end + 4 :]
        at, size, before = self._skip, len(data), self.frames
        while at + 2 <= size:
            length = data[at + 1] & 0x7F
            head = 2 if length < 126 else 4 if length == 126 else 10
            if at + head > size:
                break
            if head > 2:
                length = int.from_bytes(data[at + 2 : at + head], "big")
            at += head + length
            self.frames += 1
            self.messages += head > 2
        if at < size:
            self._rest = data[at:]
            self._skip = 0
        else:
            self._skip = at - size
        if self.frames != before:
            self.arrived()

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
    done = asyncio.get_running_loop().create_future()
    sent = 0

    def arrived() -> None:
        nonlocal sent
        back = sender.messages - start[0]
        while sent < messages and sent - back < in_flight:
            sent += 1
            sender.say(message(sent))
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


async def quiet(sockets: Sequence[CountingSocket], least: int) -> None:
    """Return when every socket has had `least` frames and none has come for a second."""
    before, still = -1, 0
    while still < 4:
        await asyncio.sleep(0.25)
        now = sum(socket.frames for socket in sockets)
        alike = now == before and all(socket.frames >= least for socket in sockets)
        before, still = now, still + 1 if alike else 0


async def run(wanted: dict[str, Any]) -> dict[str, float]:
    """Open sockets to one server, let the first write, and say how long it took everybody to hear it."""
    port, stream = wanted["port"], wanted.get("stream")
    text = "x" * wanted["bytes"]
    if stream is None:
        sockets = await open_sockets(port, [()] * wanted["sockets"])
        message = lambda number: text  # noqa: E731
    else:
        common = [("Origin", f"http://127.0.0.1:{port}"), ("Sec-WebSocket-Protocol", "swarm.html.1")]
        headers = [[*common, ("Cookie", f"session={cookie}")] for cookie in wanted["cookies"]]
        sockets = await open_sockets(port, headers, path="/live")
        watch = {"t": "watch", "epoch": wanted["epoch"], "streams": {stream: wanted["shown"]}}
        for socket in sockets:
            socket.say(json.dumps(watch))
        # hello, caught_up, and who is there.
        await quiet(sockets, 3)
        mark = secrets.token_hex(8)

        def message(number: int) -> str:
            body = f"{number} {text}"[: len(text)]
            return json.dumps({"t": "post", "s": stream, "id": f"{mark}-{number}", "body": body})

    process = psutil.Process(wanted["pid"])
    before = process.cpu_times()
    done = await drive(sockets, message, messages=wanted["messages"], in_flight=wanted["in_flight"])
    after = process.cpu_times()
    for socket in sockets:
        if socket.lost:
            raise ConnectionError("a socket was lost")
        socket.close()
    return {
        "deliveries": done.deliveries,
        "seconds": done.seconds,
        "client_cpu": done.client_cpu,
        "server_cpu": after.user + after.system - before.user - before.system,
    }


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    if asked["core"] < (os.cpu_count() or 1):
        os.sched_setaffinity(0, {asked["core"]})
    print(json.dumps(uvloop.run(run(asked))))
