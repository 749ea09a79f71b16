"""Sockets of any kind of person, and what is answered on them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.access.people import World
from tests.support.site import PATIENCE

Frame = dict[str, Any]
ANSWERS = {"caught_up", "gone", "reload"}


@dataclass
class Wire:
    """One socket and every byte that came over it."""

    connection: ClientConnection
    epoch: str = ""
    said: list[str] = field(default_factory=list)
    closed: int = 0

    def send(self, **frame: Any) -> None:
        """One frame."""
        self.connection.send(json.dumps(frame))

    def take(self) -> Frame | None:
        """The next frame; none when the server closed."""
        try:
            text = self.connection.recv(timeout=PATIENCE, decode=True)
        except ConnectionClosed as end:
            self.closed = end.rcvd.code if end.rcvd else 1006
            self.said.append(end.rcvd.reason if end.rcvd else "")
            return None
        assert isinstance(text, str)
        self.said.append(text)
        frame: Frame = json.loads(text)
        return frame

    def until(self, *types: str) -> Frame:
        """The next frame of one of these types."""
        while (frame := self.take()) is not None:
            if frame["t"] in types:
                return frame
        raise AssertionError(f"closed with {self.closed} before {types}")

    def settle(self) -> Sequence[Frame]:
        """What came before the answer to a ping: all that was sent to this page until now."""
        self.send(t="ping")
        found = []
        while (frame := self.take()) is not None and frame["t"] != "pong":
            found.append(frame)
        return found

    def watch(self, *streams: str, shown: int = 0) -> dict[str, str]:
        """The answer for each stream."""
        self.send(t="watch", epoch=self.epoch, streams=dict.fromkeys(streams, shown))
        answers: dict[str, str] = {}
        while len(answers) < len(set(streams)):
            frame = self.until(*ANSWERS)
            answers[frame["s"]] = frame["t"]
        return answers


@contextmanager
def wire(world: World, kind: str, path: str = "/live", origin: str = "") -> Iterator[Wire]:
    """This person's socket, opened from a page of ours."""
    cookies = "; ".join(f"{one.name}={one.value}" for one in world.visitors[kind].http.cookies.jar)
    options: dict[str, Any] = {
        "subprotocols": ["swarm.html.1"],
        "origin": origin or world.site.url,
        "additional_headers": {"Cookie": cookies} if cookies else {},
        "compression": None,
        "open_timeout": PATIENCE,
        "close_timeout": 1,
    }
    guest = world.guests.get(kind, world.guests["guest"])
    address = world.site.url.replace("http", "ws") + path.replace("{guest:int}", str(guest))
    with suppress(ConnectionClosed), connect(address, **options) as connection:
        made = Wire(connection)
        hello = made.take()
        if hello is not None:
            made.epoch = hello["epoch"]
        yield made
