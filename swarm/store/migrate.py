"""Bring a database to the tables this version needs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection

from swarm.store.engines import reading_engine, sync_url, writing_engine

MIGRATIONS = Path(__file__).parent / "migrations"
VERSIONS = "alembic_version"
"""The table that says which revision a database has."""
ONE_AT_A_TIME = 7_196_234
"""The advisory lock of whoever migrates."""


class UnknownRevision(ValueError):
    """Tables of a version of swarm that this one does not know."""


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate; each step commits by itself, so an interrupted upgrade can simply be run again."""
    engine = writing_engine(sync_url(url), connections=2)
    config = _config()
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                # Two workers that start together must not migrate together.
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
                connection.commit()
            else:
                _foreign_keys(connection, "OFF")
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            if connection.dialect.name == "sqlite":
                _foreign_keys(connection, "ON")
    finally:
        engine.dispose()


def upgrade_within(connection: Connection, revision: str = "head") -> None:
    """Migrate inside the connection's transaction. Raises `UnknownRevision`.

    On SQLite its foreign keys must be off, and the caller checks them afterwards.
    """
    assert connection.in_transaction(), "alembic would commit each step"
    if revision != "head" and revision not in revisions():
        raise UnknownRevision(revision)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def revisions() -> list[str]:
    """Every revision this version knows, the newest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]


def revision_of(connection: Connection) -> str | None:
    """Which tables a database has; none in one that was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def is_current(url: str) -> bool:
    """Whether the database has the tables of this version; only reads. Raises what the driver raises."""
    engine = reading_engine(sync_url(url), connections=1)
    try:
        with engine.connect() as connection:
            return revision_of(connection) == revisions()[0]
    finally:
        engine.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def _foreign_keys(connection: Connection, state: str) -> None:
    """SQLite rebuilds a table that others point at by dropping it, which must not take them along.

    Raises `ValueError` where a migration left a reference to nothing.
    """
    raw = connection.connection.driver_connection
    assert raw is not None
    if state == "ON" and (broken := raw.execute("PRAGMA foreign_key_check").fetchall()):
        raise ValueError(f"{len(broken)} rows point at nothing after the migration")
    raw.execute(f"PRAGMA foreign_keys = {state}")
