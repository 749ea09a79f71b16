"""What the log says against what was sent: finds what no ring told of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Protocol

import structlog

from swarm.live.counts import Counts
from swarm.live.drawing import Drawing
from swarm.live.socket import Socket
from swarm.live.stream import Stream

ALL_EVERY = 10
"""Comparisons between two that trust nobody's word that nothing was written."""

_log = structlog.get_logger(__name__)


class Tails(Protocol):
    """What a comparison needs of the hub."""

    counts: Counts

    def live(self, key: str) -> Stream | None: ...
    def open_streams(self) -> Collection[Stream]: ...
    def due(self, stream: Stream) -> None: ...
    def reload(self, stream: Stream, sockets: Iterable[Socket]) -> None: ...


class Heads:
    """Compares the heads of open streams, each second and whenever there is doubt."""

    def __init__(
        self, hub: Tails, drawing: Drawing, changed_outside: Callable[[], bool], threads: Executor
    ) -> None:
        self._hub = hub
        self._drawing = drawing
        self._changed_outside = changed_outside
        self._threads = threads
        self._trusted = 0
        self._asked = False
        self._rereading: asyncio.Task[None] | None = None

    def doubt(self) -> None:
        """The next comparison asks the log, whatever it says of changes."""
        self._trusted = 0

    def reread(self) -> None:
        """Compare now, in doubt."""
        self._asked = True
        if self._rereading is None or self._rereading.done():
            self._rereading = asyncio.get_running_loop().create_task(self._reread())

    def stop(self) -> None:
        """No more questions."""
        if self._rereading is not None:
            self._rereading.cancel()

    async def compare(self) -> None:
        """Make due what nobody was sent, reload what the log no longer has. Raises what the log raises."""
        sent = {stream.key: stream.sent for stream in self._hub.open_streams() if stream.sent is not None}
        trusting = self._trusted > 0
        self._trusted = (self._trusted + 1) % ALL_EVERY
        loop = asyncio.get_running_loop()
        try:
            heads = await loop.run_in_executor(self._threads, self._ask, list(sent), trusting)
        except Exception:
            self._trusted = 0
            raise
        for key, head in heads.items():
            stream = self._hub.live(key)
            if stream is None or stream.sent is None:
                continue
            if head < sent[key]:
                # A backup was restored under us.
                self._hub.reload(stream, stream.sockets())
                stream.sent = None
            elif head > stream.sent:
                self._hub.counts.found_by_heads += stream.known < head
                stream.hear(head, None)
                self._hub.due(stream)

    def _ask(self, keys: Sequence[str], trusting: bool) -> Mapping[str, int]:
        if not self._changed_outside() and trusting:
            return {}
        return self._drawing.heads(keys) if keys else {}

    async def _reread(self) -> None:
        while self._asked:
            self._asked = False
            self._trusted = 0
            try:
                await self.compare()
            except Exception:
                _log.exception("heads_unknown")
