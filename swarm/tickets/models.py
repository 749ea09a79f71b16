"""Tables of tickets, their messages, their owners and who is admitted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, TextClause, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from swarm.store.tables import Table

TAKEN = text("queued_for IS NULL OR queued_for > 0")
LOOSE = text("message_id IS NULL")
WAITING = text("queued_for IS NOT NULL")


def _partial(name: str, where: TextClause, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


class Ticket(Table):
    """The case. Changed only by actions; `owner_id` only together with a row of `Ownership`."""

    __tablename__ = "tickets"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'waiting', 'on_hold', 'resolved', 'closed')", name="status"),
        CheckConstraint("priority BETWEEN 0 AND 3", name="priority"),
        CheckConstraint("mode IN ('tiered', 'tierless')", name="mode"),
        UniqueConstraint("source", "external_id"),
        # One for each way into a list, in the order of that list: see `swarm.tickets.lists`.
        Index(None, "updated_at", "id"),
        Index(None, "status", "updated_at", "id"),
        Index(None, "team_id", "updated_at", "id"),
        Index(None, "team_id", "status", "updated_at", "id"),
        Index(None, "owner_id", "updated_at", "id"),
        Index(None, "owner_id", "status", "updated_at", "id"),
        Index(None, "mode", "updated_at", "id"),
        Index(None, "priority", "updated_at", "id"),
        Index(None, "language", "updated_at", "id"),
        _partial("ix_tickets_mine", TAKEN, "owner_id", "status", "updated_at", "id"),
        _partial("ix_tickets_waiting", WAITING, "urgency", "queued_at", "id"),
        _partial("ix_tickets_waiting_in_team", WAITING, "team_id", "urgency", "queued_at", "id"),
        _partial("ix_tickets_queue", WAITING, "team_id", "queued_for", "urgency", "queued_at", "id"),
        Index(None, "customer_id", "opened_at"),
        Index(None, "status", "resolved_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    """Empty for imported history that names nobody."""
    subject: Mapped[str]
    status: Mapped[str] = mapped_column(default="open")
    priority: Mapped[int]
    """0 low, 1 normal, 2 high, 3 urgent."""
    urgency: Mapped[int] = mapped_column(Computed("3 - priority", persisted=True))
    """What is read first: a queue's columns all ascend, so that its index is its order."""
    category: Mapped[str] = mapped_column(default="")
    language: Mapped[str]
    mode: Mapped[str]
    assigned_mode: Mapped[str]
    """The mode at opening; a moved ticket is still counted here."""
    tier: Mapped[int] = mapped_column(default=1)
    """The rung that has it."""
    owner_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    owner_version: Mapped[int] = mapped_column(default=1)
    """The position of the chain's last row; every change of owner compares and sets it."""
    queued_for: Mapped[int | None]
    """0 the team's intake, n the tier it waits for, empty when somebody works it."""
    queued_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    answer_id: Mapped[int | None]
    """The room message marked as the answer."""
    channel: Mapped[str] = mapped_column(default="page")
    imported: Mapped[bool] = mapped_column(default=False)
    """History: sends nothing, runs no clock, enters no measure."""
    source: Mapped[str | None]
    external_id: Mapped[str | None]
    digest: Mapped[str | None]


class TicketTag(Table):
    """A word on a ticket."""

    __tablename__ = "ticket_tags"
    __table_args__ = (Index(None, "tag", "ticket_id"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)


class Ownership(Table):
    """One link of the chain: append-only (a trigger holds it), positions 1, 2, 3 without a hole."""

    __tablename__ = "ownerships"
    __table_args__ = (Index(None, "owner_id", "ticket_id"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    owner_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    from_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    how: Mapped[str]
    reason: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]


class Message(Table):
    """A text in one of the two lanes."""

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("lane IN ('lane', 'room')", name="lane"),
        UniqueConstraint("client_id", "author", "ticket_id", "lane"),
        Index(None, "ticket_id", "lane", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    lane: Mapped[str]
    """`lane` the customer lane, `room` what the customer never sees."""
    author: Mapped[str]
    """`person:7`, `customer:9`, or `system` for imported history without a writer."""
    body: Mapped[str]
    client_id: Mapped[str]
    seq: Mapped[int]
    at: Mapped[datetime]
    files: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many came with it: those without are drawn without asking."""


class File(Table):
    """What somebody sent with a message, or ahead of one; its bytes are kept elsewhere, under its token."""

    __tablename__ = "files"
    __table_args__ = (
        Index(None, "message_id", "position"),
        Index(None, "uploader", "at"),
        _partial("ix_files_loose", LOOSE, "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(unique=True)
    """32 hexadecimal digits; knowing it opens nothing."""
    uploader: Mapped[str]
    """`person:7`, `customer:9`, `guest:3`, or what stands for the address a ticket was opened from."""
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    """Where it may go, from the start; empty while its ticket is being opened."""
    lane: Mapped[str]
    message_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id"))
    """Empty until it went with a message: nobody can fetch it before."""
    position: Mapped[int] = mapped_column(default=0)
    name: Mapped[str]
    kind: Mapped[str]
    """By its content."""
    bytes: Mapped[int]
    sha256: Mapped[str]
    width: Mapped[int | None]
    """Of the picture drawn anew; empty where there is none."""
    height: Mapped[int | None]
    safe_kind: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]


class Admission(Table):
    """A person from outside the team who may see the case: asked, or in the swarm."""

    __tablename__ = "admissions"
    __table_args__ = (
        CheckConstraint("standing IN ('asked', 'swarm')", name="standing"),
        Index(None, "person_id", "ticket_id"),
    )

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    standing: Mapped[str]
    since: Mapped[datetime]


class Read(Table):
    """How far a person has read a lane; only grows."""

    __tablename__ = "reads"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    stream: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]


class Following(Table):
    """How the customer follows a case: no row, and they have read nothing and want letters."""

    __tablename__ = "followings"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True, autoincrement=False)
    read_seq: Mapped[int] = mapped_column(default=0)
    """The last number of the lane they have seen; only grows."""
    letters: Mapped[bool] = mapped_column(default=True)
