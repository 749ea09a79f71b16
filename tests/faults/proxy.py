"""A TCP proxy that passes, delays, throttles, swallows, resets and half-closes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["pass", "delay", "throttle", "black hole"]
Way = Literal["up", "down"]
"""To the server, or to the page."""
BOTH: tuple[Way, Way] = ("up", "down")
TAKE = 64 * 1024
SLOW = 0.2
"""Seconds by which `delay` holds each piece."""
SEGMENT = 1400
"""Bytes of a packet, as on a real line: with the loopback's, the kernel holds megabytes for a slow reader."""
HELD = 32 * 1024
"""Bytes that the kernel may hold for one end."""
THROTTLED = 512
"""Bytes that `throttle` lets through every 50 ms."""


@dataclass(eq=False)
class _Line:
    towards: dict[Way, asyncio.StreamWriter]
    gone: set[Way] = field(default_factory=set)
    """What goes these ways is lost for ever, its end too."""


class Proxy:
    """Stands between pages and one server; what it does changes at once, for all connections."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.mode: Mode = "pass"
        self._changed = asyncio.Event()
        self._lines: set[_Line] = set()
        self.meetings: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where pages go instead."""
        return f"http://127.0.0.1:{self.port}"

    def set(self, mode: Mode) -> None:
        """From now on."""
        self.mode = mode
        self._changed.set()
        self._changed = asyncio.Event()

    def reset(self) -> None:
        """Cut every connection with an RST."""
        for end in self._ends(BOTH):
            raw = end.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.transport.abort()

    def half_close(self, ways: Sequence[Way] = BOTH) -> None:
        """Say goodbye in one direction and go on in the other."""
        for end in self._ends(ways):
            with contextlib.suppress(OSError, RuntimeError):
                if end.can_write_eof():
                    end.write_eof()

    def forget(self, ways: Sequence[Way] = BOTH) -> None:
        """Lose what today's connections carry these ways, for ever and without a word; new ones pass."""
        for line in self._lines:
            line.gone.update(ways)

    def _ends(self, ways: Sequence[Way]) -> list[asyncio.StreamWriter]:
        return [line.towards[way] for line in self._lines for way in ways]

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        meeting = asyncio.current_task()
        assert meeting is not None
        self.meetings.add(meeting)
        meeting.add_done_callback(self.meetings.discard)
        try:
            theirs, ours = await self._reach()
        except OSError:
            writer.transport.abort()
            return
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, HELD)
        line = _Line({"up": ours, "down": writer})
        self._lines.add(line)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(reader, line, "up"))
                both.create_task(self._carry(theirs, line, "down"))
        except* (OSError, RuntimeError):
            # RuntimeError: there was more to carry where goodbye was said.
            pass
        finally:
            self._lines.discard(line)
            for end in (writer, ours):
                end.transport.abort()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        raw = socket.socket()
        raw.setblocking(False)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, HELD)
        try:
            await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self.target))
        except OSError:
            raw.close()
            raise
        return await asyncio.open_connection(sock=raw)

    async def _carry(self, source: asyncio.StreamReader, line: _Line, way: Way) -> None:
        sink = line.towards[way]
        while piece := await source.read(TAKE):
            if way in line.gone:
                continue
            while self.mode == "black hole":
                # Whoever sent it is told that it arrived; it goes nowhere until the mode changes.
                await self._changed.wait()
            if self.mode == "delay":
                await asyncio.sleep(SLOW)
            if self.mode == "throttle":
                for start in range(0, len(piece), THROTTLED):
                    sink.write(piece[start : start + THROTTLED])
                    await sink.drain()
                    await asyncio.sleep(0.05)
                continue
            sink.write(piece)
            await sink.drain()
        if way not in line.gone and sink.can_write_eof():
            sink.write_eof()


@asynccontextmanager
async def proxied(target: int) -> AsyncIterator[Proxy]:
    """A proxy before the server on this port of this machine."""
    made = Proxy(target)
    server = await asyncio.start_server(made._meet, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.set("pass")
        made.reset()
        await asyncio.gather(*made.meetings, return_exceptions=True)
