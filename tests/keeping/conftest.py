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
from sqlalchemy import select
from typer.testing import Result

from swarm import demo
from swarm.accounts.account_links import let_in_by_link
from swarm.accounts.actions import make_link, start_session
from swarm.accounts.second_step import begin, new_app, new_codes
from swarm.accounts.tokens import make_token
from swarm.customers.actions import merge
from swarm.events import SYSTEM, Actor
from swarm.outbound import queue
from swarm.outbound.models import Webhook, WebhookEvent
from swarm.people.events import TeamChanged
from swarm.people.models import Customer, Guest, Person
from swarm.people.queries import person_actor
from swarm.people.seeing import note_here
from swarm.settings import Settings
from swarm.store import Work
from swarm.tickets.attaching import NewFile, keep_loose
from swarm.tickets.models import Following, Read, Ticket
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


def customer(work: Work, number: int) -> Customer:
    return work.session.get_one(Customer, number)


def manager(work: Work) -> Actor:
    id_ = work.session.scalars(select(Person.id).where(Person.role == "manager", Person.active)).first()
    assert id_ is not None
    return person_actor(work.session, id_)


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
        note_here(work, [1])
        work.session.add(Following(ticket_id=1, read_seq=1, letters=False))
        let_in_by_link(work, 2, timedelta(hours=1))
        new_app(work, 2)
        new_codes(work, 2)
        begin(work, 2, "/mine")
        work.session.add(
            Guest(
                ticket_id=1,
                name="Rui",
                invited_by=1,
                link="a-hash",
                invited_at=work.now,
                expires_at=work.now,
                ended_at=work.now,
                ended_how="left",
            )
        )
        webhook = Webhook(
            name="W", url="https://w.example.org", secret="whsec_", state="on", created_at=work.now
        )
        work.session.add(webhook)
        work.session.flush()
        work.session.add(WebhookEvent(kind="team.changed", webhook_id=webhook.id))
        work.record("team:1", TeamChanged(team_id=1))
        # The lower number points to the higher one, which comes later in any file.
        work.actor = manager(work)
        lower, higher = (customer(work, number) for number in (2, 3))
        merge(work, higher.id, lower.id, (higher.version, lower.version))
        keep_loose(work, "person:1", [new_file()], 1, "room", hour_bytes=10)
        queue.put(work, "account_link", "person:2", person_id=2, hours=1)
        make_token(work, person_actor(work.session, 2), name="Bot", scopes=(), days=30)

    store.write_now(SYSTEM, enter)
    store.close()
    if backend.name == "sqlite":
        # Into the file itself, which is copied.
        with sqlite3.connect(backend.database_url.removeprefix("sqlite:///")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
