"""The tables of what goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from swarm.store.tables import Json, Table


class Mail(Table):
    """A letter on its way: written when it is sent for the first time, and kept until somebody took it."""

    __tablename__ = "mails"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'sent', 'parked', 'dropped')", name="state"),
        Index(
            "ix_mails_due",
            "next_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(None, "state", "id"),
        Index(None, "about", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(unique=True)
    """Of its Message-ID: the same however often it is sent."""
    kind: Mapped[str]
    about: Mapped[str]
    """`person:7`, or empty."""
    data: Mapped[dict[str, Any]]
    """Ids, from which it is written."""
    letter: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """As it was written; taken away once it is sent, for it may hold a secret link."""
    state: Mapped[str]
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    """When it is tried again; while somebody sends it, when others may."""
    tries: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(default="")
    """What the last server said that did not take it."""


class Webhook(Table):
    """An address outside that is told of events."""

    __tablename__ = "webhooks"
    __table_args__ = (
        CheckConstraint("state IN ('on', 'off', 'removed')", name="state"),
        Index(
            "ix_webhooks_names",
            "name",
            unique=True,
            sqlite_where=text("state <> 'removed'"),
            postgresql_where=text("state <> 'removed'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    url: Mapped[str]
    secret: Mapped[str]
    """Signs what goes there (Standard Webhooks, `whsec_…`): kept readable, for it is needed each time."""
    state: Mapped[str]
    failures: Mapped[int] = mapped_column(default=0)
    """In a row, since something last arrived."""
    failing_since: Mapped[datetime | None]
    rest_until: Mapped[datetime | None]
    """Nothing is tried before."""
    given_up: Mapped[bool] = mapped_column(default=False)
    """It is off because nothing arrived for days, or it said that it is gone."""
    created_at: Mapped[datetime]


class WebhookEvent(Table):
    """A kind of event that an address is told of."""

    __tablename__ = "webhook_events"

    kind: Mapped[str] = mapped_column(primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhooks.id"), primary_key=True)


class Delivery(Table):
    """One event on its way to one address: put in with the event, see swarm.store.outbox."""

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'arrived', 'failed')", name="state"),
        UniqueConstraint("webhook_id", "stream", "seq"),
        Index(
            "ix_deliveries_due",
            "webhook_id",
            "next_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(None, "webhook_id", "id"),
        Index(None, "webhook_id", "state", "id"),
        Index(None, "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhooks.id"))
    stream: Mapped[str]
    seq: Mapped[int]
    kind: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    """When it is tried again; while somebody sends it, when others may."""
    tries: Mapped[int]
    status: Mapped[int | None]
    """What the last answer was, if there was one."""
    said: Mapped[str]
    """The beginning of that answer, or why there was none."""
    done_at: Mapped[datetime | None]
