"""Frames that are none, on a real socket: the right close code, nothing changed, and others are served."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import pytest

from swarm.live.close_codes import AGAIN_LATER, BAD_FRAME
from swarm.live.frames import LONGEST, MOST_STREAMS
from tests.access.people import World
from tests.access.sending import snapshot
from tests.access.wires import Wire, wire

TOO_BIG = 1009
"""RFC 6455, 7.4.1."""
BAD: dict[str, str | bytes] = {
    "nothing": "",
    "no JSON": "hello",
    "half a JSON": '{"t":"ping"',
    "a list": "[]",
    "a number": "1",
    "null": "null",
    "NaN": "NaN",
    "no type": "{}",
    "an unknown type": '{"t":"shout"}',
    "a type that is the server's": '{"t":"event","s":"lane:1","n":1,"do":[["append","#x","<b>"]]}',
    "a type that is no text": '{"t":1}',
    "an unknown field": '{"t":"ping","role":"administrator"}',
    "a field missing": '{"t":"watch","epoch":"x"}',
    "streams that are a list": '{"t":"watch","epoch":"x","streams":["lane:1"]}',
    "a number that is none": '{"t":"watch","epoch":"x","streams":{"lane:1":"1"}}',
    "a negative number": '{"t":"watch","epoch":"x","streams":{"lane:1":-1}}',
    "a fraction": '{"t":"watch","epoch":"x","streams":{"lane:1":1.5}}',
    "NaN for a number": '{"t":"watch","epoch":"x","streams":{"lane:1":NaN}}',
    "a huge number": '{"t":"watch","epoch":"x","streams":{"lane:1":99999999999999999999}}',
    "an endless number": '{"t":"watch","epoch":"x","streams":{"lane:1":' + "9" * 5000 + "}}",
    "a stream with a path": '{"t":"watch","epoch":"x","streams":{"lane:../1":0}}',
    "a stream with a NUL": '{"t":"watch","epoch":"x","streams":{"lane:1\\u0000":0}}',
    "a stream with a newline": '{"t":"watch","epoch":"x","streams":{"lane:1\\n":0}}',
    "too many streams": json.dumps(
        {"t": "watch", "epoch": "x", "streams": {f"lane:{n}": 0 for n in range(MOST_STREAMS + 1)}}
    ),
    "half a character": '{"t":"post","s":"room:1","id":"abc","body":"\\ud800"}',
    "an id with spaces": '{"t":"post","s":"room:1","id":"a b","body":"x"}',
    "an endless id": '{"t":"post","s":"room:1","id":"' + "a" * 65 + '","body":"x"}',
    "a body that is no text": '{"t":"post","s":"room:1","id":"abc","body":["x"]}',
    "deep": '{"t":' * 5000,
    "deep lists": "[" * 20_000,
    "bytes": b'{"t":"ping"}',
}


@pytest.fixture(autouse=True)
def _nothing_changes(sqlite_world: World) -> Iterator[None]:
    before = snapshot(sqlite_world)
    yield
    assert snapshot(sqlite_world) == before
    with wire(sqlite_world, "hive_owner") as socket:
        assert socket.settle() == []


def closed_after(socket: Wire, sent: str | bytes) -> int:
    """The code the server closes with."""
    socket.connection.send(sent)
    while socket.take() is not None:
        pass
    return socket.closed


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_frame_ends_the_socket(sqlite_world: World, what: str) -> None:
    for who, path in (("hive_owner", "/live"), ("customer", "/live/case")):
        with wire(sqlite_world, who, path) as socket:
            assert closed_after(socket, BAD[what]) == BAD_FRAME


def test_a_frame_that_is_too_large_ends_the_socket(sqlite_world: World) -> None:
    frame = {"t": "post", "s": "room:1", "id": "abc", "body": "x" * (LONGEST + 1000)}
    with wire(sqlite_world, "hive_owner") as socket:
        assert closed_after(socket, json.dumps(frame)) in (TOO_BIG, BAD_FRAME)


def test_a_flood_ends_the_socket_for_a_while(sqlite_world: World) -> None:
    with wire(sqlite_world, "hive_owner") as socket:
        for _ in range(500):
            socket.connection.send('{"t":"ping"}')
        while socket.take() is not None:
            pass
        assert socket.closed == AGAIN_LATER


def test_a_foreign_epoch_or_a_number_from_the_future_reloads(sqlite_world: World) -> None:
    stream = f"room:{sqlite_world.tickets['swarming']}"
    with wire(sqlite_world, "hive_owner") as socket:
        assert socket.watch(stream, shown=2**53 - 1)[stream] == "reload"
        socket.send(t="watch", epoch="another", streams={stream: 0})
        assert socket.until("reload")["s"] == stream


def test_text_that_may_not_be_kept_is_refused_and_the_socket_stays(sqlite_world: World) -> None:
    stream = f"room:{sqlite_world.tickets['swarming']}"
    with wire(sqlite_world, "hive_owner") as socket:
        for body in ("", " \n\t ", "a\0b", "a\x07b", "\x1b[2J", "x" * 20_001):
            socket.send(t="post", s=stream, id=secrets.token_hex(4), body=body)
            answer = socket.until("ack", "refused")
            assert answer["t"] == "refused", body[:20]
            assert answer["status"] == 422
            assert answer["why"].endswith(".")


@pytest.mark.parametrize(
    "stream", ["person:1", "team:1", "guest:1", "room:0", "room:" + "9" * 20, "lane:x", "lane:-"]
)
def test_nothing_is_posted_where_no_lane_is(sqlite_world: World, stream: str) -> None:
    with wire(sqlite_world, "manager") as socket:
        socket.send(t="post", s=stream, id="abcdefgh", body="Is anybody there?")
        assert socket.until("ack", "refused")["status"] == 404
