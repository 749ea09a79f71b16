"""The table of what goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
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
