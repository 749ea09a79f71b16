"""Connections: one SQLite writer and many readers, or PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool

BUSY_SECONDS = 15
"""How long SQLite waits for another process's write (an import, a backup)."""
ASK_AFTER_SECONDS = 1.0
"""A PostgreSQL connection idle for longer is asked whether it is there before it is used."""
ABANDONED_SECONDS = 20
"""PostgreSQL ends a transaction in which a worker says nothing for so long: frozen, or gone with its machine,
it would keep the rooms it has locked from everybody else for hours."""

GONE = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""A PostgreSQL host that vanished without a word is noticed in some ten seconds, not in hours (libpq)."""

BY_KEYS = ("plan_cache_mode = force_generic_plan", "random_page_cost = 1.1")
"""Changes find their few rows by keys: planning that anew each time costs more than doing it."""


def sync_url(url: str) -> URL:
    """The URL with the driver we use. Raises `ValueError` for a database we do not know."""
    parsed = make_url(url)
    match parsed.get_backend_name():
        case "sqlite":
            return parsed.set(drivername="sqlite+pysqlite")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise ValueError(f"swarm keeps its data in SQLite or PostgreSQL, not in {other}")


def writing_engine(url: URL, *, connections: int) -> Engine:
    """For changes; on SQLite one connection whose transactions begin by taking the write lock."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, begin="BEGIN IMMEDIATE", connections=1, query_only=False)
    return _postgresql(url, connections, planning=BY_KEYS, connect_args=GONE | {"prepare_threshold": None})


def reading_engine(url: URL, *, connections: int) -> Engine:
    """For snapshots; cannot change anything."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, begin="BEGIN", connections=connections, query_only=True)
    return _postgresql(url, connections, isolation_level="REPEATABLE READ").execution_options(
        postgresql_readonly=True
    )


def _sqlite(url: URL, *, begin: str, connections: int, query_only: bool) -> Engine:
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS, "cached_statements": 512},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN is a deferred one; ours is emitted below.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA cache_size = -16000")
        if query_only:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgresql(url: URL, connections: int, planning: Sequence[str] = (), **options: Any) -> Engine:
    options = {"connect_args": GONE} | options
    engine = create_engine(url, pool_size=connections, max_overflow=0, hide_parameters=True, **options)

    @event.listens_for(engine, "connect")
    def bound(connection: Any, _record: Any) -> None:
        for setting in (f"idle_in_transaction_session_timeout = '{ABANDONED_SECONDS}s'", *planning):
            connection.execute(f"SET {setting}")
        connection.commit()

    @event.listens_for(engine, "checkin")
    def used(_connection: Any, record: Any) -> None:
        record.info["used"] = monotonic()

    @event.listens_for(engine, "checkout")
    def look(connection: Any, record: Any, _proxy: Any) -> None:
        # Asking each time would cost a round trip.
        if not connection.closed and monotonic() - record.info.get("used", 0.0) < ASK_AFTER_SECONDS:
            return
        try:
            connection.execute("SELECT 1")
            connection.rollback()
        except Exception as gone:
            raise DisconnectionError from gone

    return engine
