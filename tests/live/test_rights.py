"""Rights are checked at delivery: what is lost is gone within three seconds."""

import time

from swarm.live import close_codes
from swarm.live.limits import Limits
from tests.live.house import Doors, MemoryLog, worker


def house() -> tuple[MemoryLog, Doors]:
    log, doors = MemoryLog(), Doors()
    doors.let_in("ann", "person:1", ["room:1", "room:2", "person:1"])
    return log, doors


async def test_a_stranger_is_accepted_then_closed_with_the_code() -> None:
    log, doors = house()
    async with worker(log, doors) as w, w.page("nobody") as page:
        await page.until(lambda: page.closed)
        assert page.closed == close_codes.SIGNED_OUT and page.frames == []


async def test_a_stream_that_is_not_theirs_is_gone_and_silent() -> None:
    log, doors = house()
    log.append("room:7", "secret")
    async with worker(log, doors) as w, w.page() as page:
        await page.watch(room_7=0)
        await page.live(room_1=0)
        await page.until(lambda: page.of("gone"))
        w.hub.ring([log.append("room:7", "secret"), log.append("room:1", "fine")])
        await page.until(lambda: page.numbers("room:1") == [1])
        assert "secret" not in str(page.frames)
        assert [frame["s"] for frame in page.of("gone")] == ["room:7"]


async def test_a_lost_right_ends_the_stream_within_three_seconds_without_a_ring() -> None:
    log, doors = house()
    async with worker(log, doors) as w, w.page() as page:
        await page.live(room_1=0, room_2=0)
        doors.rights["ann"] = {"room:2"}
        doors.stamps["ann"] = 2
        began = time.monotonic()
        await page.until(lambda: page.of("gone"), 3.0)
        assert time.monotonic() - began < 3.0
        w.hub.ring([log.append("room:1", "secret"), log.append("room:2", "fine")])
        await page.until(lambda: page.numbers("room:2") == [1])
        assert page.numbers("room:1") == []
        assert page.of("gone")[0]["why"]


async def test_a_ring_on_the_persons_own_stream_makes_it_immediate() -> None:
    log, doors = house()
    limits = Limits(rights_every=60, rights_stale=120)
    async with worker(log, doors, limits=limits) as w, w.page() as page:
        await page.live(room_1=0)
        doors.rights["ann"] = set()
        doors.stamps["ann"] = 2
        w.hub.ring([log.append("person:1", "removed")])
        await page.until(lambda: page.of("gone"), 1.0)


async def test_signing_out_closes_every_window_of_the_session() -> None:
    log, doors = house()
    async with worker(log, doors) as w, w.page() as one, w.page() as two:
        await one.live(room_1=0)
        await two.live(room_1=0)
        del doors.stamps["ann"]
        await one.until(lambda: one.closed, 3.0)
        await two.until(lambda: two.closed, 3.0)
        assert one.closed == two.closed == close_codes.SIGNED_OUT
        assert w.hub.figures()["streams"] == 0


async def test_nothing_is_delivered_while_nobody_can_say_who_may_see_it() -> None:
    log, doors = house()
    limits = Limits(rights_every=0.05, rights_stale=0.3)
    async with worker(log, doors, limits=limits) as w, w.page() as page:
        await page.live(room_1=0)
        known = doors.standing

        def unknown(viewers: object) -> dict[str, int | None]:
            raise OSError("the database is away")

        doors.standing = unknown  # type: ignore[method-assign]
        w.hub._rights.asked_at = float("-inf")
        w.hub.ring([log.append("room:1", "held back")])
        await page.say(t="ping")
        await page.until(lambda: page.of("pong"))
        assert page.numbers("room:1") == []
        doors.standing = known  # type: ignore[method-assign]
        await page.until(lambda: page.numbers("room:1") == [1])
