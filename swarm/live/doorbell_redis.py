"""The doorbell between workers: Redis pub/sub, watched through its own path, since TCP says nothing."""

from __future__ import annotations

import asyncio
import random
import secrets
import zlib
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from swarm.live.ports import Ear
from swarm.redis_away import RedisAway, asked
from swarm.store.log import Entry

CHANNELS = 256
"""Streams share this many channels, by hash."""
PROBE_SECONDS = 5.0
SILENT_SECONDS = 12.0
"""Without a probe's return for this long the connections are thrown away."""
ENSURE_SECONDS = 0.5
"""A joiner waits no longer: the log's heads are compared anyway."""
ANSWER_SECONDS = 2.0
LARGEST = 8 * 1024
"""Bytes of an entry that still travels; of a larger one only the number does."""
MOST_WAITING = 10_000

_log = structlog.get_logger(__name__)
_encode = msgspec.msgpack.Encoder().encode


class _Ring(msgspec.Struct, array_like=True, tag=0):
    worker: str
    stream: str
    seq: int
    entry: Entry | None


class _Signal(msgspec.Struct, array_like=True, tag=1):
    worker: str
    stream: str
    message: dict[str, Any]


class _Probe(msgspec.Struct, array_like=True, tag=2):
    sent: float


_decode = msgspec.msgpack.Decoder(_Ring | _Signal | _Probe).decode


class RedisDoorbell:
    """Rings and signals between workers; dead, slow or frozen, it never holds anybody up."""

    def __init__(
        self, url: str, *, prefix: str = "swarm", probe: float = PROBE_SECONDS, silent: float = SILENT_SECONDS
    ) -> None:
        self._url = url
        self._prefix = prefix
        self._probe_every = probe
        self._silent = silent
        self._worker = secrets.token_hex(6)
        self._own = f"{prefix}:probe:{self._worker}"
        self._ear: Ear | None = None
        self._streams: dict[str, set[str]] = {}
        """Channel → streams somebody here looks at."""
        self._confirmed: dict[str, asyncio.Event] = {}
        self._outgoing: deque[tuple[str, bytes]] = deque(maxlen=MOST_WAITING)
        self._outgoing_some = asyncio.Event()
        self._proved = float("-inf")
        self._began = 0.0
        self._pubsub: PubSub | None = None
        self._subscribing: set[asyncio.Task[None]] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._publishing: asyncio.Task[None] | None = None
        self._stopped = False
        self.counts: Counter[str] = Counter()

    async def start(self, ear: Ear) -> None:
        """Begin to listen; a Redis that is down is tried again and again."""
        self._ear = ear
        self._began = self._now()
        loop = asyncio.get_running_loop()
        self._publishing = loop.create_task(self._publish_forever())
        self._tasks = [
            self._publishing,
            loop.create_task(self._listen_forever()),
            loop.create_task(self._probe_forever()),
        ]

    async def stop(self) -> None:
        """Let the connections go."""
        self._stopped = True
        self._outgoing_some.set()
        tasks = {*self._tasks, *self._subscribing}
        if self._publishing is not None and self.age() < 2 * self._probe_every:
            await asyncio.wait({self._publishing}, timeout=1.0)
        for _ in range(3):
            # redis-py may swallow a cancellation.
            for task in tasks:
                task.cancel()
            if not tasks:
                break
            _done, tasks = await asyncio.wait(tasks, timeout=1.0)

    def ring(self, entries: Sequence[Entry]) -> None:
        """Tell the other workers; lost when Redis is away, which the log makes good."""
        for entry in entries:
            if entry.fresh is not None:
                entry = replace(entry, fresh=None)
            data = _encode(_Ring(self._worker, entry.stream, entry.seq, entry))
            if len(data) > LARGEST:
                data = _encode(_Ring(self._worker, entry.stream, entry.seq, None))
            self._put(self._channel(entry.stream), data)

    def tell(self, stream: str, message: Mapping[str, Any]) -> None:
        """Pass a signal to the other workers."""
        self._put(self._channel(stream), _encode(_Signal(self._worker, stream, dict(message))))

    async def ensure(self, streams: Collection[str]) -> None:
        """Wait for the subscriptions, a little."""
        waits: list[asyncio.Event] = []
        fresh: list[str] = []
        for stream in streams:
            channel = self._channel(stream)
            if channel not in self._streams:
                self._streams[channel] = set()
                self._confirmed[channel] = asyncio.Event()
                fresh.append(channel)
            self._streams[channel].add(stream)
            if not self._confirmed[channel].is_set():
                waits.append(self._confirmed[channel])
        if fresh and self._pubsub is not None:
            task = asyncio.get_running_loop().create_task(self._subscribe(self._pubsub, fresh))
            self._subscribing.add(task)
            task.add_done_callback(self._subscribing.discard)
        if waits and self.age() < 2 * self._probe_every:
            try:
                async with asyncio.timeout(ENSURE_SECONDS):
                    for event in waits:
                        await event.wait()
            except TimeoutError:
                self.counts["late_subscriptions"] += 1

    def drop(self, streams: Collection[str]) -> None:
        """Forget the streams; their channels stay subscribed until the connection is renewed."""
        for stream in streams:
            watched = self._streams.get(self._channel(stream))
            if watched is not None:
                watched.discard(stream)

    def age(self) -> float:
        """Seconds since a probe that came back was sent."""
        return self._now() - max(self._proved, self._began)

    def _channel(self, stream: str) -> str:
        return f"{self._prefix}:bell:{zlib.crc32(stream.encode()) % CHANNELS}"

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _put(self, channel: str, data: bytes) -> None:
        self._outgoing.append((channel, data))
        self._outgoing_some.set()

    def _client(self) -> Redis:
        return Redis.from_url(
            self._url,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            # Trying again is ours, so that every new subscription is seen and the log read again.
            retry=Retry(NoBackoff(), 0),
        )

    async def _listen_forever(self) -> None:
        pause = 0.1
        while not self._stopped:
            began = self._now()
            client = self._client()
            try:
                with asked():
                    async with client, client.pubsub() as pubsub:
                        await self._listen(pubsub)
            except RedisAway as problem:
                self.counts["reconnections"] += 1
                _log.warning("doorbell_lost", problem=str(problem), age=round(self.age(), 1))
            except Exception:
                _log.exception("doorbell_failed")
            finally:
                self._pubsub = None
                for event in self._confirmed.values():
                    event.clear()
            if self._now() - began > 10.0:
                pause = 0.1
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
            pause = min(pause * 2, 5.0)

    async def _listen(self, pubsub: PubSub) -> None:
        self._streams = {channel: streams for channel, streams in self._streams.items() if streams}
        self._confirmed = {channel: self._confirmed[channel] for channel in self._streams}
        self._pubsub = pubsub
        await pubsub.subscribe(self._own, *self._streams)
        quiet_since = self._now()
        while not self._stopped:
            message = await pubsub.get_message(timeout=1.0)
            if message is not None:
                self._hear(message)
            if self._now() - max(self._proved, quiet_since) > self._silent:
                raise TimeoutError("no probe came back")

    def _hear(self, message: Mapping[str, Any]) -> None:
        assert self._ear is not None
        channel = message["channel"].decode()
        if message["type"] == "subscribe":
            event = self._confirmed.get(channel)
            if event is not None:
                event.set()
                self._ear.reread(self._streams[channel])
            return
        if message["type"] != "message":
            return
        try:
            heard = _decode(message["data"])
        except msgspec.MsgspecError:
            self.counts["unreadable"] += 1
            return
        if isinstance(heard, _Probe):
            self._proved = max(self._proved, heard.sent)
        elif heard.worker == self._worker:
            return
        elif isinstance(heard, _Ring):
            self._ear.heard(heard.stream, heard.seq, heard.entry)
        elif heard.stream in self._streams.get(channel, ()):
            self._ear.signal(heard.stream, heard.message)

    async def _subscribe(self, pubsub: PubSub, channels: Sequence[str]) -> None:
        try:
            with asked():
                await pubsub.subscribe(*channels)
        except RedisAway:
            # The listener sees the same and begins anew with all channels.
            self.counts["failed_subscriptions"] += 1

    async def _publish_forever(self) -> None:
        while not self._stopped:
            try:
                with asked():
                    await self._publish()
            except RedisAway:
                self.counts["lost_batches"] += 1
            except Exception:
                _log.exception("doorbell_failed")
            await asyncio.sleep(0.2)

    async def _publish(self) -> None:
        async with self._client() as client:
            while self._outgoing or not self._stopped:
                await self._outgoing_some.wait()
                self._outgoing_some.clear()
                batch = [self._outgoing.popleft() for _ in range(len(self._outgoing))]
                if not batch:
                    continue
                async with client.pipeline(transaction=False) as pipe:
                    for channel, data in batch:
                        pipe.publish(channel, data)
                    await pipe.execute()

    async def _probe_forever(self) -> None:
        while True:
            self._put(self._own, _encode(_Probe(self._now())))
            await asyncio.sleep(self._probe_every)
