"""Bring a database to the tables this version needs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from swarm.store.engines import sync_url, writing_engine

MIGRATIONS = Path(__file__).parent / "migrations"
_ONE_AT_A_TIME = 7_196_234


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate; each step commits by itself, so an interrupted upgrade can simply be run again."""
    engine = writing_engine(sync_url(url), connections=2)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                # Two workers that start together must not migrate together.
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ONE_AT_A_TIME})
                connection.commit()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        engine.dispose()
