"""Tables of the switch: its history, and the draws of a split."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from swarm.store.tables import Table


class PolicyChange(Table):
    """Who set a team's policy, to what, when and why."""

    __tablename__ = "policy_changes"

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    policy: Mapped[str]
    share: Mapped[int]
    note: Mapped[str]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]


class Block(Table):
    """The permuted block being drawn from, per team, priority and version of the policy."""

    __tablename__ = "blocks"

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    priority: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    policy_version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
    order: Mapped[str]
    """One letter a ticket: `l` ladder (tiered), `h` hive (tierless)."""
    used: Mapped[int]


class Draw(Table):
    """How a ticket came to its mode under `split`; never changed."""

    __tablename__ = "draws"
    __table_args__ = (Index(None, "team_id", "policy_version"),)

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    priority: Mapped[int]
    policy_version: Mapped[int]
    block: Mapped[int]
    position: Mapped[int]
    block_size: Mapped[int]
    probability: Mapped[float]
    """Of becoming tierless, from the policy's share, 0 to 1."""
    mode: Mapped[str]
