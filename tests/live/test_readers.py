"""Readers that are slow, silent or many; servers that stop."""

import asyncio

import pytest
from websockets.exceptions import InvalidStatus

from swarm.live import close_codes
from swarm.live.limits import Limits
from tests.live.house import Doors, MemoryLog, until, worker


def house() -> tuple[MemoryLog, Doors]:
    log, doors = MemoryLog(), Doors()
    doors.let_in("ann", "person:1", ["room:1"])
    doors.let_in("bob", "person:2", ["room:1"])
    return log, doors


@pytest.mark.parametrize("ws", ["swarm.live.protocol:Protocol", "websockets-sansio"])
async def test_a_slow_reader_is_cut_and_the_others_go_on(ws: str) -> None:
    log, doors = house()
    limits = Limits(slow_reader=200_000)
    async with worker(log, doors, limits=limits, ws=ws) as w, w.page() as good:
        await good.live(room_1=0)
        async with w.page("bob", max_queue=1) as slow:
            await slow.live(room_1=0)
            slow.connection.transport.pause_reading()
            sent = 0
            while not w.hub.counts.slow_cut:
                w.hub.ring([log.append("room:1", "x" * 50_000)])
                sent += 1
                await good.until(lambda: len(good.numbers("room:1")) == sent)  # noqa: B023
                assert sent < 1000
            await until(lambda: w.hub.figures()["sockets"] == 1)
        assert good.numbers("room:1") == list(range(1, sent + 1))


async def test_a_silent_peer_is_asked_then_dropped() -> None:
    log, doors = house()
    async with worker(log, doors, limits=Limits(beat=0.4)) as w, w.page() as page:
        await page.live(room_1=0)
        # The library answers pings by itself while its transport is read.
        page.connection.transport.pause_reading()
        await until(lambda: w.hub.figures()["sockets"] == 0)
        assert w.hub.counts.silent_cut == 1


async def test_a_quiet_page_that_answers_pings_stays() -> None:
    log, doors = house()
    async with worker(log, doors, limits=Limits(beat=0.2)) as w, w.page() as page:
        await page.live(room_1=0)
        began = asyncio.get_running_loop().time()
        await until(lambda: asyncio.get_running_loop().time() > began + 1.2)
        assert page.closed is None and w.hub.figures()["sockets"] == 1


async def test_a_full_house_refuses_the_handshake() -> None:
    log, doors = house()
    async with worker(log, doors, limits=Limits(sockets=1)) as w, w.page() as page:
        await page.live(room_1=0)
        with pytest.raises(InvalidStatus) as refused:
            async with w.page("bob"):
                pass
        assert refused.value.response.status_code == 503


async def test_one_session_has_only_so_many_windows() -> None:
    log, doors = house()
    async with worker(log, doors, limits=Limits(sockets_of_one=1)) as w, w.page() as page, w.page() as second:
        await second.until(lambda: second.closed)
        assert second.closed == close_codes.AGAIN_LATER and page.closed is None


async def test_shutting_down_says_come_back_over_some_time() -> None:
    log, doors = house()
    async with worker(log, doors) as w, w.page() as ann, w.page("bob") as bob:
        await ann.live(room_1=0)
        await bob.live(room_1=0)
        await w.hub.close_all(0.2)
        await ann.until(lambda: ann.closed)
        await bob.until(lambda: bob.closed)
        assert ann.closed == bob.closed == close_codes.RESTART


async def test_a_stopping_server_says_come_back_by_itself() -> None:
    log, doors = house()
    async with worker(log, doors) as w, w.page() as ann:
        await ann.live(room_1=0)
        w.server.should_exit = True
        await ann.until(lambda: ann.closed)
        assert ann.closed == close_codes.RESTART


async def test_a_reset_connection_leaves_nothing_behind() -> None:
    log, doors = house()
    async with worker(log, doors) as w:
        async with w.page() as page:
            await page.live(room_1=0)
            page.connection.transport.abort()
        await until(lambda: w.hub.figures()["sockets"] == 0 and w.hub.figures()["streams"] == 0)
