"""Joining a stream: buffer, be sure of the doorbell, read on from N, drain without repeats, say caught up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Protocol

import structlog

from swarm.live.drawing import Drawing, Past, Wish
from swarm.live.frames import Batch, encode
from swarm.live.ports import Doorbell
from swarm.live.socket import Socket
from swarm.live.stream import Stream
from swarm.text.language import _, use

TOGETHER = 256
"""At most so many share a question, so that telling them the answer does not hold the event loop for long."""
PAUSE = 0.03
"""Seconds between two questions: who comes in company waits for more of it."""
AGAIN_SECONDS = 1.0
"""Between two tries while the log cannot be read."""

_log = structlog.get_logger(__name__)


class Streams(Protocol):
    """What joining needs of the hub."""

    def stream(self, key: str) -> Stream: ...
    def push(self, socket: Socket, batch: Batch) -> None: ...
    def joined(self, socket: Socket, stream: Stream) -> None: ...
    def left(self, stream: Stream) -> None: ...


class Joining:
    """Everybody who joins while the last ones are being answered shares the next questions to the log."""

    def __init__(
        self, hub: Streams, drawing: Drawing, doorbell: Doorbell, threads: Executor, limit: int
    ) -> None:
        self._hub = hub
        self._drawing = drawing
        self._doorbell = doorbell
        self._threads = threads
        self._limit = limit
        self._waiting: list[tuple[Socket, str, int]] = []
        self._task: asyncio.Task[None] | None = None

    def join(self, socket: Socket, key: str, shown: int) -> None:
        """Begin; rings for the stream are kept from now on."""
        socket.streams[key] = False
        self._hub.stream(key).awaited(socket.group)
        self._waiting.append((socket, key, shown))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._answer())

    def stop(self) -> None:
        """Nobody is answered any more."""
        if self._task is not None:
            self._task.cancel()

    async def _answer(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
                try:
                    await self._answer_batch(batch)
                    await asyncio.sleep(0.0 if len(self._waiting) >= TOGETHER else PAUSE)
                except Exception:
                    _log.exception("joining_failed", sockets=len(batch))
                    self._waiting = [one for one in batch if not one[0].closing] + self._waiting
                    for socket, key, _shown in batch:
                        if socket.closing:
                            self._ended(socket, key)
                    await asyncio.sleep(AGAIN_SECONDS)
        finally:
            self._task = None

    async def _answer_batch(self, batch: list[tuple[Socket, str, int]]) -> None:
        await self._doorbell.ensure({key for _socket, key, _shown in batch})
        wishes = [Wish(socket.viewer, socket.group, key, shown) for socket, key, shown in batch]
        past = await asyncio.get_running_loop().run_in_executor(
            self._threads, self._drawing.past, wishes, self._limit
        )
        for (socket, key, shown), wish in zip(batch, wishes, strict=True):
            if not socket.closing and socket.streams.get(key) is False:
                self._settle(socket, self._hub.stream(key), shown, wish, past)
            self._ended(socket, key)

    def _settle(
        self, socket: Socket, stream: Stream, shown: int, wish: Wish, pasts: Mapping[str, Past]
    ) -> None:
        key = stream.key
        if socket.viewer.stamp != wish.viewer.stamp:
            # The rights moved while the log was asked.
            self.join(socket, key, shown)
            return
        if not wish.allowed:
            del socket.streams[key]
            with use(socket.viewer.language):
                why = _("You cannot see this conversation.")
            self._hub.push(socket, Batch([encode({"t": "gone", "s": key, "why": why})]))
            return
        past = pasts[key]
        missed = past.pieces.get(socket.group, ())[max(0, shown - past.after) :]
        if not 0 <= past.head - shown <= self._limit or (past.head > shown and not missed):
            del socket.streams[key]
            self._hub.push(socket, Batch([encode({"t": "reload", "s": key})]))
            return
        if stream.sent is None:
            stream.told(past.head)
        if missed:
            self._hub.push(socket, Batch(missed))
        reached = shown + len(missed)
        stream.known = max(stream.known, past.head)
        if stream.sent is not None and reached < stream.sent:
            # The tail went on while the log was read.
            meanwhile = stream.kept(socket.group, reached)
            if meanwhile is None:
                self.join(socket, key, reached)
                return
            self._hub.push(socket, Batch(meanwhile))
            reached = stream.sent
        stream.add(socket, reached)
        socket.streams[key] = True
        self._hub.push(socket, Batch([encode({"t": "caught_up", "s": key, "n": reached})]))
        self._hub.joined(socket, stream)

    def _ended(self, socket: Socket, key: str) -> None:
        stream = self._hub.stream(key)
        stream.settled(socket.group)
        self._hub.left(stream)
