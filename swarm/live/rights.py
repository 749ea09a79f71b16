"""Rights at delivery: standing is asked for all the time, not only at the door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import monotonic
from typing import Protocol, TypeVar

import structlog

from swarm.live import close_codes
from swarm.live.ports import Doorman, Viewer
from swarm.live.socket import Socket
from swarm.text.language import _, use

_log = structlog.get_logger(__name__)
A = TypeVar("A")
R = TypeVar("R")


class Watched(Protocol):
    """What the sweep needs of the hub."""

    def sockets_by_session(self) -> Mapping[str, Collection[Socket]]: ...
    def take_away(self, socket: Socket, stream: str, why: str) -> None: ...
    def held_back(self) -> bool: ...
    def allowed_again(self) -> None: ...


class Rights:
    """One question for all sessions, then another for those whose stamp moved."""

    def __init__(self, doorman: Doorman, hub: Watched) -> None:
        # A thread of its own: slow drawing must not delay it.
        self._thread = ThreadPoolExecutor(1, "swarm-rights")
        self._doorman = doorman
        self._hub = hub
        self._lock = asyncio.Lock()
        self._urgent: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self.asked_at = float("-inf")
        """When the last answer was asked for; the loop's own time stands still with the loop."""

    def urgent(self, viewers: Iterable[str]) -> None:
        """Something happened to these people: look at once."""
        self._urgent.update(viewers)
        if self._urgent and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look_now())

    async def sweep(self, only: Collection[str] | None = None) -> None:
        """Close what is signed out, take away what was lost; `only` these people, or all."""
        async with self._lock:
            asked_at = monotonic()
            sessions = {
                key: next(iter(sockets)) for key, sockets in self._hub.sockets_by_session().items() if sockets
            }
            viewers = [
                socket.viewer for socket in sessions.values() if only is None or socket.viewer.id in only
            ]
            if viewers:
                await self._apply(viewers)
            if only is None:
                self.asked_at = asked_at
                self._hub.allowed_again()

    async def _apply(self, viewers: Collection[Viewer]) -> None:
        standing = await self._ask(self._doorman.standing, viewers)
        moved: list[tuple[Socket, Viewer]] = []
        for viewer in viewers:
            stamp = standing.get(viewer.key)
            for socket in list(self._hub.sockets_by_session().get(viewer.key, ())):
                if stamp is None:
                    if not self._cut_short(socket):
                        socket.close(close_codes.SIGNED_OUT)
                elif socket.viewer.stamp != stamp:
                    moved.append((socket, replace(socket.viewer, stamp=stamp)))
        if not moved:
            return
        asked: dict[Viewer, set[str]] = {viewer: set(socket.streams) for socket, viewer in moved}
        for socket, viewer in moved:
            asked[viewer] |= set(socket.streams)
        kept = await self._ask(self._doorman.allowed, asked)
        for socket, viewer in moved:
            lost = [key for key in socket.streams if key in asked[viewer] and key not in kept[viewer]]
            if lost and self._cut_short(socket):
                continue
            for stream in lost:
                with use(viewer.language):
                    why = _("You can no longer see this conversation.")
                self._hub.take_away(socket, stream, why)
            # A stream that was joined meanwhile was not asked about: the old stamp makes the next sweep ask.
            if asked[viewer] >= set(socket.streams):
                socket.viewer = viewer

    def _cut_short(self, socket: Socket) -> bool:
        # What still lies here was drawn when they had the right; the page comes back and asks anew.
        if not socket.unread() and not (socket.pending and self._hub.held_back()):
            return False
        socket.abort()
        return True

    def stop(self) -> None:
        """No more questions."""
        if self._task is not None:
            self._task.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, question: Callable[[A], R], about: A) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, question, about)

    async def _look_now(self) -> None:
        try:
            while self._urgent:
                only, self._urgent = self._urgent, set()
                await self.sweep(only)
        except Exception:
            # The regular sweep asks again, and nothing is delivered on a stale answer.
            _log.exception("rights_unknown")
        finally:
            self._task = None
