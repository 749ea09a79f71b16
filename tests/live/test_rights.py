"""Rights are checked at delivery: what is lost is gone within three seconds."""

import threading
import time
from typing import Any

from swarm.live import close_codes
from swarm.live.limits import Limits
from tests.live.house import Doors, MemoryLog, draw, until, worker


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


async def test_what_was_being_drawn_when_the_worker_stood_still_is_not_told_to_who_lost_the_right() -> None:
    log, doors = house()
    doors.let_in("bob", "person:2", ["room:1"])
    began, go_on = threading.Event(), threading.Event()

    def slowly(entries: Any, audience: str, language: str) -> list[Any]:
        began.set()
        go_on.wait(10)
        return draw(entries, audience, language)

    async with worker(log, doors, render=slowly) as w, w.page() as ann, w.page("bob") as bob:
        await ann.live(room_1=0)
        await bob.live(room_1=0)
        w.hub.ring([log.append("room:1", "secret")])
        await until(began.is_set)
        # As after a SIGSTOP: the last answer is old, and the drawing that was under way comes to its end.
        w.hub._rights.asked_at = float("-inf")
        doors.rights["ann"], doors.stamps["ann"] = set(), 2
        go_on.set()
        await bob.until(lambda: bob.numbers("room:1") == [1])
        await ann.until(lambda: ann.closed or ann.of("gone"))
        assert ann.numbers("room:1") == []


async def test_a_page_is_answered_while_events_are_held_back() -> None:
    log, doors = house()
    limits = Limits(rights_every=60)
    async with worker(log, doors, limits=limits) as w, w.page() as page:
        await page.live(room_1=0)
        w.hub._rights.asked_at = float("-inf")
        w.hub.ring([log.append("room:1", "held back")])
        for times in range(1, 4):
            await page.say(t="ping")
            await page.until(lambda: len(page.of("pong")) == times)  # noqa: B023
        assert page.numbers("room:1") == []


async def test_what_a_slow_reader_has_not_taken_goes_with_the_right() -> None:
    log, doors = house()
    doors.let_in("bob", "person:2", ["room:1"])
    async with worker(log, doors) as w, w.page() as good, w.page("bob", max_queue=1) as slow:
        await good.live(room_1=0)
        await slow.live(room_1=0)
        slow.connection.transport.pause_reading()
        mine = next(iter(w.hub.sockets_by_session()["bob"]))
        sent = 0
        while not mine.unread():
            w.hub.ring([log.append("room:1", "x" * 50_000)])
            sent += 1
            await good.until(lambda: len(good.numbers("room:1")) == sent)  # noqa: B023
        for _more in range(4):
            w.hub.ring([log.append("room:1", "x" * 50_000)])
            sent += 1
            await good.until(lambda: len(good.numbers("room:1")) == sent)  # noqa: B023
        doors.rights["bob"], doors.stamps["bob"] = set(), 2
        await until(lambda: w.hub.figures()["sockets"] == 1)
        slow.connection.transport.resume_reading()
        await slow.until(lambda: slow.closed)
        assert len(slow.numbers("room:1")) < sent - 3
