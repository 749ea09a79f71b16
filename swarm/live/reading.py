"""What a client's frame sets off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Protocol

import structlog

from swarm.live import close_codes
from swarm.live.counts import Timing
from swarm.live.frames import (
    LONGEST_BODY,
    MOST_STREAMS,
    Batch,
    Frame,
    Ping,
    PostMessage,
    Typing,
    Unwatch,
    Watch,
    encode,
)
from swarm.live.limits import Bucket, Limits
from swarm.live.ports import Doorbell, Post, PostRefused, Viewer
from swarm.live.presence import has_presence, hears_of
from swarm.live.socket import Socket
from swarm.live.stream import Stream
from swarm.text.language import _, use

_PONG = Batch([encode({"t": "pong"})])
_log = structlog.get_logger(__name__)


MayWrite = Callable[[Viewer, str], Awaitable[bool]]


class Watching(Protocol):
    """What reading needs of the hub."""

    epoch: str
    doorbell: Doorbell

    def now(self) -> float: ...
    def push(self, socket: Socket, batch: Batch) -> None: ...
    def join(self, socket: Socket, key: str, shown: int) -> None: ...
    def leave(self, socket: Socket, key: str) -> None: ...
    def live(self, key: str) -> Stream | None: ...


class Reading:
    """Acts on frames without ever waiting for the database."""

    def __init__(self, hub: Watching, post: Post, limits: Limits, may_write: MayWrite) -> None:
        self._hub = hub
        self._post = post
        self._limits = limits
        self._may_write = may_write
        self._tasks: set[asyncio.Future[Any]] = set()
        self.posting = Timing()

    def act(self, socket: Socket, frame: Frame) -> None:
        """Do what the frame asks."""
        match frame:
            case PostMessage():
                self._begin_post(socket, frame)
            case Ping():
                socket.answer(_PONG)
            case Watch():
                self._watch(socket, frame)
            case Unwatch():
                for key in frame.streams:
                    self._hub.leave(socket, key)
            case Typing():
                self._typing(socket, frame.s)

    async def finish(self) -> None:
        """Wait for the posts under way."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5.0)

    def show_typing(self, key: str, who: str, name: str, audience: str) -> None:
        """Tell those who look that somebody writes; customers and guests hear on the lane of staff only."""
        stream = self._hub.live(key)
        if stream is None:
            return
        batch = Batch([encode({"t": "typing", "s": key, "id": who, "name": name})])
        for group, sockets in stream.groups.items():
            if hears_of(group[0], key) or (audience == "staff" and key.startswith("lane:")):
                for socket in sockets:
                    if socket.viewer.id != who:
                        self._hub.push(socket, batch)

    def _watch(self, socket: Socket, frame: Watch) -> None:
        if len(socket.streams.keys() | frame.streams.keys()) > MOST_STREAMS:
            socket.close(close_codes.BAD_FRAME, "too many streams")
            return
        for key, shown in frame.streams.items():
            if frame.epoch != self._hub.epoch:
                self._hub.leave(socket, key)
                self._hub.push(socket, Batch([encode({"t": "reload", "s": key})]))
            else:
                self._hub.join(socket, key, shown)

    def _typing(self, socket: Socket, key: str) -> None:
        if not socket.streams.get(key) or not has_presence(key):
            return
        now = self._hub.now()
        if socket.typed_at is None:
            socket.typed_at = {}
        if now - socket.typed_at.get(key, float("-inf")) < self._limits.typing_every:
            return
        socket.typed_at = {k: at for k, at in socket.typed_at.items() if k in socket.streams} | {key: now}
        self._go(self._pass_on_typing(socket.viewer, key))

    async def _pass_on_typing(self, who: Viewer, key: str) -> None:
        try:
            if not await self._may_write(who, key):
                return
        except Exception:
            _log.warning("typing_not_passed_on", stream=key)
            return
        self.show_typing(key, who.id, who.name, who.audience)
        self._hub.doorbell.tell(
            key, {"k": "typing", "id": who.id, "name": who.name, "audience": who.audience}
        )

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _begin_post(self, socket: Socket, frame: PostMessage) -> None:
        limits = self._limits
        now = self._hub.now()
        if socket.posts is None:
            socket.posts = Bucket(limits.posts_at_once, now)
        if socket.in_flight >= limits.posts_in_flight or not socket.posts.take(
            now, limits.posts_per_second, limits.posts_at_once
        ):
            with use(socket.viewer.language):
                why = _("Too many messages at once. Wait a moment, then try again.")
            self._refuse(socket, frame.id, 429, why)
            return
        if len(frame.body) > LONGEST_BODY:
            with use(socket.viewer.language):
                self._refuse(socket, frame.id, 422, _("This message is too long."))
            return
        answer = asyncio.ensure_future(self._post(socket.viewer, frame.s, frame.id, frame.body))
        socket.in_flight += 1
        self._tasks.add(answer)
        answer.add_done_callback(partial(self._answered, socket, frame.id, now))

    def _answered(self, socket: Socket, client_id: str, began: float, answer: asyncio.Future[int]) -> None:
        socket.in_flight -= 1
        self.posting.add(self._hub.now() - began)
        self._tasks.discard(answer)
        if answer.cancelled():
            return
        failure = answer.exception()
        if failure is None:
            self._hub.push(socket, Batch([encode({"t": "ack", "id": client_id, "n": answer.result()})]))
        elif isinstance(failure, PostRefused):
            self._refuse(socket, client_id, failure.status, failure.why, failure.after)
        else:
            _log.error("post_failed", exc_info=failure)
            with use(socket.viewer.language):
                self._refuse(socket, client_id, 500, _("Something went wrong here. It is safe to try again."))

    def _refuse(self, socket: Socket, client_id: str, status: int, why: str, after: int = 0) -> None:
        frame = {"t": "refused", "id": client_id, "status": status, "why": why}
        self._hub.push(socket, Batch([encode(frame | {"after": after} if after else frame)]))
