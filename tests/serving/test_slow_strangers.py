"""Slow headers, slow bodies, large headers and floods are cut in time, and others are served meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from swarm.live.protocol import Protocol
from swarm.web.protocol import Http, limited
from tests.support.processes import listen

SOON = 0.3
"""Seconds that headers may take here."""
PATIENCE = 10.0
HELLO = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADE = (
    b"GET /live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


class Line:
    """One connection, written to as a stranger would."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> bytes:
        """Status line and headers."""
        return await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        try:
            return await asyncio.wait_for(self.reader.read(), PATIENCE)
        except ConnectionError:
            return b""

    async def drip(self, data: bytes, every: float = 0.05) -> bytes:
        """Write the same again and again until the server closes; what it said."""

        async def dripping() -> None:
            while True:
                self.writer.write(data)
                await asyncio.sleep(every)

        task = asyncio.create_task(dripping())
        try:
            return await self.rest()
        finally:
            task.cancel()


class House:
    def __init__(self, server: uvicorn.Server, protocol: type[Http], port: int) -> None:
        self.server, self.protocol, self.port = server, protocol, port
        self.lines: list[Line] = []
        self.go_on = asyncio.Event()

    async def line(self, first: bytes = b"") -> Line:
        made = Line(*await asyncio.open_connection("127.0.0.1", self.port))
        made.send(first)
        self.lines.append(made)
        return made

    async def is_served(self) -> bool:
        return b" 200 " in await (await self.line(HELLO)).answer()


@asynccontextmanager
async def house(**bounds: Any) -> AsyncIterator[House]:
    async def here(request: Request) -> Response:
        return PlainTextResponse("here")

    async def waits(request: Request) -> Response:
        await made.go_on.wait()
        return PlainTextResponse(f"{len(await request.body())} bytes")

    async def ignores(request: Request) -> Response:
        return PlainTextResponse("not read")

    async def large(request: Request) -> Response:
        return PlainTextResponse("x" * 20_000_000)

    async def live(socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive()

    app = Starlette(
        routes=[
            Route("/", here),
            Route("/waits", waits, methods=["GET", "POST"]),
            Route("/ignores", ignores, methods=["POST"]),
            Route("/large", large),
            WebSocketRoute("/live", live),
        ]
    )
    listening = listen()
    port = listening.getsockname()[1]
    protocol = limited(
        **{"header_seconds": SOON, "header_bytes": 4096, "most": 100, "sockets": 100, **bounds}
    )
    config = uvicorn.Config(
        app,
        http=protocol,
        ws=Protocol,
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    made = House(server, protocol, port)
    serving = asyncio.create_task(server._serve([listening]))
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    try:
        yield made
    finally:
        for line in made.lines:
            line.writer.transport.abort()
        made.go_on.set()
        server.should_exit = True
        await serving


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("first", [b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_headers_that_drip_are_cut_while_others_are_served(first: bytes) -> None:
    async with house() as h:
        slow = await h.line(first)
        dripping = asyncio.create_task(slow.drip(b"X-a: b\r\n" if b"\n" in first else b"x"))
        began = asyncio.get_running_loop().time()
        while not dripping.done():
            assert await h.is_served()
            await asyncio.sleep(0.02)
        assert asyncio.get_running_loop().time() - began < 5
        assert b" 408 " in dripping.result() or dripping.result() == b""


async def test_a_connection_that_says_nothing_is_closed() -> None:
    async with house() as h:
        assert await (await h.line()).rest() == b""
        await until(lambda: not h.protocol.here)


async def test_bytes_that_begin_nothing_buy_no_time() -> None:
    async with house() as h:
        line = await h.line(HELLO)
        await line.answer()
        assert b"HTTP" not in await line.drip(b"\r\n")


async def test_a_second_request_that_drips_is_cut_like_the_first() -> None:
    async with house() as h:
        line = await h.line(HELLO + HELLO[:8])
        assert b" 200 " in await line.answer()
        assert b" 408 " in await line.rest()


async def test_a_body_nobody_reads_does_not_hold_the_connection() -> None:
    async with house() as h:
        line = await h.line(b"POST /ignores HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        assert b" 200 " in await line.answer()
        assert b"HTTP" not in await line.drip(b"x")
        await until(lambda: not h.protocol.here)


async def test_a_slow_answer_is_not_a_slow_request() -> None:
    async with house() as h:
        line = await h.line(b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n" + HELLO[:8])
        await asyncio.sleep(2 * SOON)
        h.go_on.set()
        assert b" 200 " in await line.answer()


@pytest.mark.parametrize(
    "headers",
    [
        b"X-long: " + b"x" * 5000 + b"\r\n\r\n",
        b"X-endless: " + b"x" * 100_000,
        b"".join(b"X-%d: x\r\n" % number for number in range(101)) + b"\r\n",
    ],
    ids=["long", "endless", "many"],
)
@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\nHost: x\r\n", UPGRADE], ids=["page", "socket"])
async def test_headers_that_are_too_large_are_refused(first: bytes, headers: bytes) -> None:
    async with house() as h:
        assert b" 431 " in await (await h.line(first + headers)).rest()
        assert await h.is_served()


async def test_headers_just_within_the_bound_are_served_again_and_again() -> None:
    async with house() as h:
        line = await h.line()
        for _again in range(5):
            line.send(b"POST /waits HTTP/1.1\r\nHost: x\r\nX-long: " + b"x" * 4000)
            line.send(b"\r\nContent-Length: 9000\r\n\r\n" + b"x" * 4500)
            await asyncio.sleep(0.02)
            line.send(b"x" * 4500)
            h.go_on.set()
            assert b" 200 " in await line.answer()
            assert await line.reader.readexactly(10) == b"9000 bytes"


async def test_a_flood_of_silent_connections_makes_way_for_who_asks() -> None:
    async with house(most=20, header_seconds=60.0) as h:
        for _stranger in range(60):
            await h.line(b"GET / HT")
        await until(
            lambda: sum(line.reader.at_eof() or bool(line.reader.exception()) for line in h.lines) >= 39
        )
        assert await h.is_served()


async def test_when_all_are_busy_the_next_is_told_to_come_again() -> None:
    async with house(most=3) as h:
        busy = [await h.line(b"GET /waits HTTP/1.1\r\nHost: x\r\n\r\n") for _one in range(3)]
        await until(lambda: len(h.protocol.here) == 3 and not h.protocol.idle)
        refused = await (await h.line(HELLO)).rest()
        assert b" 503 " in refused
        assert b"retry-after: 5" in refused
        h.go_on.set()
        assert b" 200 " in await busy[0].answer()
        assert await h.is_served()


async def test_live_sockets_do_not_count_as_connections() -> None:
    async with house(most=3) as h:
        sockets = [await h.line(UPGRADE + b"\r\n") for _one in range(5)]
        for one in sockets:
            assert b" 101 " in await one.answer()
        assert await h.is_served()
        await asyncio.sleep(2 * SOON)
        assert not any(one.reader.at_eof() for one in sockets)


async def test_live_sockets_are_counted_before_anybody_lets_them_in() -> None:
    async with house(sockets=2) as h:
        sockets = [await h.line(UPGRADE + b"\r\n") for _one in range(2)]
        for one in sockets:
            assert b" 101 " in await one.answer()
        assert b" 503 " in await (await h.line(UPGRADE + b"\r\n")).rest()
        assert await h.is_served()
        sockets[0].writer.transport.abort()
        await until(lambda: len(h.server.server_state.connections) < 2)
        assert b" 101 " in await (await h.line(UPGRADE + b"\r\n")).answer()


async def test_many_handshakes_at_once_drop_nobody_who_is_here() -> None:
    async with house(most=20, sockets=200) as h:
        kept = await h.line(HELLO)
        assert b" 200 " in await kept.answer()
        upgrades = await asyncio.gather(*(h.line(UPGRADE + b"\r\n") for _each in range(100)))
        assert {(await line.answer()).split(b" ", 2)[1] for line in upgrades} == {b"101"}
        kept.writer.write(HELLO)
        assert b" 200 " in await kept.answer()


async def test_a_handshake_that_waited_for_long_is_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("swarm.web.protocol.HANDSHAKE", -1.0)
    async with house() as h:
        line = await h.line(UPGRADE + b"\r\n")
        refused = await line.answer()
        assert b" 503 " in refused and b"retry-after:" in refused
        assert await line.rest() == b"" and await h.is_served()


async def test_who_gives_up_while_its_handshake_waits_keeps_no_place() -> None:
    async with house(sockets=3) as h:
        for _each in range(10):
            line = await h.line(UPGRADE + b"\r\n")
            line.writer.transport.abort()
        await until(lambda: not h.server.server_state.connections)
        assert b" 101 " in await (await h.line(UPGRADE + b"\r\n")).answer()


async def test_who_does_not_read_its_answer_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swarm.web.protocol.UNREAD", SOON)
    async with house() as h:
        line = await h.line(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        line.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: bool(h.protocol.here))
        await until(lambda: not h.protocol.here)


async def test_a_stopping_server_answers_what_it_has_and_what_is_on_its_way() -> None:
    async with house() as h:
        busy = await h.line(b"POST /waits HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nhalf"[:-2])
        kept, fresh = await h.line(HELLO), await h.line()
        assert b" 200 " in await kept.answer()
        await kept.reader.readexactly(4)
        await until(lambda: len(h.protocol.here) == 3)
        h.server.should_exit = True
        await until(lambda: h.protocol.stopping)
        kept.send(HELLO)
        fresh.send(HELLO)
        for one in (kept, fresh):
            answered = await one.rest()
            assert b" 200 " in answered
            assert b"connection: close" in answered
        busy.send(b"lf")
        h.go_on.set()
        assert b"4 bytes" in await busy.rest()


async def test_a_stopping_server_sends_new_live_sockets_elsewhere() -> None:
    async with house() as h:
        line = await h.line()
        await until(lambda: bool(h.protocol.here))
        h.server.should_exit = True
        await until(lambda: h.protocol.stopping)
        line.send(UPGRADE + b"\r\n")
        assert b" 503 " in await line.rest()
