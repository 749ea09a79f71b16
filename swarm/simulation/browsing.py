"""A browser without script: cookies, forms, patience with limits; and the one socket of its pages."""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Origin, Subprotocol

from swarm.simulation.figures import Figures
from swarm.simulation.pages import Live, Page

_NUMBERS = re.compile(r"\d+")
_SECRET = re.compile(r"^/link/[^/]+")
_MESSAGE = re.compile(r'data-author="([^"]+)" data-client-id="([^"]+)"')
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PATIENCE = 60.0
"""Seconds in which a server that went down may come back."""


class Failed(Exception):
    """A door answered as it should not; it is counted already."""


class SignedOut(Failed):
    """The session ended: sign in again."""


class Answer:
    """What a door said."""

    def __init__(self, status: int, text: str, place: str) -> None:
        self.status = status
        self.place = place
        self._text = text

    @property
    def page(self) -> Page:
        """Read as a page."""
        return Page(self._text)


class Browser:
    """One person's cookies on one server."""

    def __init__(self, url: str, figures: Figures, connections: httpx2.AsyncHTTPTransport) -> None:
        parts = urlsplit(url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.figures = figures
        headers = {"Accept": "text/html", "Origin": self.origin, "User-Agent": "swarm simulate"}
        self.client = httpx2.AsyncClient(
            base_url=self.origin, headers=headers, transport=_Shared(connections), timeout=30
        )

    @property
    def cookie(self) -> str:
        """What its socket says of who it is."""
        return "; ".join(f"{one.name}={one.value}" for one in self.client.cookies.jar)

    async def page(self, path: str) -> Page:
        """Go there. Raises `Failed`."""
        return (await self._send("GET", path, None, (200,))).page

    async def page_once(self, path: str) -> Page:
        """Go there without patience. Raises `Failed` and `httpx2.HTTPError`."""
        answer = await self.client.get(path, follow_redirects=True)
        if answer.status_code != 200:
            raise Failed(path)
        return Page(answer.text)

    async def post(
        self, path: str, fields: Mapping[str, str | Sequence[str]], fine: Sequence[int] = (303,)
    ) -> Answer:
        """Send a form. Raises `Failed` on any answer that is not fine."""
        return await self._send("POST", path, fields, fine)

    async def _send(
        self, method: str, path: str, fields: Mapping[str, Any] | None, fine: Sequence[int]
    ) -> Answer:
        door = f"{method} {door_of(path)}"
        gives_up = time.monotonic() + PATIENCE
        while True:
            if self.figures.closing:
                raise Failed(door)
            began = time.monotonic()
            self.figures.under_way += 1
            try:
                answer = await self.client.request(
                    method,
                    path,
                    content=None if fields is None else urlencode(fields, doseq=True),
                    headers={} if fields is None else _FORM,
                )
            except httpx2.TransportError as failure:
                self.figures.errors[f"{door}: {type(failure).__name__}"] += 1
                if time.monotonic() > gives_up:
                    raise Failed(door) from None
                await asyncio.sleep(1)
                continue
            finally:
                self.figures.under_way -= 1
            if answer.status_code == 429:
                wait = _seconds(answer.headers.get("retry-after", ""))
                self.figures.limits[door] += 1
                self.figures.limited_seconds += wait
                await asyncio.sleep(wait)
                continue
            if answer.status_code == 503 and time.monotonic() < gives_up:
                self.figures.errors[f"{door}: 503"] += 1
                await asyncio.sleep(_seconds(answer.headers.get("retry-after", "")))
                continue
            self.figures.doors[door].append(time.monotonic() - began)
            if answer.status_code in (303, 401) and answer.headers.get("location", "/sign-in").startswith(
                "/sign-in"
            ):
                raise SignedOut(door)
            if answer.status_code not in fine:
                self.figures.errors[f"{door}: {answer.status_code}"] += 1
                raise Failed(door)
            return Answer(answer.status_code, answer.text, answer.headers.get("location", ""))


class Window:
    """The socket of a person's open pages: resumes by number, hears what others write."""

    def __init__(self, browser: Browser) -> None:
        self.me = ""
        self.stirred = asyncio.Event()
        """Something happened on a stream that is no ticket's: a list is to be looked at again."""
        self.called = asyncio.Event()
        """Something happened that is this person's own."""
        self._browser = browser
        self._figures = browser.figures
        self._epoch = ""
        self._at = "/live"
        self._cursors: dict[str, int] = {}
        self._heard: defaultdict[str, list[str]] = defaultdict(list)
        self._news: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._socket: ClientConnection | None = None
        self._opened = asyncio.Event()

    async def open(self, page: Page) -> None:
        """Show this page, too. Raises `Failed` where it is not live."""
        if page.live is None:
            self._figures.errors["a page that is not live"] += 1
            raise Failed("live")
        self.me = page.me or self.me
        await self._watch(page.live)

    def heard(self, stream: str) -> int:
        """How many messages of others were shown in it."""
        return len(self._heard[stream])

    async def hears(self, stream: str, after: int, seconds: float) -> bool:
        """Whether somebody else wrote in it, in time, beyond the first `after` messages."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.heard(stream) <= after:
                    self._news[stream].clear()
                    await self._news[stream].wait()
        return self.heard(stream) > after

    async def type(self, stream: str) -> None:
        """Be seen typing."""
        if stream in self._cursors:
            await self._say({"t": "typing", "s": stream})

    async def close(self, *streams: str) -> None:
        """Show these no longer."""
        gone = [one for one in streams if self._cursors.pop(one, None) is not None]
        for stream in gone:
            self._heard.pop(stream, None)
            self._news.pop(stream, None)
        if gone:
            await self._say({"t": "unwatch", "streams": gone})

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Stay connected meanwhile."""
        task = asyncio.create_task(self._stay())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _stay(self) -> None:
        await self._opened.wait()
        origin, pause = self._browser.origin, 0.1
        address = "ws" + origin.removeprefix("http") + self._at
        while True:
            try:
                async with connect(
                    address,
                    origin=Origin(origin),
                    subprotocols=[Subprotocol("swarm.html.1")],
                    additional_headers={"Cookie": self._browser.cookie},
                    compression=None,
                    max_size=None,
                    open_timeout=20,
                    proxy=None,
                ) as socket:
                    self._socket, pause = socket, 0.1
                    await self._say({"t": "watch", "epoch": self._epoch, "streams": self._cursors})
                    async for frame in socket:
                        self._take(msgspec.json.decode(frame), time.monotonic())
                why = f"{socket.close_code}"
            except (OSError, ConnectionClosed, InvalidHandshake, TimeoutError) as failure:
                why = type(failure).__name__
            self._socket = None
            self._figures.errors[f"socket closed: {why}"] += 1
            self._figures.counts["comebacks"] += 1
            await asyncio.sleep(pause)
            pause = min(pause * 2, 10)

    def _take(self, frame: dict[str, Any], now: float) -> None:
        stream = frame.get("s", "")
        match frame["t"]:
            case "event" if frame["n"] > self._cursors.get(stream, frame["n"]):
                if frame["n"] != self._cursors[stream] + 1:
                    self._figures.errors["a hole in a stream"] += 1
                self._cursors[stream] = frame["n"]
                self._figures.counts["frames"] += 1
                self._see(stream, frame["do"], now)
            case "refused":
                self._figures.errors[f"socket refused: {frame.get('status')}"] += 1
            case "reload" | "gone":
                self._cursors.pop(stream, None)
                self._figures.counts[frame["t"]] += 1

    def _see(self, stream: str, operations: list[list[str]], now: float) -> None:
        if not stream.startswith(("lane:", "room:")):
            self.stirred.set()
        if stream.startswith("person:"):
            self.called.set()
        for operation in operations:
            if operation[0] != "append":
                continue
            for author, client_id in _MESSAGE.findall(operation[2]):
                self._figures.shown(client_id, self.me, now)
                if author != self.me:
                    self._heard[stream].append(client_id)
                    self._news[stream].set()

    async def _watch(self, live: Live) -> None:
        new = {stream: n for stream, n in live.streams.items() if stream not in self._cursors}
        self._epoch, self._at = live.epoch, live.at
        self._cursors.update(new)
        self._opened.set()
        if new:
            await self._say({"t": "watch", "epoch": self._epoch, "streams": new})

    async def _say(self, frame: dict[str, Any]) -> None:
        if self._socket is not None:
            with suppress(ConnectionClosed):
                await self._socket.send(msgspec.json.encode(frame).decode())


class _Shared(httpx2.AsyncBaseTransport):
    """Connections that all browsers share, and no single one of them closes."""

    def __init__(self, connections: httpx2.AsyncHTTPTransport) -> None:
        self._connections = connections

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass it on."""
        return await self._connections.handle_async_request(request)


def connections_of(most: int) -> httpx2.AsyncHTTPTransport:
    """So many for all browsers; idle ones are closed here before a server closes them under a request."""
    return httpx2.AsyncHTTPTransport(limits=httpx2.Limits(max_connections=most, keepalive_expiry=2.0))


def door_of(path: str) -> str:
    """The kind of door: no numbers, no secrets."""
    return _NUMBERS.sub("#", _SECRET.sub("/link/…", path.partition("?")[0]))


def _seconds(retry_after: str) -> float:
    return float(retry_after) if retry_after.isdigit() else 5.0
