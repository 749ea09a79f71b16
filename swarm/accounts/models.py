"""Tables of sessions and one-time links; secrets are kept as hashes only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from swarm.store.tables import Table


class SessionRow(Table):
    """A cookie somebody holds: a colleague's, or a customer's."""

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) <> (customer_id IS NULL)", name="one_holder"),
        Index(None, "person_id"),
        Index(None, "customer_id"),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the cookie, hexadecimal."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    """Noted every few minutes, not at every request."""
    expires_at: Mapped[datetime]
    """The last moment in any case."""
    idle_at: Mapped[datetime | None]
    """The last moment unless it is used before; empty: only `expires_at` counts."""
    ended_at: Mapped[datetime | None]
    stamp: Mapped[int] = mapped_column(default=1)


class SessionCase(Table):
    """A ticket that a customer's cookie opens."""

    __tablename__ = "session_cases"

    session_key: Mapped[str] = mapped_column(ForeignKey("sessions.key"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)


class Link(Table):
    """A link that is exchanged once, by POST, for a cookie."""

    __tablename__ = "links"
    __table_args__ = (Index(None, "ticket_id"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the token, hexadecimal."""
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    made_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class AccountLink(Table):
    """A link by which a colleague chooses a password, once."""

    __tablename__ = "account_links"
    __table_args__ = (
        CheckConstraint("purpose IN ('invitation', 'reset')", name="purpose"),
        Index(None, "person_id"),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the token, hexadecimal."""
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    purpose: Mapped[str]
    made_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
