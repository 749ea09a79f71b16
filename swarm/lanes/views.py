"""What stands in a lane, ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from markupsafe import Markup

from swarm.people.queries import Face
from swarm.rooms.queries import AskedHelp
from swarm.tickets.attaching import Attached

Audience = Literal["staff", "customer", "guest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A text somebody wrote."""

    dom_id: str
    client_id: str
    message_id: int
    author_name: str
    author_id: str
    hue: int
    is_owner: bool
    is_customer: bool
    at: datetime
    html: Markup
    is_answer: bool
    is_guest: bool = False
    files: Sequence[Attached] = ()


def unsent(author: Face, now: datetime) -> MessageView:
    """The bubble of a message that is not stored yet; the script fills in its words."""
    return MessageView(
        dom_id="",
        client_id="",
        message_id=0,
        author_name=author.name,
        author_id=author.key,
        hue=author.hue,
        is_owner=False,
        is_customer=author.is_customer,
        is_guest=author.is_guest,
        at=now,
        html=Markup(),
        is_answer=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a lane: exactly one of message, ask and text is filled."""

    stream: str
    seq: int
    at: datetime
    message: MessageView | None = None
    ask: AskedHelp | None = None
    text: str = ""
    note: str = ""
    """What the person said with it: a reason, a hand-over note."""
    icon: str = "circle-dot"

    @property
    def dom_id(self) -> str:
        """The element's id on a page."""
        if self.ask is not None:
            return f"ask-{self.ask.ask.id}"
        return self.message.dom_id if self.message else f"e-{self.stream.replace(':', '-')}-{self.seq}"

    @property
    def ticket_id(self) -> int:
        """The ticket whose lane this is."""
        return int(self.stream.partition(":")[2])


@dataclass(frozen=True, slots=True)
class Lane:
    """The end of a lane, or a stretch before it."""

    stream: str
    lines: list[Line]
    head: int
    """The stream's last number in this snapshot."""
    older: int | None
    """The number to ask for what stands before; empty at the beginning."""
