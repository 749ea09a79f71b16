"""Table of escalations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from swarm.store.tables import Table


class Escalation(Table):
    """A request to the next tier, and what became of it."""

    __tablename__ = "escalations"
    __table_args__ = (Index(None, "ticket_id", "ended_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    from_tier: Mapped[int]
    to_tier: Mapped[int]
    by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str]
    note: Mapped[str]
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    """`taken`, `returned`, `withdrawn` or `moved`."""
    answer: Mapped[str] = mapped_column(default="")
    """What who sent it back said."""
