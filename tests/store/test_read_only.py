"""What is a database that takes no writes, and what is not: real refusals of PostgreSQL and of SQLite."""

from __future__ import annotations

import errno
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from swarm.events import SYSTEM
from swarm.store import ReadOnly, Store, Work
from swarm.store.instance import ensure
from swarm.store.tables import Instance, StreamRow
from tests.support.backends import Backend, PostgresMaker
from tests.support.site import serve_site
from tests.support.town import build, open_store


def write(store: Store, key: str) -> None:
    store.write_now(SYSTEM, lambda work: work.session.add(StreamRow(key=key, last_seq=1)))


def keys(store: Store) -> set[str]:
    return set(store.read_now(SYSTEM, lambda work: work.session.scalars(select(StreamRow.key)).all()))


def why(store: Store) -> str | None:
    return store.writing.refused


@pytest.fixture
def ours(postgres_maker: PostgresMaker) -> Iterator[Store]:
    """A store on PostgreSQL, with a connection that has written already."""
    made = postgres_maker.make()
    store = open_store(made)
    store.write_now(SYSTEM, ensure)
    yield store
    store.close()
    postgres_maker.drop(made)


@contextmanager
def refusing(maker: PostgresMaker, store: Store, how: str) -> Iterator[None]:
    """New sessions, or all of them, may only read: as on a standby, or where an operator stopped writes."""
    name = store.url.database
    begin, end = {
        "new sessions": (
            f"ALTER DATABASE {name} SET default_transaction_read_only = on",
            f"ALTER DATABASE {name} RESET default_transaction_read_only",
        ),
        "all sessions": (
            "ALTER SYSTEM SET default_transaction_read_only = on",
            "ALTER SYSTEM RESET default_transaction_read_only",
        ),
    }[how]
    try:
        _settle(maker, begin, how)
        yield
    finally:
        _settle(maker, end, how)


def _settle(maker: PostgresMaker, statement: str, how: str) -> None:
    with psycopg.connect(maker.postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())
        if how == "all sessions":
            connection.execute("SELECT pg_reload_conf()")
            wanted = "off" if "RESET" in statement else "on"
            with psycopg.connect(maker.postgres.dsn("postgres"), autocommit=True) as other:
                row = ("",)
                while row[0] != wanted:
                    row = other.execute("SHOW default_transaction_read_only").fetchone() or ("",)


@pytest.mark.parametrize("how", ["new sessions", "all sessions"])
def test_postgresql_that_refuses_writes_is_read_and_left_by_itself(
    postgres_maker: PostgresMaker, ours: Store, how: str
) -> None:
    changes: list[str | None] = []
    ours.writing.on_change(lambda: changes.append(ours.writing.refused))
    write(ours, "before")
    with refusing(postgres_maker, ours, how):
        # Connections that were there before keep what a database gives only to new ones.
        ours._writing.dispose()
        with pytest.raises(ReadOnly) as refused:
            write(ours, "meanwhile")
        assert (refused.value.why, refused.value.after) == ("refuses", 5)
        assert "before" in keys(ours)
        ours.look_whether_it_writes_now()
        assert why(ours) == "refuses"
    with pytest.raises(ReadOnly):
        write(ours, "at once, without asking")
    ours.look_whether_it_writes_now()
    assert why(ours) is None
    write(ours, "after")
    assert {"before", "after"} <= keys(ours)
    assert not {"meanwhile", "at once, without asking"} & keys(ours)
    assert changes == ["refuses", None]


def test_a_look_finds_it_before_anybody_writes(postgres_maker: PostgresMaker, ours: Store) -> None:
    with refusing(postgres_maker, ours, "all sessions"):
        ours.look_whether_it_writes_now()
        assert why(ours) == "refuses"
    ours.look_whether_it_writes_now()
    assert why(ours) is None


def test_a_connection_of_before_that_still_writes_does_not_end_it(
    postgres_maker: PostgresMaker, ours: Store
) -> None:
    held, let_go = threading.Event(), threading.Event()

    def slowly(work: Work) -> None:
        work.session.add(StreamRow(key="slow", last_seq=1))
        held.set()
        assert let_go.wait(10)

    slow = threading.Thread(target=lambda: ours.write_now(SYSTEM, slowly))
    slow.start()
    assert held.wait(10)
    with refusing(postgres_maker, ours, "new sessions"):
        with pytest.raises(ReadOnly):
            write(ours, "by a new connection")
        let_go.set()
        slow.join(10)
        ours.look_whether_it_writes_now()
        assert why(ours) == "refuses"
    assert "slow" in keys(ours)


def test_the_reason_changes_while_it_lasts(postgres_maker: PostgresMaker, ours: Store) -> None:
    changes: list[str | None] = []
    ours.writing.on_change(lambda: changes.append(why(ours)))
    ours.writing.saw(OSError(errno.ENOSPC, "No space left on device"))
    with refusing(postgres_maker, ours, "all sessions"):
        ours.look_whether_it_writes_now()
        ours.look_whether_it_writes_now()
        with pytest.raises(ReadOnly, match="takes nothing new"):
            write(ours, "meanwhile")
        ours.writing.saw(OSError(errno.ENOSPC, "No space left on device"))
    ours.look_whether_it_writes_now()
    assert changes == ["full", "refuses", "full", None]


def test_every_screen_reads_the_reason_of_today(sqlite_backend: Backend) -> None:
    with serve_site(sqlite_backend) as site:
        mona = site.person(build(site.store).people["mona"])
        with mona.socket() as wire:
            for error, words in ((errno.ENOSPC, "disk is full"), (errno.EROFS, "takes nothing new")):
                site.store.writing.saw(OSError(error, "refused"))
                assert words in wire.until(lambda frame: frame["t"] == "readonly")["why"]
                assert words in mona.get("/me").text
            site.store.writing.works()
            assert wire.until(lambda frame: frame["t"] == "readonly")["why"] == ""


def test_a_look_leaves_nothing_behind(store: Store) -> None:
    store.write_now(SYSTEM, ensure)
    store.writing._become("refuses")
    store.look_whether_it_writes_now()
    assert why(store) is None
    assert len(store.read_now(SYSTEM, lambda work: work.session.scalars(select(Instance.id)).all())) == 1


def test_a_database_that_is_away_is_not_read_only(ours: Store, postgres_maker: PostgresMaker) -> None:
    def cut(work: Work) -> None:
        pid = work.session.scalar(text("SELECT pg_backend_pid()"))
        postgres_maker.postgres.run(f"SELECT pg_terminate_backend({pid})")
        work.session.execute(text("SELECT 1"))

    with pytest.raises(DBAPIError):
        ours.write_now(SYSTEM, cut)
    assert why(ours) is None
    write(ours, "after")


def test_a_database_that_is_busy_is_not_read_only(
    sqlite_backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swarm.store.engines.BUSY_SECONDS", 0.1)
    store = open_store(sqlite_backend)
    other = sqlite3.connect(sqlite_backend.database_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DBAPIError):
        write(store, "meanwhile")
    assert why(store) is None
    other.execute("ROLLBACK")
    other.close()
    write(store, "after")
    store.close()


def test_a_page_limit_is_a_full_disk_for_all_that_was_queued(sqlite_backend: Backend) -> None:
    """SQLite's own answer to a limit of pages is the one it gives to a full disk."""
    store = open_store(sqlite_backend)
    held, let_go = threading.Event(), threading.Event()
    answers: list[object] = []

    def fill(work: Work) -> None:
        connection = work.session.connection()
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        held.set()
        assert let_go.wait(10)
        work.session.add_all(StreamRow(key=f"{n}-{'x' * 2000}", last_seq=1) for n in range(100))

    def ask(do: object) -> None:
        try:
            store.write_now(SYSTEM, do)  # type: ignore[arg-type]
            answers.append("written")
        except ReadOnly as refused:
            answers.append(refused.why)

    threads = [threading.Thread(target=ask, args=(fill,))]
    threads[0].start()
    assert held.wait(10)
    small = [lambda work: work.session.add(StreamRow(key=f"small-{id(work)}", last_seq=1))] * 5
    threads += [threading.Thread(target=ask, args=(one,)) for one in small]
    for thread in threads[1:]:
        thread.start()
    while store._queue.qsize() < 5:
        pass
    let_go.set()
    for thread in threads:
        thread.join(10)
    assert answers == ["full"] * 6
    assert not [key for key in keys(store) if key.startswith("small-")]
    store.close()
