"""However a client's bytes are cut and framed, it is understood as the parser alone would understand it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
from collections.abc import Sequence

import pytest

from swarm.live.protocol import SHORT
from tests.live.house import Doors, MemoryLog, worker

TEXT, CONT, CLOSE, PING = 0x1, 0x0, 0x8, 0x9
SAY = json.dumps({"t": "ping"})


def frame(text: bytes | str, opcode: int = TEXT, *, fin: bool = True, masked: bool = True) -> bytes:
    """One frame as a client sends it (RFC 6455, 5.2)."""
    payload = text.encode() if isinstance(text, str) else text
    size, mask = len(payload), os.urandom(4) if masked else b""
    first = bytes([(0x80 if fin else 0) | opcode])
    bit = 0x80 if masked else 0
    if size < 126:
        head = first + bytes([bit | size])
    elif size < 0x10000:
        head = first + bytes([bit | 126]) + size.to_bytes(2, "big")
    else:
        head = first + bytes([bit | 127]) + size.to_bytes(8, "big")
    if masked:
        payload = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return head + mask + payload


def padded(size: int) -> str:
    """A ping of so many bytes."""
    return SAY + " " * (size - len(SAY))


async def said(pieces: Sequence[bytes], pongs: int) -> bytes:
    """What comes back for these bytes, each piece sent by itself: until so many pongs, or the end."""
    doors = Doors()
    doors.let_in("ann", "person:1", ["room:1"])
    async with worker(MemoryLog(), doors) as w:
        reader, writer = await asyncio.open_connection("127.0.0.1", w.port)
        writer.write(
            b"GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nCookie: ann\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: swarm.html.1\r\n\r\n"
        )
        await reader.readuntil(b'"you":"person:1"}')
        heard = b""
        async with asyncio.timeout(10):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            with contextlib.suppress(ConnectionResetError):
                while heard.count(b'"pong"') < pongs and (more := await reader.read(65536)):
                    heard += more
        writer.close()
        return heard


WHOLE = {
    "one frame": [frame(SAY)],
    "three frames in one piece": [frame(SAY) * 3],
    "a long length": [frame(padded(300)) + frame(SAY)],
    "the longest short frame": [frame(padded(SHORT)), frame(SAY)],
    "a longer one, and short ones after it": [frame(padded(SHORT + 1)) + frame(SAY), frame(SAY)],
    "a very long one": [frame(SAY), frame(padded(65_536)), frame(SAY)],
    "a message in fragments": [frame('{"t":', fin=False) + frame('"ping"}', CONT) + frame(SAY)],
    "a control frame between fragments": [
        frame('{"t":', fin=False),
        frame(b"hey", PING),
        frame('"pi', CONT, fin=False),
        frame('ng"}', CONT),
        frame(SAY),
    ],
    "control frames between messages": [frame(SAY), frame(b"", PING) + frame(SAY)],
}


@pytest.mark.parametrize("name", WHOLE)
async def test_every_message_is_answered_however_its_bytes_arrive(name: str) -> None:
    pieces = WHOLE[name]
    assert (await said(pieces, _messages(name))).count(b'"pong"') == _messages(name)
    everything = b"".join(pieces)
    chance = random.Random(name)
    cuts = sorted(chance.sample(range(1, len(everything)), min(40, len(everything) - 1)))
    cut = [everything[a:b] for a, b in zip([0, *cuts], [*cuts, len(everything)], strict=True)]
    assert (await said(cut, _messages(name))).count(b'"pong"') == _messages(name)
    if len(everything) < 400:
        single = [everything[at : at + 1] for at in range(len(everything))]
        assert (await said(single, _messages(name))).count(b'"pong"') == _messages(name)


def _messages(name: str) -> int:
    return {
        "one frame": 1,
        "a long length": 2,
        "the longest short frame": 2,
        "a message in fragments": 2,
        "a control frame between fragments": 2,
        "control frames between messages": 2,
    }.get(name, 3)


BROKEN = {
    "not masked": (frame(SAY, masked=False), 1002),
    "half a letter": (frame(b'{"t":"ping\xc3"}'), 1007),
    "a new message within another": (frame('{"t":', fin=False) + frame(SAY), 1002),
    "a reserved bit": (bytes([0xC1]) + frame(SAY)[1:], 1002),
    "too long": (frame(padded(65_537)), 1009),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_what_breaks_the_protocol_is_closed_with_its_code(name: str) -> None:
    data, code = BROKEN[name]
    heard = await said([frame(SAY) + data + frame(SAY)], 9)
    close = heard[heard.rindex(b"\x88") :]
    assert int.from_bytes(close[2:4], "big") == code
