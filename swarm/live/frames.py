"""What goes over the socket, both ways; docs/protocol.md says the same in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from swarm.live.ports import Drawn
from swarm.store.log import Entry

Form = Literal["html", "json"]
SUBPROTOCOLS: Mapping[str, Form] = {"swarm.html.1": "html", "swarm.json.1": "json"}
LONGEST = 64 * 1024
"""Bytes in one frame from a client."""
LONGEST_BODY = 20_000
"""Characters in a message."""
MOST_STREAMS = 512
"""Streams one socket watches."""

StreamKey = Annotated[str, Meta(pattern=r"\A[a-z]{1,16}:[0-9A-Za-z_-]{1,40}\Z")]
Number = Annotated[int, Meta(ge=0, lt=2**53)]
ClientId = Annotated[str, Meta(pattern=r"\A[0-9A-Za-z_-]{1,64}\Z")]


class ClientFrame(Struct, frozen=True, forbid_unknown_fields=True, tag_field="t"):
    """Anything a client may send."""


class Watch(ClientFrame, frozen=True, tag="watch"):
    """Show me these, from the number I last applied."""

    epoch: Annotated[str, Meta(max_length=64)]
    streams: Annotated[dict[StreamKey, Number], Meta(max_length=MOST_STREAMS)]


class Unwatch(ClientFrame, frozen=True, tag="unwatch"):
    """I no longer show these."""

    streams: Annotated[list[StreamKey], Meta(max_length=MOST_STREAMS)]


class Ping(ClientFrame, frozen=True, tag="ping"):
    """Are you there?"""


class Typing(ClientFrame, frozen=True, tag="typing"):
    """I am writing here."""

    s: StreamKey


class PostMessage(ClientFrame, frozen=True, tag="post"):
    """Say this, as the form would."""

    s: StreamKey
    id: ClientId
    body: str


Frame = Watch | Unwatch | Ping | Typing | PostMessage
CLIENT_FRAMES: tuple[type[ClientFrame], ...] = (Watch, Unwatch, Ping, Typing, PostMessage)


class BadFrame(ValueError):
    """Not one of our frames."""


_decoder = msgspec.json.Decoder(Frame)
_encoder = msgspec.json.Encoder()
_surrogate = re.compile("[\ud800-\udfff]")
encode = _encoder.encode
"""A server's frame as bytes of JSON."""


def decode(text: str) -> Frame:
    """The frame in a client's text. Raises `BadFrame`."""
    if len(text) > LONGEST:
        raise BadFrame("too long")
    try:
        frame: Frame = _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as problem:
        raise BadFrame(str(problem)) from problem
    if type(frame) is PostMessage and not frame.body.isascii() and _surrogate.search(frame.body):
        raise BadFrame("not text")
    return frame


def drawn(entry: Entry, ops: Drawn) -> bytes:
    """An event as a page gets it; without ops only the number, which tells nothing."""
    if ops is None:
        return encode({"t": "event", "s": entry.stream, "n": entry.seq, "do": []})
    return encode({"t": "event", "s": entry.stream, "n": entry.seq, "k": entry.kind, "do": ops})


def described(entry: Entry, data: Any | None) -> bytes:
    """An event as a program gets it."""
    if data is None:
        return encode({"t": "event", "s": entry.stream, "n": entry.seq})
    return encode(
        {"t": "event", "s": entry.stream, "n": entry.seq, "k": entry.kind, "at": entry.at, "data": data}
    )


def header(length: int) -> bytes:
    """The head of one unmasked, final, uncompressed text frame (RFC 6455, 5.2)."""
    if length < 126:
        return bytes((0x81, length))
    if length < 0x10000:
        return b"\x81\x7e" + length.to_bytes(2, "big")
    return b"\x81\x7f" + length.to_bytes(8, "big")


class Batch:
    """Frames that go to many sockets, put into wire form once."""

    __slots__ = ("_wire", "payloads")

    def __init__(self, payloads: Sequence[bytes]) -> None:
        self.payloads = payloads
        self._wire: bytes | None = None

    @property
    def wire(self) -> bytes:
        """The same bytes for every socket."""
        if self._wire is None:
            parts: list[bytes] = []
            for payload in self.payloads:
                parts += (header(len(payload)), payload)
            self._wire = b"".join(parts)
        return self._wire
