"""Connections: one SQLite writer and many readers, or PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.pool import QueuePool

BUSY_SECONDS = 15
"""How long SQLite waits for another process's write (an import, a backup)."""


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
    return create_engine(url, pool_size=connections, max_overflow=0, pool_pre_ping=True, hide_parameters=True)


def reading_engine(url: URL, *, connections: int) -> Engine:
    """For snapshots; cannot change anything."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, begin="BEGIN", connections=connections, query_only=True)
    return create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
        isolation_level="REPEATABLE READ",
    ).execution_options(postgresql_readonly=True)


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
