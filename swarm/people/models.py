"""Tables of people, teams and customers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import TEXT, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from swarm.store.tables import Json, Table

LEVELS = (1, 2, 3)
KNOWS_WELL = 2
LETTERS = ("asks", "given", "answers")
"""An ask reached them, a ticket was given to them, a customer answered on theirs."""
USUAL_LETTERS = ("asks", "given")


class Person(Table):
    """A colleague with an account."""

    __tablename__ = "people"
    __table_args__ = (
        CheckConstraint("role IN ('agent', 'specialist', 'manager', 'administrator')", name="role"),
        CheckConstraint("availability IN ('available', 'busy', 'away')", name="availability"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    """Lower case."""
    role: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    availability: Mapped[str] = mapped_column(default="available")
    language: Mapped[str] = mapped_column(default="en")
    timezone: Mapped[str] = mapped_column(default="UTC")
    password: Mapped[str | None]
    """An argon2 hash; nobody signs in without one."""
    stamp: Mapped[int] = mapped_column(default=1)
    """Grows whenever this person's rights change, so that open screens ask again."""
    letters: Mapped[list[str]] = mapped_column(
        Json, default=lambda: list(USUAL_LETTERS), server_default='["asks", "given"]'
    )
    """What they get mail about while they are not here: of LETTERS."""
    created_at: Mapped[datetime]


class Seen(Table):
    """When a colleague last had a page open; noted every few seconds while they do."""

    __tablename__ = "seen"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, autoincrement=False)
    at: Mapped[datetime]


class Team(Table):
    """A group with its own intake and a duty lead."""

    __tablename__ = "teams"
    __table_args__ = (
        CheckConstraint("policy IN ('tiered', 'tierless', 'split')", name="policy"),
        CheckConstraint("share BETWEEN 0 AND 100", name="share"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    duty_lead_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    policy: Mapped[str]
    share: Mapped[int]
    """Percent of new tickets that become tierless under `split`."""
    policy_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]


class Tier(Table):
    """A rung inside a team."""

    __tablename__ = "tiers"

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    rung: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]


class Membership(Table):
    """Who is in which team, on which rung."""

    __tablename__ = "memberships"
    __table_args__ = (Index(None, "person_id"),)

    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    rung: Mapped[int]


class Skill(Table):
    """Something a person may know."""

    __tablename__ = "skills"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]


class PersonSkill(Table):
    """Who knows what."""

    __tablename__ = "person_skills"
    __table_args__ = (Index(None, "skill_id"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    skill_id: Mapped[int] = mapped_column(ForeignKey("skills.id"), primary_key=True)
    level: Mapped[int] = mapped_column(default=KNOWS_WELL, server_default=str(KNOWS_WELL))
    """From 1, a little, to 3: others learn it from them."""


class Guest(Table):
    """An expert without an account, in one ticket's room; of one who is out, only the name may stay."""

    __tablename__ = "guests"
    __table_args__ = (
        CheckConstraint(
            "ended_at IS NULL OR (ended_how IS NOT NULL AND email IS NULL AND session IS NULL)",
            name="leaves_nothing",
        ),
        Index(None, "ticket_id", "id"),
        Index(
            "ix_guests_until",
            "expires_at",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    name: Mapped[str]
    """Empty once access ended and nothing was written."""
    email: Mapped[str | None]
    """Where the link went, until access ends."""
    language: Mapped[str] = mapped_column(default="en")
    invited_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    link: Mapped[str] = mapped_column(unique=True)
    """SHA-256 of the link's token, hexadecimal; kept to say that it was used or is over."""
    session: Mapped[str | None] = mapped_column(unique=True)
    """SHA-256 of the cookie that the link was exchanged for, while it opens anything."""
    invited_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """Of the link; from joining on, of the access."""
    joined_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_how: Mapped[str | None]
    """`left`, `withdrawn`, `expired` or `over`."""


class Customer(Table):
    """Who asks."""

    __tablename__ = "customers"
    __table_args__ = (Index(None, "company"), Index(None, "likeness"), Index(None, "merged_into_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str | None] = mapped_column(index=True)
    """As given and lower case; not unique, for nobody has proved it is theirs."""
    company: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="", server_default="")
    language: Mapped[str] = mapped_column(default="en")
    timezone: Mapped[str] = mapped_column(default="", server_default="")
    """Empty where nobody knows."""
    notes: Mapped[str] = mapped_column(default="", server_default="")
    """For colleagues alone: never shown to a customer or a guest."""
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    """Grows with every change by a colleague: 1 is what came with the first ticket."""
    likeness: Mapped[str | None]
    """Name and company without case and accents; empty without a company: see `swarm.people.customers`."""
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    """The record that stands for this one since they were merged; that one is never merged itself."""
    created_at: Mapped[datetime]


class CustomerWord(Table):
    """A word by which a customer is found, without case and accents."""

    __tablename__ = "customer_words"
    __table_args__ = (Index(None, "customer_id"),)

    word: Mapped[str] = mapped_column(
        String().with_variant(TEXT(collation="C"), "postgresql"), primary_key=True
    )
    """In the order of its bytes on both databases: the beginning of a word is a stretch of the key."""
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), primary_key=True)
