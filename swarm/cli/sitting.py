"""A seat in a lane, held from a program: the live protocol in JSON (docs/protocol.md), and its reconnects."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from swarm.events.refusals import No
from swarm.live.close_codes import AGAIN_LATER, RESTART
from swarm.text.language import _

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
"""Seconds before a reconnect; doubled from one to the next, a random part of it."""
PATIENCE = 20.0
"""Seconds for a handshake; they are answered in turn."""
BACK = (AGAIN_LATER, RESTART, 1001, 1005, 1006, 1011)
"""Codes after which one comes back."""

Kind = Literal["event", "state", "refused", "sent", "here", "typing"]
Say = Callable[[Kind, Mapping[str, Any]], None]
"""Told what happened: an event, the state of the line, a post refused or sent, who is there, who types."""


class Over(No):
    """The seat is lost for good; the sentence says why."""


@dataclass
class Seat:
    """One lane, watched from a number on; what is posted is sent until it is acknowledged."""

    address: str
    """Of the server, as `https://desk.example.org`."""
    token: str
    stream: str
    begin: Callable[[], Awaitable[int]]
    """After which number to begin, where there is none to go on from."""
    say: Say
    after: int = 0
    """The number of the last event that was shown."""
    me: str = ""
    _unsent: dict[str, str] = field(default_factory=dict)
    """What is posted and not yet acknowledged: client id → text, in order."""
    _line: ClientConnection | None = None
    _live: bool = False

    async def hold(self) -> None:
        """Stay until cancelled. Raises `Over`."""
        pause = FIRST_PAUSE
        self.after = await self.begin()
        while True:
            try:
                async with connect(
                    self.address.replace("http", "ws", 1) + "/live",
                    subprotocols=[Subprotocol("swarm.json.1")],
                    additional_headers={"Authorization": f"Bearer {self.token}"},
                    compression=None,
                    open_timeout=PATIENCE,
                    max_size=None,
                ) as line:
                    await self._sit(line)
            except ConnectionClosed as closed:
                if closed.rcvd is not None and closed.rcvd.code not in BACK:
                    raise Over(closed.rcvd.reason or _("The server closed the line for good.")) from None
            except InvalidStatus as refused:
                if refused.response.status_code not in (429, 502, 503, 504):
                    raise Over(_("There is no swarm at %(address)s.", address=self.address)) from None
            except (OSError, InvalidHandshake, TimeoutError):
                pass
            if self._live:
                pause = FIRST_PAUSE
            self._line, self._live = None, False
            self.say("state", {"state": "offline", "unsent": len(self._unsent)})
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 (chance, no secret)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def post(self, text: str) -> str:
        """Send this now, or as soon as there is a line; its client id."""
        client_id = secrets.token_hex(16)
        self._unsent[client_id] = text
        if self._live:
            await self._send_one(client_id)
        return client_id

    async def types(self) -> None:
        """Say that somebody writes here."""
        if self._live:
            await self._send({"t": "typing", "s": self.stream})

    @property
    def unsent(self) -> int:
        """How many posts wait for their acknowledgement."""
        return len(self._unsent)

    async def _sit(self, line: ClientConnection) -> None:
        self._line = line
        epoch = ""
        async for text in line:
            frame = json.loads(text)
            match frame["t"]:
                case "hello":
                    epoch, self.me = frame["epoch"], frame["you"]
                    await self._watch(epoch)
                    self.say("state", {"state": "catching up", "readonly": frame.get("readonly", "")})
                case "event" if frame["n"] == self.after + 1:
                    self.after = frame["n"]
                    self.say("event", frame)
                case "event" if frame["n"] > self.after:
                    await self._watch(epoch)
                case "caught_up":
                    self._live = True
                    self.say("state", {"state": "live"})
                    for client_id in list(self._unsent):
                        await self._send_one(client_id)
                case "reload":
                    # Too much happened meanwhile, or the desk was restored from a backup.
                    self.after = await self.begin()
                    self.say("state", {"state": "skipped"})
                    await self._watch(epoch)
                case "gone":
                    raise Over(frame["why"])
                case "ack":
                    if self._unsent.pop(frame["id"], None) is not None:
                        self.say("sent", frame)
                case "refused" if frame.get("after"):
                    asyncio.get_running_loop().call_later(frame["after"], self._again, frame["id"])
                case "refused":
                    text = self._unsent.pop(frame["id"], "")
                    self.say("refused", {**frame, "text": text})
                case "readonly":
                    self.say("state", {"state": "live", "readonly": frame["why"]})
                case "presence":
                    self.say("here", frame)
                case "typing":
                    self.say("typing", frame)

    async def _watch(self, epoch: str) -> None:
        await self._send({"t": "watch", "epoch": epoch, "streams": {self.stream: self.after}})

    def _again(self, client_id: str) -> None:
        if self._live and client_id in self._unsent:
            self._sending = asyncio.ensure_future(self._send_one(client_id))

    async def _send_one(self, client_id: str) -> None:
        text = self._unsent[client_id]
        await self._send({"t": "post", "s": self.stream, "id": client_id, "body": text})

    async def _send(self, frame: Mapping[str, Any]) -> None:
        # A line that breaks here is noticed by whoever reads it.
        with suppress(ConnectionClosed):
            if self._line is not None:
                await self._line.send(json.dumps(frame))
