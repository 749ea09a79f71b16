"""Tables of asks, invitations and who was in the room."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from swarm.store.tables import Table


class Ask(Table):
    """A structured call for help."""

    __tablename__ = "asks"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'closed')", name="state"),
        Index(None, "ticket_id", "state"),
        Index(None, "state", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    asked_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    question: Mapped[str]
    tried: Mapped[str]
    state: Mapped[str] = mapped_column(default="open")
    client_id: Mapped[str] = mapped_column(unique=True)
    at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class AskSkill(Table):
    """A skill an ask wants."""

    __tablename__ = "ask_skills"
    __table_args__ = (Index(None, "skill_id", "ask_id"),)

    ask_id: Mapped[int] = mapped_column(ForeignKey("asks.id"), primary_key=True)
    skill_id: Mapped[int] = mapped_column(ForeignKey("skills.id"), primary_key=True)


class Invitation(Table):
    """One person an ask reached, and what they said."""

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'accepted', 'declined', 'withdrawn', 'expired')", name="state"),
        Index(
            "ix_invitations_waiting",
            "at",
            sqlite_where=text("state = 'pending' AND NOT named"),
            postgresql_where=text("state = 'pending' AND NOT named"),
        ),
        Index(None, "person_id", "state", "at", "id"),
        Index(None, "ticket_id", "person_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ask_id: Mapped[int] = mapped_column(ForeignKey("asks.id"), index=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    named: Mapped[bool]
    """Named by the owner, not found by skill."""
    state: Mapped[str] = mapped_column(default="pending")
    said: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class InvitationSkill(Table):
    """Which wanted skills an invited person was to bring."""

    __tablename__ = "invitation_skills"

    invitation_id: Mapped[int] = mapped_column(ForeignKey("invitations.id"), primary_key=True)
    skill_id: Mapped[int] = mapped_column(ForeignKey("skills.id"), primary_key=True)


class Stay(Table):
    """A person's time in a room, and how they came and went."""

    __tablename__ = "stays"
    __table_args__ = (
        Index(
            "uq_stays_present",
            "ticket_id",
            "person_id",
            unique=True,
            sqlite_where=text("left_at IS NULL"),
            postgresql_where=text("left_at IS NULL"),
        ),
        Index(None, "person_id", "left_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    ask_id: Mapped[int | None] = mapped_column(ForeignKey("asks.id"))
    how: Mapped[str]
    """`asked` or `hand`."""
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    left_how: Mapped[str | None]
