"""On SQLite what is queued in one turn shares one commit; nobody suffers from a neighbour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Event as Signal
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from swarm.events import NOBODY
from swarm.people.events import TeamChanged
from swarm.store import Entry, Store, Work, log
from swarm.store.tables import StreamRow
from tests.support.backends import Backend
from tests.support.town import open_store


class Spoiled(Exception):
    """What a test's own transaction raises."""


def note(stream: str) -> Callable[[Work], int]:
    """A transaction that puts one fact on a stream."""
    return lambda work: work.record(stream, TeamChanged(team_id=1))


def together(store: Store, *do: Callable[[Work], Any]) -> list[Future[Any]]:
    """Queued while the writer is busy, so that they share its next turn."""
    busy, go = Signal(), Signal()

    def wait(_work: Work) -> None:
        busy.set()
        assert go.wait(10)

    first = store._submit(NOBODY, wait)
    assert busy.wait(10)
    futures = [store._submit(NOBODY, one) for one in do]
    go.set()
    first.result(10)
    return futures


def head(store: Store, stream: str) -> int:
    return store.read_now(NOBODY, lambda work: log.heads(work.session, [stream])[stream])


def test_one_that_is_refused_leaves_the_others_stored(store: Store) -> None:
    def refused(work: Work) -> None:
        note("room:1")(work)
        raise Spoiled

    first, bad, last = together(store, note("room:1"), refused, note("room:1"))
    assert sorted([first.result(10), last.result(10)]) == [1, 2]
    with pytest.raises(Spoiled):
        bad.result(10)
    assert head(store, "room:1") == 2


def test_one_that_breaks_a_constraint_leaves_the_others_stored(store: Store) -> None:
    def twice(work: Work) -> None:
        for _time in range(2):
            work.session.add(StreamRow(key="same", last_seq=1))
            work.session.flush()
            work.session.expunge_all()

    first, bad, last = together(store, note("room:1"), twice, note("room:1"))
    with pytest.raises(IntegrityError):
        bad.result(10)
    assert sorted([first.result(10), last.result(10)]) == [1, 2]


def test_one_whose_statement_cannot_run_leaves_the_others_stored(store: Store) -> None:
    runs: list[str] = []

    def innocent(work: Work) -> int:
        runs.append("innocent")
        return note("room:1")(work)

    def lost(_work: Work) -> None:
        raise OperationalError("SELECT 1", {}, Exception("disk I/O error"))

    first, bad, last = together(store, innocent, lost, innocent)
    with pytest.raises(OperationalError, match="disk I/O error"):
        bad.result(10)
    assert sorted([first.result(10), last.result(10)]) == [1, 2]
    assert head(store, "room:1") == 2
    assert len(runs) >= 2


def test_one_that_ends_in_something_worse_than_an_error_leaves_the_writer_running(store: Store) -> None:
    def exits(_work: Work) -> None:
        raise SystemExit(3)

    first, bad, last = together(store, note("room:1"), exits, note("room:1"))
    with pytest.raises(SystemExit):
        bad.result(10)
    assert sorted([first.result(10), last.result(10)]) == [1, 2]
    assert store.write_now(NOBODY, note("room:1")) == 3


def test_after_a_commit_that_fails_nothing_is_stored_and_the_next_one_works(store: Store) -> None:
    failures: list[str] = []
    armed = Signal()
    doomed: list[Any] = []

    def commit(connection: Any) -> None:
        if failures and connection.connection.driver_connection in doomed:
            raise OperationalError(failures.pop(), {}, Exception("database or disk is full"))

    def arm(work: Work) -> int:
        if not armed.is_set():
            armed.set()
            doomed.append(work.session.connection().connection.driver_connection)
            # On SQLite the shared commit fails, and then that of the first one alone.
            failures.extend(["COMMIT"] * (2 if store.is_sqlite else 1))
        return note("room:1")(work)

    event.listen(store._writing, "commit", commit)
    heard: list[Entry] = []
    store.on_commit(heard.extend)
    outcomes = [future.exception(10) for future in together(store, arm, note("room:2"))]
    stored = [f"room:{place}" for place, outcome in enumerate(outcomes, start=1) if outcome is None]
    assert len(stored) == 1
    assert [head(store, f"room:{place}") for place in (1, 2)] == [
        int("room:1" in stored),
        int("room:2" in stored),
    ]
    assert store.write_now(NOBODY, note("room:3")) == 1
    assert [entry.stream for entry in heard] == [*stored, "room:3"]


def test_the_doorbell_rings_once_with_what_was_committed(store: Store) -> None:
    heard: list[Entry] = []
    store.on_commit(heard.extend)

    def refused(work: Work) -> None:
        note("room:1")(work)
        raise Spoiled

    for future in together(store, note("room:1"), refused, note("room:2")):
        future.exception(10)
    assert sorted((entry.stream, entry.seq) for entry in heard) == [("room:1", 1), ("room:2", 1)]


def test_a_listener_that_fails_changes_nothing(store: Store) -> None:
    def fail(_entries: Sequence[Entry]) -> None:
        raise Spoiled

    heard: list[Entry] = []
    store.on_commit(fail)
    store.on_commit(heard.extend)
    assert store.write_now(NOBODY, note("room:1")) == 1
    assert len(heard) == 1


def test_whoever_finds_the_database_locked_is_told_without_each_waiting_again(
    sqlite_backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swarm.store.engines.BUSY_SECONDS", 0.2)
    store, other = open_store(sqlite_backend), open_store(sqlite_backend)
    inside, go = Signal(), Signal()

    def stay(_work: Work) -> None:
        inside.set()
        assert go.wait(20)

    held = other._submit(NOBODY, stay)
    assert inside.wait(10)
    futures = [store._submit(NOBODY, note("room:1")) for _time in range(20)]
    for future in futures:
        assert "locked" in str(future.exception(5))
    go.set()
    held.result(10)
    assert store.write_now(NOBODY, note("room:1")) == 1
    store.close()
    other.close()


def test_what_is_queued_is_finished_before_the_store_closes(backend: Backend) -> None:
    store = open_store(backend)
    futures = together(store, *[note("room:1")] * 5)
    store.close()
    assert sorted(future.result(0) for future in futures) == [1, 2, 3, 4, 5]
    with pytest.raises(RuntimeError, match="closed"):
        store.write_now(NOBODY, note("room:1"))
    store.close()


def test_a_snapshot_cannot_change_anything(store: Store) -> None:
    def write(work: Work) -> None:
        work.session.execute(text("UPDATE streams SET last_seq = 9"))

    with pytest.raises(Exception, match=r"readonly|read-only"):
        store.read_now(NOBODY, write)


def test_a_snapshot_stays_as_it_began(store: Store) -> None:
    store.write_now(NOBODY, note("room:1"))

    def look(work: Work) -> list[int]:
        before = log.heads(work.session, ["room:1"])["room:1"]
        store.write_now(NOBODY, note("room:1"))
        return [before, log.heads(work.session, ["room:1"])["room:1"]]

    assert store.read_now(NOBODY, look) == [1, 1]
    assert head(store, "room:1") == 2
