"""The turn: what became due is drawn once, and each socket gets it in one write."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import Protocol

from swarm.live import close_codes
from swarm.live.counts import Counts, Timing
from swarm.live.drawing import Drawing, Job
from swarm.live.frames import Batch
from swarm.live.limits import Limits
from swarm.live.socket import Socket
from swarm.live.stream import Stream

SLICE = 16
"""Sockets of each line written to before the loop looks at what has come in."""
IMPORTED = 600.0
"""Seconds: what is older was not late, but written for a time long ago."""
FAILURES = 3
"""A stream that cannot be drawn so often makes its pages reload instead."""


class Tails(Protocol):
    """What a turn needs of the hub."""

    def stream(self, key: str) -> Stream: ...
    def left(self, stream: Stream) -> None: ...
    def reload(self, stream: Stream, sockets: Collection[Socket]) -> None: ...
    def held_back(self) -> bool: ...
    def doubt_heads(self) -> None: ...


class Turns:
    """Gathers streams and sockets through one turn of the event loop."""

    def __init__(
        self, hub: Tails, drawing: Drawing, threads: Executor, limits: Limits, counts: Counts
    ) -> None:
        self._hub = hub
        self._drawing = drawing
        self._threads = threads
        self._limits = limits
        self._counts = counts
        self._due: set[Stream] = set()
        # Those who write wait for their own words and for answers: they have a line of their own.
        self._writers: deque[Socket] = deque()
        self._readers: deque[Socket] = deque()
        self._turn_asked = False
        self._oldest: datetime | None = None
        self.lag = Timing()
        """From an event's time to handing it to sockets, once a turn."""

    def forget(self, stream: Stream) -> None:
        """Nobody looks at it any more."""
        self._due.discard(stream)

    def due(self, stream: Stream) -> None:
        """Look at the stream at the end of this turn."""
        self._due.add(stream)
        self._ask_turn()

    def push(self, socket: Socket, batch: Batch) -> None:
        """Add to what the socket gets at the end of this turn."""
        if socket.pending is None:
            socket.pending = [batch]
            (self._readers if socket.posts is None else self._writers).append(socket)
            self._ask_turn()
        else:
            socket.pending.append(batch)

    def go_on(self) -> None:
        """Standing is known again."""
        self._ask_turn()

    def _ask_turn(self) -> None:
        if not self._turn_asked:
            self._turn_asked = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_asked = False
        if self._hub.held_back():
            # Held back until standing is known again; so is what was drawn before this process stood still.
            self._due.clear()
            return
        if self._due:
            self._look()
        self._flush()

    def _look(self) -> None:
        jobs: list[Job] = []
        loop = asyncio.get_running_loop()
        now = loop.time()
        due, self._due = self._due, set()
        for stream in due:
            if stream.busy or stream.sent is None or stream.known <= stream.sent:
                continue
            if (early := stream.drawn_at + self._limits.pace - now) > 0:
                stream.busy = True
                loop.call_later(early, self._paced, stream)
                continue
            stream.drawn_at = now
            groups = list(stream.wanted)
            if not groups:
                stream.told(stream.known)
                continue
            job = Job(stream.key, stream.sent, stream.carried_next(), groups)
            if self._drawing.at_once(job):
                self._deliver(stream, job)
            else:
                stream.busy = True
                jobs.append(job)
        if jobs:
            self._draw(jobs)

    def _paced(self, stream: Stream) -> None:
        stream.busy = False
        if stream.unused:
            self._hub.left(stream)
        else:
            self.due(stream)

    def _draw(self, jobs: Sequence[Job]) -> None:
        drawing = asyncio.get_running_loop().run_in_executor(self._threads, self._drawing.draw, jobs)
        drawing.add_done_callback(self._drawn)

    def _drawn(self, drawing: asyncio.Future[Sequence[Job]]) -> None:
        if drawing.cancelled():
            return
        again: list[Job] = []
        for job in drawing.result():
            stream = self._hub.stream(job.key)
            missing = [
                group for group in stream.wanted if group not in job.pieces and group not in job.undrawn
            ]
            if job.entries and missing and not job.failed:
                job.groups = missing
                again.append(job)
                continue
            stream.busy = False
            if job.failed:
                self._hub.doubt_heads()
            else:
                self._deliver(stream, job)
            self._hub.left(stream)
        self._counts.turns += 1
        if again:
            self._draw(again)

    def _deliver(self, stream: Stream, job: Job) -> None:
        if not job.entries:
            # Somebody spoke of a number the log does not have: believe the log.
            stream.known = stream.sent or 0
            return
        if job.undrawn:
            stream.failures += 1
            if stream.failures < FAILURES:
                self._hub.doubt_heads()
                return
            for group in job.undrawn:
                self._hub.reload(stream, list(stream.groups.get(group, ())))
        stream.failures = 0
        count = len(job.entries)
        at = job.entries[0].at
        if stream.groups and (self._oldest is None or at < self._oldest):
            self._oldest = at
        for group, payloads in job.pieces.items():
            stream.keep(group, job.after, payloads)
        for group, sockets in stream.groups.items():
            payloads = job.pieces[group]
            batch = Batch(payloads)
            for socket in sockets:
                if stream.ahead and (shown := stream.ahead.get(socket)) is not None:
                    if payloads[shown - job.after :]:
                        self.push(socket, Batch(payloads[shown - job.after :]))
                else:
                    self.push(socket, batch)
            self._counts.deliveries += count * len(sockets)
        stream.told(job.after + count)
        if stream.sent is not None and stream.known > stream.sent:
            self.due(stream)

    def _flush(self) -> None:
        most, count = self._limits.slow_reader, 0
        for line in (self._writers, self._readers):
            for _each in range(min(SLICE, len(line))):
                socket = line.popleft()
                count += 1
                if not socket.flush(most):
                    self._counts.slow_cut += 1
                    socket.close(close_codes.AGAIN_LATER, "too slow")
        self._counts.writes += count
        if self._writers or self._readers:
            self._ask_turn()
        elif self._oldest is not None:
            lag = (datetime.now(UTC) - self._oldest).total_seconds()
            self._oldest = None
            if lag < IMPORTED:
                self.lag.add(lag)
