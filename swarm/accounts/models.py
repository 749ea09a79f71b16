"""Tables of sessions and one-time links; secrets are kept as hashes only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, false
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
    token_id: Mapped[int | None] = mapped_column(ForeignKey("tokens.id"))
    """Of the token that opens sockets in it: such a session is no cookie."""
    simulated: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Of somebody who only simulates the demo's person."""


class SessionCase(Table):
    """A ticket that a customer's cookie opens."""

    __tablename__ = "session_cases"

    session_key: Mapped[str] = mapped_column(ForeignKey("sessions.key"), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)


class Token(Table):
    """What a program shows in place of a person."""

    __tablename__ = "tokens"
    __table_args__ = (Index(None, "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    """SHA-256 of the secret, hexadecimal."""
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    """Who made it, and as whom it acts."""
    name: Mapped[str]
    scopes: Mapped[str]
    """What it may do besides reading, with spaces between."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    """Noted every few minutes, not at every request."""
    ended_at: Mapped[datetime | None]


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


class Factor(Table):
    """Something a colleague has besides a password: an app that makes codes, or a passkey."""

    __tablename__ = "factors"
    __table_args__ = (
        CheckConstraint("kind IN ('totp', 'passkey')", name="kind"),
        Index(None, "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    kind: Mapped[str]
    name: Mapped[str]
    secret: Mapped[str]
    """Of an app the shared secret, base32; of a passkey its public key, base64url, first its challenge."""
    credential: Mapped[str | None] = mapped_column(unique=True)
    """A passkey's id, base64url."""
    count: Mapped[int] = mapped_column(default=0)
    """It only grows: the last time step a code was taken for, or the passkey's own counter."""
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    """Until then it opens nothing."""
    used_at: Mapped[datetime | None]


class RecoveryCode(Table):
    """For the day the other factors are lost; each works once."""

    __tablename__ = "recovery_codes"
    __table_args__ = (Index(None, "person_id"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of person and code, hexadecimal."""
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    used_at: Mapped[datetime | None]


class SignIn(Table):
    """A sign-in whose password was right and whose second step is missing."""

    __tablename__ = "sign_ins"
    __table_args__ = (Index(None, "person_id"), Index(None, "expires_at"))

    key: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the cookie, hexadecimal."""
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    target: Mapped[str]
    challenge: Mapped[str] = mapped_column(default="")
    """What a passkey is to sign, base64url."""
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
