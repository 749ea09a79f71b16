"""Who is there and who types, as the servers see it."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from swarm.live.limits import Limits
from tests.live.house import Doors, MemoryLog, Page, worker


def house() -> tuple[MemoryLog, Doors]:
    log, doors = MemoryLog(), Doors()
    for key, who in (("ann", "person:1"), ("bob", "person:2")):
        doors.let_in(key, who, ["room:1", "lane:1", "team:1"])
    doors.let_in("cus", "customer:9", ["lane:1"], "customer")
    return log, doors


def last_here(page: Page, stream: str) -> list[str]:
    told: list[dict[str, Any]] = [frame for frame in page.of("presence") if frame["s"] == stream]
    return [one["id"] for one in told[-1]["here"]] if told else []


async def test_staff_see_who_comes_and_who_goes_after_a_grace() -> None:
    log, doors = house()
    async with worker(log, doors, limits=Limits(presence_grace=0.3)) as w, w.page() as ann:
        await ann.live(room_1=0)
        async with w.page("bob") as bob:
            await bob.live(room_1=0)
            await ann.until(lambda: last_here(ann, "room:1") == ["person:1", "person:2"])
            await bob.until(lambda: last_here(bob, "room:1") == ["person:1", "person:2"])
        await ann.until(lambda: last_here(ann, "room:1") == ["person:1"])


async def test_a_reconnect_within_the_grace_is_no_news() -> None:
    log, doors = house()
    async with worker(log, doors) as w, w.page() as ann:
        await ann.live(room_1=0)
        async with w.page("bob") as bob:
            await bob.live(room_1=0)
            await ann.until(lambda: len(last_here(ann, "room:1")) == 2)
        told = len(ann.of("presence"))
        async with w.page("bob") as bob:
            await bob.live(room_1=0)
            await bob.until(lambda: len(last_here(bob, "room:1")) == 2)
        assert len(ann.of("presence")) == told


async def test_when_many_come_at_once_everybody_is_told_of_all_of_them() -> None:
    log, doors = house()
    crowd = [f"person:{number}" for number in range(10, 50)]
    for who in crowd:
        doors.let_in(who, who, ["room:1"])
    async with worker(log, doors) as w, w.page() as ann, AsyncExitStack() as opened:
        await ann.live(room_1=0)
        pages = [await opened.enter_async_context(w.page(who)) for who in crowd]
        await asyncio.gather(*(page.live(room_1=0) for page in pages))
        for page in (ann, *pages):
            await page.until(lambda page=page: last_here(page, "room:1") == ["person:1", *crowd])  # type: ignore[misc]


async def test_a_customer_is_told_of_staff_typing_on_the_lane_and_of_nothing_else() -> None:
    log, doors = house()
    async with worker(log, doors) as w, w.page() as ann, w.page("bob") as bob, w.page("cus") as cus:
        await ann.live(lane_1=0, room_1=0)
        await bob.live(lane_1=0, room_1=0)
        await cus.live(lane_1=0)
        await ann.say(t="typing", s="room:1")
        await bob.until(lambda: bob.of("typing"))
        await ann.say(t="typing", s="lane:1")
        await cus.until(lambda: cus.of("typing"))
        await cus.say(t="typing", s="lane:1")
        await ann.until(lambda: ann.of("typing"))
        await ann.until(lambda: "customer:9" in last_here(ann, "lane:1"))
        assert cus.of("typing") == [{"t": "typing", "s": "lane:1", "id": "person:1", "name": "Person:1"}]
        assert cus.of("presence") == [] and "room" not in str(cus.frames)
        assert [frame["id"] for frame in ann.of("typing")] == ["customer:9"]


async def test_who_may_not_write_is_never_shown_as_typing() -> None:
    log, doors = house()
    doors.silent = {"lane:1"}
    async with worker(log, doors) as w, w.page() as ann, w.page("bob") as bob, w.page("cus") as cus:
        await ann.live(lane_1=0, room_1=0)
        await bob.live(lane_1=0, room_1=0)
        await cus.live(lane_1=0)
        await ann.say(t="typing", s="lane:1")
        await ann.say(t="typing", s="room:1")
        await bob.until(lambda: [frame["s"] for frame in bob.of("typing")] == ["room:1"])
        assert cus.of("typing") == []


async def test_typing_is_passed_on_at_most_every_three_seconds_and_only_where_one_looks() -> None:
    log, doors = house()
    async with worker(log, doors) as w, w.page() as ann, w.page("bob") as bob:
        await bob.live(room_1=0, team_1=0)
        await ann.say(t="typing", s="room:1")
        await ann.live(room_1=0, team_1=0)
        await ann.say(t="typing", s="team:1")
        for _ in range(5):
            await ann.say(t="typing", s="room:1")
        w.hub.ring([log.append("room:1", "after")])
        await bob.until(lambda: bob.numbers("room:1") == [1])
        assert len(bob.of("typing")) == 1
