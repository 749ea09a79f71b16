"""Everybody sees the same events in the same order, without holes, however badly the bell is rung."""

import asyncio
import random
import threading

import pytest

from swarm.live.limits import Limits
from swarm.store.log import Entry
from tests.live.house import Doors, MemoryLog, Page, worker

BOTH_PATHS = pytest.mark.parametrize("ws", ["swarm.live.protocol:Protocol", "websockets-sansio"])


def house() -> tuple[MemoryLog, Doors]:
    log, doors = MemoryLog(), Doors()
    doors.let_in("ann", "person:1", ["room:1", "room:2", "lane:1", "person:1"])
    doors.let_in("bob", "person:2", ["room:1", "lane:1"])
    doors.let_in("cus", "customer:9", ["lane:1"], "customer")
    return log, doors


@BOTH_PATHS
async def test_a_page_gets_what_it_missed_then_what_comes(ws: str) -> None:
    log, doors = house()
    for text in "abcde":
        log.append("room:1", text)
    async with worker(log, doors, ws=ws) as w, w.page() as page:
        await page.live(room_1=2)
        assert page.numbers("room:1") == [3, 4, 5]
        w.hub.ring([log.append("room:1", "f")])
        await page.until(lambda: page.numbers("room:1") == [3, 4, 5, 6])


async def test_many_writers_ringing_at_once_leave_no_hole() -> None:
    log, doors = house()
    async with worker(log, doors) as w, w.page() as ann, w.page("bob") as bob:
        await ann.live(room_1=0, room_2=0)
        await bob.live(room_1=0)

        def write(seed: int) -> None:
            shuffled = random.Random(seed)
            held: list[Entry] = []
            for number in range(100):
                held.append(log.append(f"room:{1 + number % 2}", "x"))
                if shuffled.random() < 0.4:
                    shuffled.shuffle(held)
                    w.hub.ring(held)
                    held = []
            w.hub.ring(held)

        writers = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
        for writer in writers:
            writer.start()
        await ann.until(lambda: len(ann.numbers("room:1")) + len(ann.numbers("room:2")) >= 400)
        await bob.until(lambda: len(bob.numbers("room:1")) >= 200)
        for writer in writers:
            writer.join()
        assert ann.numbers("room:1") == bob.numbers("room:1") == list(range(1, 201))
        assert ann.numbers("room:2") == list(range(1, 201))


@BOTH_PATHS
async def test_a_lost_ring_is_made_good_by_the_heads(ws: str) -> None:
    log, doors = house()
    async with worker(log, doors, limits=Limits(heads_every=0.1), ws=ws) as w, w.page() as page:
        await page.live(room_1=0)
        log.append("room:1", "nobody rang")
        await page.until(lambda: page.numbers("room:1") == [1])
        assert w.hub.counts.found_by_heads == 1


async def test_doubled_late_and_invented_rings_change_nothing() -> None:
    log, doors = house()
    async with worker(log, doors) as w, w.page() as page:
        await page.live(room_1=0)
        first, second = log.append("room:1", "1"), log.append("room:1", "2")
        w.hub.ring([second])
        w.hub.ring([second, first, second])
        await page.until(lambda: len(page.numbers("room:1")) == 2)
        w.hub.ring([first])
        invented = Entry("room:1", 50, "message.posted", first.at, "person:1", {"text": "never stored"})
        w.hub.ring([invented])
        third = log.append("room:1", "3")
        w.hub.ring([third])
        await page.until(lambda: len(page.numbers("room:1")) == 3)
        await page.say(t="ping")
        await page.until(lambda: page.of("pong"))
        assert page.numbers("room:1") == [1, 2, 3]


async def test_whoever_joins_while_others_write_sees_each_event_once() -> None:
    log, doors = house()
    total = 600
    async with worker(log, doors) as w:
        done = threading.Event()

        def write() -> None:
            for _ in range(total):
                w.hub.ring([log.append("room:1", "x")])
                done.wait(0.0005)

        async with w.page() as early:
            await early.live(room_1=0)
            writer = threading.Thread(target=write)
            writer.start()
            for reader in range(12):
                shown = len(log.rows.get("room:1", ()))
                async with w.page("bob" if reader % 2 else "ann") as late:
                    back = max(0, shown - 5 * reader)
                    await late.live(room_1=back)
                    goal = min(total, shown + 20)
                    await late.reached("room:1", goal)
                    assert late.numbers("room:1") == list(range(back + 1, late.numbers("room:1")[-1] + 1))
            await early.until(lambda: len(early.numbers("room:1")) == total)
            writer.join()
            assert early.numbers("room:1") == list(range(1, total + 1))


async def test_a_page_that_knows_more_than_this_worker_is_not_told_again() -> None:
    log, doors = house()
    async with worker(log, doors, limits=Limits(heads_every=60)) as w, w.page("bob") as other:
        await other.live(room_1=0)
        unrung = [log.append("room:1", "drawn into the page") for _ in range(3)]
        async with w.page() as page:
            await page.live(room_1=3)
            w.hub.ring([*unrung, log.append("room:1", "new")])
            await page.until(lambda: page.numbers("room:1"))
            assert page.numbers("room:1") == [4]
            await other.until(lambda: other.numbers("room:1") == [1, 2, 3, 4])


@pytest.mark.parametrize(("shown", "epoch"), [(0, "first"), (999, "first"), (400, "another life")])
async def test_too_far_behind_ahead_or_of_another_life_means_reload(shown: int, epoch: str) -> None:
    log, doors = house()
    for _ in range(400):
        log.append("room:1", "x")
    async with worker(log, doors) as w, w.page() as page:
        await page.watch(epoch, room_1=shown)
        await page.until(lambda: page.of("reload"))
        assert not page.numbers("room:1") and not page.of("caught_up")


async def test_a_restored_backup_reloads_the_pages() -> None:
    log, doors = house()
    for _ in range(4):
        log.append("room:1", "x")
    async with worker(log, doors, limits=Limits(heads_every=0.1)) as w, w.page() as page:
        await page.live(room_1=4)
        with log.lock:
            del log.rows["room:1"][2:]
        await page.until(lambda: page.of("reload"))
        await page.live(room_1=2)
        w.hub.ring([log.append("room:1", "after")])
        await page.until(lambda: page.numbers("room:1") == [3])


async def test_the_log_away_for_a_while_loses_nothing() -> None:
    log, doors = house()
    async with (
        worker(log, doors, limits=Limits(heads_every=0.1)) as w,
        w.page() as page,
        w.page("bob") as bob,
    ):
        await page.live(room_1=0)
        log.broken = True
        log.append("room:1", "first, unrung")
        w.hub.ring([log.append("room:1", "second")])
        await bob.watch(room_1=0)
        await page.say(t="ping")
        await page.until(lambda: page.of("pong"))
        assert page.numbers("room:1") == []
        log.broken = False
        await page.until(lambda: page.numbers("room:1") == [1, 2])
        await bob.until(lambda: bob.numbers("room:1") == [1, 2])


async def test_an_event_that_cannot_be_drawn_reloads_its_readers_and_stops_nobody_else() -> None:
    log, doors = house()

    def render(entries: list[Entry], audience: str, language: str) -> list[object]:
        if any(entry.data["text"] == "poison" for entry in entries):
            raise ValueError("cannot be drawn")
        return [[["append", "#log", entry.data["text"]]] for entry in entries]

    limits = Limits(heads_every=0.05)
    async with worker(log, doors, limits=limits, render=render) as w, w.page() as page, w.page("bob") as bob:
        await page.live(room_1=0, room_2=0)
        w.hub.ring([log.append("room:1", "poison"), log.append("room:2", "fine")])
        await page.until(lambda: page.numbers("room:2") == [1])
        await page.until(lambda: page.of("reload"))
        await bob.watch(room_1=0)
        await bob.until(lambda: bob.of("reload"))
        await page.live(room_1=1)
        w.hub.ring([log.append("room:1", "again")])
        await page.until(lambda: page.numbers("room:1") == [2])


async def test_each_stream_is_drawn_once_for_all_of_an_audience() -> None:
    log, doors = house()
    calls: list[tuple[str, str]] = []

    def render(entries: list[Entry], audience: str, language: str) -> list[object]:
        calls.append((audience, language))
        return [None if audience == "customer" else [["append", "#x", "secret"]] for _ in entries]

    async with (
        worker(log, doors, render=render) as w,
        w.page() as ann,
        w.page("bob") as bob,
        w.page("cus") as cus,
    ):
        for page in (ann, bob, cus):
            await page.live(lane_1=0)
        w.hub.ring([log.append("lane:1", "x", "internal.noted")])
        for page in (ann, bob, cus):
            await page.reached("lane:1", 1)
        assert sorted(calls) == [("customer", "en"), ("staff", "en")]
        assert cus.of("event") == [{"t": "event", "s": "lane:1", "n": 1, "do": []}]


async def test_a_hundred_joiners_share_few_questions() -> None:
    log, doors = house()
    for _ in range(20):
        log.append("room:1", "x")
    limits = Limits(heads_every=60)
    async with worker(log, doors, limits=limits) as w:
        pages: list[Page] = []

        async def join() -> None:
            async with w.page() as page:
                pages.append(page)
                await page.live(room_1=10)
                await page.until(lambda: page.numbers("room:1") == list(range(11, 21)))

        await asyncio.gather(*(join() for _ in range(90)))
        assert len(pages) == 90
        assert log.reads < 60
