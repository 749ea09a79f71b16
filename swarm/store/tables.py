"""What every table shares, and the tables of the log itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Boolean, DateTime, Integer, MetaData, String, TypeDecorator, true
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Id = BigInteger().with_variant(Integer, "sqlite")
"""Ids; SQLite numbers rows only in columns declared INTEGER."""
Json = JSON().with_variant(postgresql.JSONB(), "postgresql")


class UtcTime(TypeDecorator[datetime]):
    """An aware instant, kept in UTC with microseconds on both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Table(DeclarativeBase):
    """Base of every table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        int: Id,
        datetime: UtcTime(),
        dict[str, Any]: Json,
        str: String(),
        bool: Boolean(),
    }


class StreamRow(Table):
    """The last number given on a stream; its row lock is what makes numbers gapless."""

    __tablename__ = "streams"

    key: Mapped[str] = mapped_column(primary_key=True)
    last_seq: Mapped[int]


class EventRow(Table):
    """One fact, never changed."""

    __tablename__ = "events"

    stream: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime]
    data: Mapped[dict[str, Any]]


class Instance(Table):
    """This installation: one row."""

    __tablename__ = "instance"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[str]
    """Changes when the database is restored, so that screens start anew."""
    demo: Mapped[bool] = mapped_column(default=False)
    simulated: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether simulated people may work in the demo."""
    second_step_roles: Mapped[list[str]] = mapped_column(Json, default=list, server_default="[]")
    """Roles that sign in with a second step, whether they want to or not."""
    seeded_at: Mapped[datetime | None]


class Lease(Table):
    """Who runs what only one worker runs at a time; the hands that touch it are in leases.py."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]
    """By the database's clock: hosts need not agree on the time."""
