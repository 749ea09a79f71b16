"""A mail server that runs beside the test, and does to letters what it is told to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.processes import free_port

PATIENCE = 15.0


@dataclass
class Mailbox:
    """What the server took, and how it behaves: `ok`, an answer such as `451 Later`, `stall` or `drop`."""

    port: int
    behaviour: str = "ok"
    at: str = "data"
    """Where it misbehaves: `rcpt`, or `data`, when the whole letter has come."""
    letters: list[EmailMessage] = field(default_factory=list)
    tried: int = 0
    """How often somebody offered a letter."""
    _arrived: threading.Condition = field(default_factory=threading.Condition)

    async def handle_RCPT(  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Whether the recipient is taken."""
        if self.at == "rcpt" and self.behaviour != "ok":
            return await self._misbehave(server)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Whether the letter is taken."""
        if self.at == "data" and self.behaviour != "ok":
            return await self._misbehave(server)
        content = envelope.content
        assert isinstance(content, bytes)
        with self._arrived:
            self.tried += 1
            self.letters.append(message_from_bytes(content, policy=default))
            self._arrived.notify_all()
        return "250 Taken"

    def wait(self, letters: int = 0, tried: int = 0) -> list[EmailMessage]:
        """What came, once so many letters did and so many were offered. Raises `TimeoutError`."""
        with self._arrived:
            there = self._arrived.wait_for(
                lambda: len(self.letters) >= letters and self.tried >= tried, PATIENCE
            )
            if not there:
                raise TimeoutError(f"{len(self.letters)} letters, {self.tried} offered")
            return list(self.letters)

    async def _misbehave(self, server: SMTP) -> str:
        with self._arrived:
            self.tried += 1
            self._arrived.notify_all()
        if self.behaviour == "stall":
            await asyncio.sleep(PATIENCE)
        if self.behaviour == "drop":
            cast(Any, server).transport.abort()
        return self.behaviour if self.behaviour[0].isdigit() else "451 Later"


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A server on a free port until the block ends."""
    mailbox = Mailbox(free_port())
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, ready_timeout=PATIENCE)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
