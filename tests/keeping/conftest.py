"""Desks to back up, empty places to restore into, and the commands over any of them."""

import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import Result

from swarm import demo
from swarm.accounts.account_links import let_in_by_link
from swarm.accounts.actions import make_link, start_session
from swarm.accounts.second_step import begin, new_app, new_codes
from swarm.events import SYSTEM
from swarm.outbound import queue
from swarm.settings import Settings
from swarm.store import Work
from swarm.tickets.attaching import NewFile, keep_loose
from swarm.tickets.models import Read, Ticket
from tests.cli.conftest import runner
from tests.conftest import PAIRS
from tests.support.backends import Backend
from tests.support.town import open_store

if TYPE_CHECKING:
    from tests.support.backends import PostgresMaker, SqliteMaker

Run = Callable[..., Result]
Empty = Callable[[str], Backend]


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Empty]:
    """`empty("sqlite")` is a file in an empty folder, `empty("postgres+redis")` a blank database."""
    made: list[Backend] = []
    numbers = count(1)

    def make(kind: str) -> Backend:
        if kind == "sqlite":
            return Backend("sqlite", f"sqlite:///{tmp_path}/empty-{next(numbers)}/swarm.db", None)
        maker: PostgresMaker = request.getfixturevalue("postgres_maker")
        made.append(maker.make(migrated=False))
        return made[-1]

    yield make
    for one in made:
        request.getfixturevalue("postgres_maker").drop(one)


@pytest.fixture(scope="session")
def furnished_file(sqlite_maker: "SqliteMaker", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk with something in every table, made once."""
    made = sqlite_maker.make(tmp_path_factory.mktemp("furnished"))
    furnish(made)
    return Path(made.database_url.removeprefix("sqlite:///"))


@pytest.fixture(scope="session")
def furnished_name(postgres_maker: "PostgresMaker") -> str:
    """The same on PostgreSQL."""
    made = postgres_maker.make()
    furnish(made)
    return made.database_url.rpartition("/")[2]


@pytest.fixture(params=PAIRS)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """A copy of it, once on each pair."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("furnished_file"), tmp_path / "desk.db")
        yield Backend("sqlite", f"sqlite:///{tmp_path}/desk.db", None)
        return
    maker: PostgresMaker = request.getfixturevalue("postgres_maker")
    name = f"desk_{secrets.token_hex(4)}"
    maker.postgres.run(f"CREATE DATABASE {name} TEMPLATE {request.getfixturevalue('furnished_name')}")
    made = Backend("postgres+redis", maker.postgres.url(name), maker.redis.url)
    yield made
    maker.drop(made)


@pytest.fixture
def swarm(monkeypatch: pytest.MonkeyPatch) -> Run:
    """`swarm(backend, "backup", path, code=1)`: the command over one of several databases."""

    def run(backend: Backend, *arguments: object, code: int = 0) -> Result:
        return runner(backend, monkeypatch)(*arguments, code=code)

    return run


def new_file() -> NewFile:
    """Something that arrived."""
    return NewFile(token=secrets.token_hex(16), name="a.txt", kind="text/plain", bytes=1, sha256="")


def furnish(backend: Backend) -> None:
    """Fill a migrated database: the demo, sessions, links, a second step, a letter: each table has a row."""
    store = open_store(backend)
    demo.load(store, Settings())

    def enter(work: Work) -> None:
        start_session(work, 1, days=14, idle_hours=12)
        ticket = work.session.get_one(Ticket, 1)
        assert ticket.customer_id is not None
        make_link(work, ticket.id, ticket.customer_id, 7)
        work.session.add(Read(person_id=1, stream="room:1", seq=1))
        let_in_by_link(work, 2, timedelta(hours=1))
        new_app(work, 2)
        new_codes(work, 2)
        begin(work, 2, "/mine")
        keep_loose(work, "person:1", [new_file()], 1, "room", hour_bytes=10)
        queue.put(work, "account_link", "person:2", person_id=2, hours=1)

    store.write_now(SYSTEM, enter)
    store.close()
    if backend.name == "sqlite":
        # Into the file itself, which is copied.
        with sqlite3.connect(backend.database_url.removeprefix("sqlite:///")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
