"""The hub of one worker: from rings and the log to sockets, in order and without holes."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from time import monotonic
from typing import Any

import structlog
from starlette.datastructures import Headers

from swarm.live import close_codes
from swarm.live.admission import Admission
from swarm.live.counts import Counts
from swarm.live.drawing import Drawing
from swarm.live.frames import BadFrame, Batch, Form, decode, encode
from swarm.live.heads import Heads
from swarm.live.joining import Joining
from swarm.live.limits import Limits
from swarm.live.notices import Notice, no_notice, tell_everybody
from swarm.live.ports import AtOnce, Describe, Doorbell, Doorman, Log, Post, Refused, Render, Viewer
from swarm.live.presence import REFRESH, Presence, has_presence, hears_of
from swarm.live.reading import Reading
from swarm.live.rights import Rights
from swarm.live.socket import Socket, short
from swarm.live.stream import Stream
from swarm.live.turns import Turns
from swarm.store.log import Entry

_log = structlog.get_logger(__name__)


class Hub:
    """Sockets, streams and what carries events from one to the other."""

    def __init__(
        self,
        *,
        log: Log,
        render: Render,
        doorman: Doorman,
        post: Post,
        doorbell: Doorbell,
        describe: Describe | None = None,
        at_once: AtOnce | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.counts = Counts()
        self.doorbell = doorbell
        self.epoch = ""
        self.notice: Notice = no_notice
        self._log_port = log
        self._describe = describe
        self._threads = ThreadPoolExecutor(self.limits.threads, "swarm-live")
        self._admission = Admission(doorman, self._threads)
        self._drawing = Drawing(log, render, doorman, describe, at_once)
        self._joining = Joining(self, self._drawing, doorbell, self._threads, self.limits.resync)
        self._heads = Heads(self, self._drawing, log.changed_outside, self._threads)
        self.doubt_heads = self._heads.doubt
        self._turns = Turns(self, self._drawing, self._threads, self.limits, self.counts)
        self.due, self.push = self._turns.due, self._turns.push
        self._presence = Presence(doorbell.tell, self._tell_presence, grace=self.limits.presence_grace)
        self._rights = Rights(doorman, self)
        self._reading = Reading(self, post, self.limits, partial(self._in_thread, doorman.may_write))
        self.timings = {"lag": self._turns.lag, "post": self._reading.posting}
        self._streams: dict[str, Stream] = {}
        self._sessions: dict[str, set[Socket]] = {}
        self._count = 0
        self._rung: deque[Sequence[Entry]] = deque()
        self._rung_asked = False
        self._stopping = self._leaving = False
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Begin; call in the event loop before the first socket."""
        self._loop = asyncio.get_running_loop()
        self.epoch = await self._in_thread(self._log_port.epoch)
        await self.doorbell.start(self)
        self._rights.asked_at = monotonic()
        self._tasks = [
            self._loop.create_task(self._every(self.limits.heads_every, self._heads.compare)),
            self._loop.create_task(self._every(self.limits.rights_every, self._rights.sweep)),
            self._loop.create_task(self._every(self.limits.beat / 4, self._look_for_dead)),
            self._loop.create_task(self._every(REFRESH, self._refresh)),
        ]

    async def stop(self) -> None:
        """End what is open and let everything go."""
        self._stopping = True
        for socket in list(self._sockets()):
            socket.close(close_codes.RESTART)
        self._presence.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._heads.stop()
        self._admission.stop()
        self._joining.stop()
        self._rights.stop()
        await self._reading.finish()
        await self.doorbell.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def drain(self) -> None:
        """This worker is about to go: say so to whoever asks; whoever is at the door already comes in."""
        self._leaving = True

    async def close_all(self, spread: float) -> None:
        """Send everybody away to come back elsewhere, over `spread` seconds; returns when all were told."""
        self._stopping = self._leaving = True
        loop = asyncio.get_running_loop()
        if not self._count:
            return
        for socket in list(self._sockets()):
            loop.call_later(random.uniform(0.0, spread), socket.close, close_codes.RESTART)  # noqa: S311
        await asyncio.sleep(spread)

    def ring(self, entries: Sequence[Entry]) -> None:
        """Something was committed here. Callable from any thread; never waits, never raises."""
        self._rung.append(entries)
        if self._rung_asked or self._loop is None:
            return
        self._rung_asked = True
        try:
            self._loop.call_soon_threadsafe(self._take_rings)
        except RuntimeError:
            self._rung_asked = False

    def figures(self) -> dict[str, float]:
        """For metrics and health."""
        now = {"sockets": self._count, "streams": len(self._streams), "draining": self._leaving}
        return asdict(self.counts) | now | {"doorbell_age": self.doorbell.age()}

    # The door.

    def full(self) -> bool:
        """No room for another socket."""
        return self._stopping or self._count >= self.limits.sockets

    def forms(self) -> frozenset[Form]:
        """How events can be told."""
        return frozenset({"html", "json"} if self._describe is not None else {"html"})

    async def admit(self, headers: Headers) -> Viewer | Refused:
        """Whose handshake this is."""
        return await self._admission.admit(headers)

    def open(self, viewer: Viewer, form: Form) -> Socket | Refused:
        """Count the viewer in."""
        mine = self._sessions.setdefault(viewer.key, set())
        if len(mine) >= self.limits.sockets_of_one:
            return Refused(close_codes.AGAIN_LATER, "too many windows")
        socket = Socket(viewer, form, self.now())
        mine.add(socket)
        self._count += 1
        return socket

    def greet(self, socket: Socket) -> bytes:
        """The first frame."""
        hello = {"t": "hello", "epoch": self.epoch, "beat": self.limits.beat, "you": socket.viewer.id}
        notice = self.notice(socket.viewer.language)
        return encode(hello | {"readonly": notice} if notice else hello)

    def tell_notice(self) -> None:
        """What `notice` says has changed: tell everybody, at once and whatever they watch."""
        tell_everybody(self._sockets(), self.push, self.notice)

    def read(self, socket: Socket, text: str | None) -> None:
        """Act on a frame from the client."""
        if socket.closing:
            return
        if not socket.bucket.take(self.now(), self.limits.frames_per_second, self.limits.frames_at_once):
            socket.close(close_codes.AGAIN_LATER, "too many frames")
            return
        try:
            if text is None:
                raise BadFrame("text expected")
            self._reading.act(socket, decode(text))
        except BadFrame as problem:
            socket.close(close_codes.BAD_FRAME, short(str(problem)))

    def lost(self, socket: Socket) -> None:
        """The connection is gone."""
        socket.detach()
        for key in list(socket.streams):
            self.leave(socket, key)
        mine = self._sessions.get(socket.viewer.key)
        if mine is not None and socket in mine:
            self._count -= 1
            mine.discard(socket)
            if not mine:
                del self._sessions[socket.viewer.key]

    # Watching.

    def stream(self, key: str) -> Stream:
        """The stream's tail here, begun if need be."""
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = Stream(key)
        return stream

    def live(self, key: str) -> Stream | None:
        """The stream's tail here, if there is one."""
        return self._streams.get(key)

    def open_streams(self) -> Collection[Stream]:
        """Every stream somebody here looks at."""
        return self._streams.values()

    def join(self, socket: Socket, key: str, shown: int) -> None:
        """Show this stream from that number on; asking again begins anew."""
        if key in socket.streams:
            self.leave(socket, key)
        self._joining.join(socket, key, shown)

    def joined(self, socket: Socket, stream: Stream) -> None:
        """The socket is live on the stream."""
        if stream.sent is not None and stream.known > stream.sent:
            self.due(stream)
        if has_presence(stream.key):
            self._presence.enter(stream.key, socket.viewer)
            if hears_of(socket.viewer.audience, stream.key):
                self.push(socket, self._presence.frame(stream.key))

    def leave(self, socket: Socket, key: str) -> None:
        """The socket shows the stream no more."""
        was_live = socket.streams.pop(key, False)
        stream = self._streams.get(key)
        if stream is None:
            return
        stream.remove(socket)
        if was_live and has_presence(key):
            self._presence.leave(key, socket.viewer)
        self.left(stream)

    def left(self, stream: Stream) -> None:
        """Forget a stream nobody looks at."""
        if stream.unused and self._streams.get(stream.key) is stream:
            del self._streams[stream.key]
            self._turns.forget(stream)
            self.doorbell.drop([stream.key])

    def take_away(self, socket: Socket, stream: str, why: str) -> None:
        """The viewer lost the right to see the stream."""
        self.leave(socket, stream)
        self.push(socket, Batch([encode({"t": "gone", "s": stream, "why": why})]))

    def sockets_by_session(self) -> Mapping[str, Collection[Socket]]:
        """Everybody here."""
        return self._sessions

    def people_here(self) -> set[int]:
        """Colleagues with an open socket here."""
        ids = (socket.viewer.id.partition(":") for socket in self._sockets())
        return {int(number) for kind, _colon, number in ids if kind == "person"}

    def held_back(self) -> bool:
        """Nobody can say who may see what."""
        return monotonic() - self._rights.asked_at > self.limits.rights_stale

    def allowed_again(self) -> None:
        """Standing is known again: go on with what was held back."""
        self._turns.go_on()
        for stream in self._streams.values():
            if stream.sent is not None and stream.known > stream.sent:
                self.due(stream)

    # Hearing.

    def heard(self, stream: str, seq: int, entry: Entry | None) -> None:
        """The doorbell says the stream reached this number."""
        if stream.startswith(("person:", "customer:")):
            self._rights.urgent((stream,))
        tail = self._streams.get(stream)
        if tail is not None:
            tail.hear(seq, entry)
            self.due(tail)

    def reread(self, streams: Collection[str]) -> None:
        """The doorbell may have missed something."""
        self._heads.reread()

    def signal(self, stream: str, message: Mapping[str, Any]) -> None:
        """Another worker says who is there or who types."""
        if message["k"] == "typing":
            self._reading.show_typing(stream, message["id"], message["name"], message["audience"])
        else:
            self._presence.hear(stream, message)

    def _take_rings(self) -> None:
        self._rung_asked = False
        while self._rung:
            entries = self._rung.popleft()
            self.doorbell.ring(entries)
            for entry in entries:
                self.heard(entry.stream, entry.seq, entry)

    def now(self) -> float:
        """The loop's time."""
        assert self._loop is not None
        return self._loop.time()

    def reload(self, stream: Stream, sockets: Iterable[Socket]) -> None:
        """The pages of these begin anew."""
        batch = Batch([encode({"t": "reload", "s": stream.key})])
        for socket in sockets:
            self.leave(socket, stream.key)
            self.push(socket, batch)
            self.counts.reloads += 1

    def _tell_presence(self, key: str, batch: Batch) -> None:
        stream = self._streams.get(key)
        if stream is not None:
            for group, sockets in stream.groups.items():
                if hears_of(group[0], key):
                    for socket in sockets:
                        self.push(socket, batch)

    # Looking after it all.

    async def _look_for_dead(self) -> None:
        now = self.now()
        beat = self.limits.beat
        for socket in list(self._sockets()):
            silent = now - socket.heard_at
            if silent > 2.5 * beat:
                self.counts.silent_cut += 1
                socket.abort()
            elif silent > 1.25 * beat:
                socket.ping()

    async def _refresh(self) -> None:
        self._presence.refresh()
        epoch = await self._in_thread(self._log_port.epoch)
        if epoch != self.epoch:
            self.epoch = epoch
            for stream in list(self._streams.values()):
                self.reload(stream, stream.sockets())

    async def _every(self, seconds: float, do: Callable[[], Awaitable[None]]) -> None:
        at = self.now()
        while True:
            await self._guarded(do)
            at = max(at + seconds, self.now())
            await asyncio.sleep(at - self.now())

    async def _guarded(self, do: Callable[[], Awaitable[None]]) -> None:
        try:
            await do()
        except Exception:
            _log.exception("live_sweep_failed")

    async def _in_thread(self, do: Callable[..., Any], *args: Any) -> Any:
        assert self._loop is not None
        return await self._loop.run_in_executor(self._threads, do, *args)

    def _sockets(self) -> Iterable[Socket]:
        for mine in self._sessions.values():
            yield from mine
