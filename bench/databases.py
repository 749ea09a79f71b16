"""Filled databases, kept between runs under var/bench/ or on the PostgreSQL server that was named."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import Connection, insert, text
from sqlalchemy.engine import make_url

import swarm.tables
from bench.rows import Row, rows
from swarm.at_once import AT_ONCE
from swarm.events import SYSTEM
from swarm.settings import resources
from swarm.store import Store, instance
from swarm.store.engines import sync_url, writing_engine
from swarm.store.migrate import MIGRATIONS, upgrade
from tests.support.servers import postgres

KEPT = resources("var", "bench")
TOGETHER = 5000
"""Rows written in one statement."""
SMALL, LARGE = 1_000, 100_000


@dataclass(frozen=True, slots=True)
class Sqlite:
    """Database files."""

    home: Path
    name: str = "SQLite"

    def filled(self, tickets: int) -> str:
        """The URL of a copy of a desk with so many tickets, for this run."""
        kept = KEPT / f"desk-{tickets}-{_edition()}.db"
        if not kept.exists():
            KEPT.mkdir(parents=True, exist_ok=True)
            for old in KEPT.glob(f"desk-{tickets}-*"):
                old.unlink()
            making = self.home / "making.db"
            fill(f"sqlite:///{making}", tickets)
            with sqlite3.connect(making) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
            shutil.move(making, kept)
        return self.copied(kept, f"desk-{tickets}.db")

    def copied(self, kept: Path, name: str) -> str:
        """A copy that a run may write to."""
        made = self.home / name
        for rest in (made, *made.parent.glob(f"{name}-*")):
            rest.unlink(missing_ok=True)
        shutil.copyfile(kept, made)
        return f"sqlite:///{made}"


@dataclass(frozen=True, slots=True)
class Postgres:
    """Databases beside the one a URL names."""

    url: str
    name: str = "PostgreSQL"

    def filled(self, tickets: int) -> str:
        """The URL of a copy of a desk with so many tickets, for this run."""
        kept = f"swarm_bench_{tickets}_{_edition()}"
        made = f"swarm_bench_{tickets}"
        with self._server() as server:
            if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [f"{kept}"]).fetchone():
                server.execute(f'CREATE DATABASE "{kept}_new"'.encode())
                fill(self._named(f"{kept}_new"), tickets)
                server.execute(f'ALTER DATABASE "{kept}_new" RENAME TO "{kept}"'.encode())
            server.execute(f'DROP DATABASE IF EXISTS "{made}" WITH (FORCE)'.encode())
            server.execute(f'CREATE DATABASE "{made}" TEMPLATE "{kept}"'.encode())
        return self._named(made)

    def _server(self) -> psycopg.Connection:
        return psycopg.connect(
            make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False),
            autocommit=True,
        )

    def _named(self, name: str) -> str:
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)


Databases = Sqlite | Postgres


@contextmanager
def databases(url: str, home: Path) -> Iterator[Databases]:
    """Where desks are kept: `sqlite`, `postgresql` (a server of this run's own), or a PostgreSQL URL."""
    if url == "sqlite":
        yield Sqlite(home)
    elif url == "postgresql":
        with postgres(durable=True) as server:
            yield Postgres(server.url("postgres"))
    else:
        yield Postgres(url)


def fill(url: str, tickets: int) -> None:
    """Make the tables and a desk with so many tickets."""
    upgrade(url)
    store = Store(url, at_once=AT_ONCE)
    store.write_now(SYSTEM, instance.ensure)
    store.close()
    add(url, rows(tickets))


def add(url: str, new: Iterable[Row]) -> None:
    """Write rows as they are, then let the database learn how many of each kind it has."""
    engine = writing_engine(sync_url(url), connections=1)
    waiting: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    with engine.connect() as connection, connection.begin():
        _unchecked(connection)
        for count, (table, row) in enumerate(new, 1):
            waiting[table].append(row)
            if count % TOGETHER == 0:
                _write(connection, waiting)
        _write(connection, waiting)
        if connection.dialect.name == "postgresql":
            for table in ("tickets", "messages", "people", "customers", "teams"):
                connection.execute(
                    text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
                )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def _unchecked(connection: Connection) -> None:
    # References are checked at the end, for rows come in the order in which they are made up.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.exec_driver_sql("PRAGMA cache_size = -500000")


def _write(connection: Connection, waiting: dict[str, list[dict[str, object]]]) -> None:
    for table in swarm.tables.Table.metadata.sorted_tables:
        same: defaultdict[tuple[str, ...], list[dict[str, object]]] = defaultdict(list)
        for row in waiting.pop(table.name, ()):
            same[tuple(row)].append(row)
        for alike in same.values():
            connection.execute(insert(table), alike)


def _edition() -> str:
    """Changes with what desks are made of."""
    made_by = [*sorted((MIGRATIONS / "versions").glob("*.py")), Path(__file__).with_name("rows.py")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in made_by)).hexdigest()[:12]
