"""The two pairs every behaviour is shown on: SQLite alone, and PostgreSQL with Redis."""

import shutil
import sqlite3
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from swarm.store.migrate import upgrade
from tests.support.servers import Postgres, RedisServer

TEMPLATE = "swarm_template"


@dataclass(frozen=True)
class Backend:
    """A database of one test's own, and the doorbell that goes with it."""

    name: str
    database_url: str
    redis_url: str | None

    @property
    def env(self) -> dict[str, str]:
        """What makes a swarm process use it."""
        return {"SWARM_DATABASE_URL": self.database_url, "SWARM_REDIS_URL": self.redis_url or ""}


class SqliteMaker:
    """Copies one migrated file for each test."""

    def __init__(self, home: Path) -> None:
        self.template = home / "template.db"
        upgrade(f"sqlite:///{self.template}")
        with sqlite3.connect(self.template) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    def make(self, home: Path, *, migrated: bool = True) -> Backend:
        path = home / "swarm.db"
        if migrated:
            shutil.copyfile(self.template, path)
        return Backend("sqlite", f"sqlite:///{path}", None)


class PostgresMaker:
    """Copies one migrated database for each test, inside the server."""

    def __init__(self, postgres: Postgres, redis: RedisServer) -> None:
        self.postgres = postgres
        self.redis = redis
        self.numbers = count(1)
        postgres.run(f"CREATE DATABASE {TEMPLATE}")
        upgrade(postgres.url(TEMPLATE))

    def make(self, *, migrated: bool = True) -> Backend:
        name = f"test_{next(self.numbers)}"
        self.postgres.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE if migrated else 'template0'}")
        self.redis.flush()
        return Backend("postgres+redis", self.postgres.url(name), self.redis.url)

    def drop(self, backend: Backend) -> None:
        self.postgres.run(f"DROP DATABASE {backend.database_url.rpartition('/')[2]} WITH (FORCE)")
