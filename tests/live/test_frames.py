"""What a client may send, and what happens to everything else."""

import json
from typing import Any

import pytest

from swarm.live import close_codes
from swarm.live.frames import CLIENT_FRAMES, BadFrame, Batch, decode, header
from swarm.live.limits import Limits
from swarm.live.ports import PostRefused, Viewer
from tests.live.house import Doors, MemoryLog, worker

BAD = [
    "",
    "null",
    "[]",
    "{}",
    '"ping"',
    '{"t":"nothing"}',
    '{"t":"ping","more":1}',
    '{"t":"watch","epoch":"first"}',
    '{"t":"watch","epoch":1,"streams":{}}',
    '{"t":"watch","epoch":"first","streams":{"room:1":"1"}}',
    '{"t":"watch","epoch":"first","streams":{"room:1":-1}}',
    '{"t":"watch","epoch":"first","streams":{"room:1":1.5}}',
    '{"t":"watch","epoch":"first","streams":{"room:1":NaN}}',
    '{"t":"watch","epoch":"first","streams":{"room:1":9007199254740993}}',
    '{"t":"watch","epoch":"first","streams":{"room:1\\n":1}}',
    '{"t":"watch","epoch":"first","streams":{"../etc":1}}',
    '{"t":"unwatch","streams":"room:1"}',
    '{"t":"typing","s":"room:1","id":"person:9"}',
    '{"t":"post","s":"room:1","id":"","body":"x"}',
    '{"t":"post","s":"room:1","id":"a b","body":"x"}',
    '{"t":"post","s":"room:1","id":"a","body":null}',
    '{"t":"post","s":"room:1","id":"a","body":"\\ud800"}',
    "[" * 60_000,
    '{"t":' * 10_000,
    '{"t":"post","s":"room:1","id":"a","body":"' + "x" * 70_000 + '"}',
    json.dumps({"t": "watch", "epoch": "first", "streams": {f"room:{n}": 0 for n in range(513)}}),
]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_what_is_no_frame_is_refused(text: str) -> None:
    with pytest.raises(BadFrame):
        decode(text)


@pytest.mark.parametrize("text", BAD[:8] + BAD[-5:-2], ids=lambda text: text[:30])
async def test_a_bad_frame_closes_the_socket_with_its_code(text: str) -> None:
    doors = Doors()
    doors.let_in("ann", "person:1", ["room:1"])
    async with worker(MemoryLog(), doors) as w, w.page() as page:
        await page.connection.send(text)
        await page.until(lambda: page.closed)
        assert page.closed == close_codes.BAD_FRAME


@pytest.mark.parametrize("ws", ["swarm.live.protocol:Protocol", "websockets-sansio"])
async def test_binary_is_not_for_us(ws: str) -> None:
    doors = Doors()
    doors.let_in("ann", "person:1", ["room:1"])
    async with worker(MemoryLog(), doors, ws=ws) as w, w.page() as page:
        await page.connection.send(b'{"t":"ping"}')
        await page.until(lambda: page.closed)
        assert page.closed == close_codes.BAD_FRAME


async def test_a_fragmented_frame_is_one_frame() -> None:
    doors = Doors()
    doors.let_in("ann", "person:1", ["room:1"])
    async with worker(MemoryLog(), doors) as w, w.page() as page:
        await page.connection.send(iter(['{"t":', '"ping"}']))
        await page.until(lambda: page.of("pong"))


async def test_a_flood_is_sent_away_for_a_while() -> None:
    doors = Doors()
    doors.let_in("ann", "person:1", ["room:1"])
    async with worker(MemoryLog(), doors, limits=Limits(frames_at_once=10)) as w, w.page() as page:
        for _ in range(20):
            if page.closed is None:
                await page.say(t="ping")
        await page.until(lambda: page.closed)
        assert page.closed == close_codes.AGAIN_LATER


async def test_an_unknown_subprotocol_is_closed_with_a_reason() -> None:
    doors = Doors()
    doors.let_in("ann", "person:1", ["room:1"])
    async with worker(MemoryLog(), doors) as w, w.page(subprotocol="chat") as page:
        await page.until(lambda: page.closed)
        assert page.closed == close_codes.BAD_FRAME


async def test_a_post_is_acknowledged_with_its_number_or_refused_with_a_sentence() -> None:
    log, doors = MemoryLog(), Doors()
    doors.let_in("ann", "person:1", ["room:1"])

    async def post(viewer: Viewer, stream: str, client_id: str, body: str) -> int:
        if body == "no":
            raise PostRefused(403, "Only the owner writes here.")
        if body == "crash":
            raise ValueError
        return log.append(stream, body).seq

    async with worker(log, doors, post=post) as w, w.page() as page:
        await page.say(t="post", s="room:1", id="a1", body="hello")
        await page.say(t="post", s="room:1", id="a2", body="no")
        await page.say(t="post", s="room:1", id="a3", body="crash")
        await page.say(t="post", s="room:1", id="a4", body="x" * 20_001)
        await page.until(lambda: len(page.of("refused")) == 3 and page.of("ack"))
        assert page.of("ack") == [{"t": "ack", "id": "a1", "n": 1}]
        statuses = {frame["id"]: frame["status"] for frame in page.of("refused")}
        assert statuses == {"a2": 403, "a3": 500, "a4": 422}
        assert all(frame["why"] for frame in page.of("refused"))


async def test_too_many_posts_are_refused_not_lost() -> None:
    doors = Doors()
    doors.let_in("ann", "person:1", ["room:1"])

    async def post(viewer: Viewer, stream: str, client_id: str, body: str) -> int:
        return 1

    async with worker(MemoryLog(), doors, post=post, limits=Limits(posts_at_once=3)) as w, w.page() as page:
        for number in range(6):
            await page.say(t="post", s="room:1", id=str(number), body="x")
        await page.until(lambda: len(page.of("ack")) + len(page.of("refused")) == 6)
        assert {frame["status"] for frame in page.of("refused")} == {429}


async def test_programs_get_data_under_their_own_subprotocol() -> None:
    log, doors = MemoryLog(), Doors()
    doors.let_in("ann", "person:1", ["room:1"])

    def describe(entries: Any, audience: str, language: str) -> list[dict[str, Any]]:
        return [dict(entry.data) for entry in entries]

    async with worker(log, doors, describe=describe) as w, w.page(subprotocol="swarm.json.1") as page:
        await page.live(room_1=0)
        w.hub.ring([log.append("room:1", "hi")])
        await page.until(lambda: page.numbers("room:1") == [1])
        event = page.of("event")[0]
        assert event["data"] == {"text": "hi"} and event["k"] == "message.posted" and "do" not in event


def test_every_frame_says_what_it_means() -> None:
    assert all(frame.__doc__ for frame in CLIENT_FRAMES)


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65536, b"\x81\x7f" + (65536).to_bytes(8, "big")),
    ],
)
def test_the_head_of_a_frame_follows_the_rfc(length: int, head: bytes) -> None:
    assert header(length) == head
    assert Batch([b"x" * length]).wire == head + b"x" * length
