"""The door to the database: read a snapshot, or run one transaction; never on the event loop."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar, cast

import psycopg
import structlog
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from swarm.events import SYSTEM, Actor
from swarm.events.refusals import No
from swarm.store.engines import reading_engine, sync_url, writing_engine
from swarm.store.log import Entry
from swarm.store.sql import and_commit
from swarm.store.work import AtOnce, Last, Work
from swarm.store.writable import ReadOnly, Writing, says_read_only, suspicious, try_to_allocate, try_to_write

T = TypeVar("T")
Clock = Callable[[], datetime]
OnCommit = Callable[[Sequence[Entry]], None]

TOGETHER = 64
"""At most so many queued transactions share one flushed commit on SQLite."""
TRIES = 5
BESIDE = 6
"""Readers besides the doors': the hub's threads read in their own."""
_COLLISIONS = {"40001", "40P01", "23505", "26000", "22012"}
"""PostgreSQL's serialization failure, deadlock and unique violation: nothing happened, and what a second try
finds may be what the other transaction has committed by then; a prepared statement that got lost; and the
division by zero by which a statement says that what was supposed is not so."""

_log = structlog.get_logger(__name__)


def system_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class _Job:
    actor: Actor
    do: Callable[[Work], Any]
    done: Future[Any] = field(default_factory=Future)
    context: contextvars.Context = field(default_factory=contextvars.copy_context)
    trying: bool = False
    """Done even while nothing is written."""


_Outcome = tuple[Any, BaseException | None, list[Entry]]
"""What a transaction returned, or why it did nothing, and what it recorded."""


class Store:
    """Reads in snapshots, writes in transactions whose events are announced after the commit."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock = system_clock,
        at_once: AtOnce | None = None,
        connections: int = 8,
        probe: float = 5.0,
    ) -> None:
        """`probe`: seconds after which a write that was refused may be tried again."""
        self.url = sync_url(url)
        self.writing = Writing(probe)
        self.clock = clock
        self.at_once: AtOnce = at_once or {}
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._listeners: list[OnCommit] = []
        self._writing = writing_engine(self.url, connections=connections)
        self._reading = reading_engine(self.url, connections=connections + BESIDE)
        self._readers = ThreadPoolExecutor(connections, "swarm-read")
        self._writers = ThreadPoolExecutor(connections, "swarm-write")
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._closed = False
        self._gate = threading.Lock()
        self._seen_version = -1
        self._version_connection: Connection | None = None
        self._watching: Engine | None = None
        if self.is_sqlite:
            self._writer = threading.Thread(target=self._write_forever, name="swarm-writer", daemon=True)
            self._writer.start()

    def on_commit(self, listener: OnCommit) -> None:
        """Call `listener` after each commit, in the writer's thread, with what was recorded."""
        self._listeners.append(listener)

    async def read(self, actor: Actor, do: Callable[[Work], T]) -> T:
        """Run `do` on one snapshot of the database."""
        # The reader's thread knows the person's language and zone as the door does.
        run = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(self._readers, run, self.read_now, actor, do)

    async def write(self, actor: Actor, do: Callable[[Work], T]) -> T:
        """Run `do` in one transaction and return after its commit was flushed. Raises `ReadOnly`."""
        return await self.begin(actor, do)

    def begin(self, actor: Actor, do: Callable[[Work], T]) -> asyncio.Future[T]:
        """Like `write`, on its way before anybody awaits it."""
        return asyncio.wrap_future(self._submit(actor, do))

    def read_now(self, actor: Actor, do: Callable[[Work], T]) -> T:
        """Like `read`, in the calling thread."""
        with (
            self._reading.connect() as connection,
            connection.begin(),
            Session(bind=connection, autoflush=False) as session,
        ):
            return do(Work(session, actor, self.clock(), {}))

    def write_now(self, actor: Actor, do: Callable[[Work], T]) -> T:
        """Like `write`, waiting in the calling thread."""
        return self._submit(actor, do).result()

    async def look_whether_it_writes(self) -> None:
        """Ask cheaply while writes are taken, try in earnest where that is in doubt; see `writing`."""
        await asyncio.get_running_loop().run_in_executor(self._readers, self.look_whether_it_writes_now)

    def look_whether_it_writes_now(self) -> None:
        """Like `look_whether_it_writes`, in the calling thread."""
        refused = self.writing.refused is not None
        if self.is_sqlite:
            doubtful = refused or suspicious(self.url)
        elif refused:
            doubtful = True
            # What a connection may do is often settled when it is made.
            self._writing.dispose()
        else:
            doubtful = self._submit(SYSTEM, says_read_only).result()
        if not doubtful:
            return
        try:
            if self.is_sqlite:
                try_to_allocate(self.url)
            self._submit(SYSTEM, try_to_write, trying=True).result()
        except (OSError, No) as failure:
            self.writing.saw(failure)
        else:
            self.writing.works()

    def connections_in_use(self) -> dict[str, int]:
        """How many connections of each kind are lent to somebody now; for metrics."""
        pools = {"reading": self._reading.pool, "writing": self._writing.pool}
        return {name: cast(QueuePool, pool).checkedout() for name, pool in pools.items()}

    def changed_outside(self) -> bool:
        """Whether another process may have written since the last call; PostgreSQL cannot tell: yes."""
        if not self.is_sqlite:
            return True
        if self._version_connection is None:
            self._watching = reading_engine(self.url, connections=1)
            self._version_connection = self._watching.connect()
        raw = self._version_connection.connection.driver_connection
        assert raw is not None
        version = raw.execute("PRAGMA data_version").fetchone()[0]
        changed, self._seen_version = version != self._seen_version, version
        return bool(changed)

    def close(self) -> None:
        """Finish what is queued and let the connections go."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        if self._writer is not None:
            self._writer.join()
        self._writers.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        if self._version_connection is not None and self._watching is not None:
            self._version_connection.close()
            self._watching.dispose()
        self._reading.dispose()
        self._writing.dispose()

    def _submit(self, actor: Actor, do: Callable[[Work], T], *, trying: bool = False) -> Future[T]:
        job = _Job(actor, do, trying=trying)
        if not self._may_go(job):
            return job.done
        # Nothing may be queued behind the writer's end: nobody would ever answer it.
        with self._gate:
            if self._closed:
                job.done.set_exception(RuntimeError("the store is closed"))
            elif self.is_sqlite:
                self._queue.put(job)
            else:
                try:
                    self._writers.submit(self._run, [job])
                except RuntimeError as failure:
                    # The system gives no more threads.
                    job.done.set_exception(failure)
        return job.done

    def _write_forever(self) -> None:
        while (first := self._queue.get()) is not None:
            jobs = [first]
            stop = False
            while len(jobs) < TOGETHER:
                try:
                    job = self._queue.get_nowait()
                except queue.Empty:
                    break
                if job is None:
                    stop = True
                    break
                jobs.append(job)
            self._run(jobs)
            if stop:
                return

    def _run(self, jobs: Sequence[_Job]) -> None:
        self._settle([job for job in jobs if job.done.set_running_or_notify_cancel()])

    def _settle(self, jobs: Sequence[_Job]) -> None:
        jobs = [job for job in jobs if self._may_go(job)]
        if not jobs:
            return
        try:
            outcomes = self._tried(jobs)
        except BaseException as failure:
            refusal = self.writing.saw(failure)
            if len(jobs) > 1 and refusal is None and not nobody_could(failure):
                # One of them spoiled it for all; alone, the innocent ones succeed.
                for job in jobs:
                    self._settle([job])
                return
            for job in jobs:
                job.done.set_exception(refusal or failure)
            return
        entries = [entry for _, _, recorded in outcomes for entry in recorded]
        if entries:
            self._announce(entries)
        for job, (result, error, _) in zip(jobs, outcomes, strict=True):
            if error is not None:
                job.done.set_exception(error)
            else:
                job.done.set_result(result)

    def _may_go(self, job: _Job) -> bool:
        """Where writes are refused, answers that."""
        if job.trying:
            return True
        try:
            self.writing.check()
        except ReadOnly as refusal:
            job.done.set_exception(refusal)
            return False
        return True

    def _tried(self, jobs: Sequence[_Job]) -> list[_Outcome]:
        for _attempt in range(1, TRIES):
            try:
                return self._commit(jobs)
            except (DBAPIError, psycopg.Error) as failure:
                if not _collided(failure):
                    raise
        return self._commit(jobs)

    def _commit(self, jobs: Sequence[_Job]) -> list[_Outcome]:
        outcomes: list[_Outcome] = []
        last: list[Last] = []
        alone = len(jobs) == 1
        with self._writing.connect() as connection, connection.begin():
            for job in jobs:
                # Among others, what fails is undone by itself.
                mode: Any = "rollback_only" if alone else "create_savepoint"
                session = Session(bind=connection, join_transaction_mode=mode, expire_on_commit=False)
                work = Work(session, job.actor, self.clock(), self.at_once)
                try:
                    result = job.context.run(job.do, work)
                    work.finish()
                    session.commit()
                except Exception as error:
                    session.close()
                    if alone or isinstance(error, OperationalError) or _collided(error):
                        raise
                    outcomes.append((None, error, []))
                else:
                    session.close()
                    outcomes.append((result, None, work.recorded))
                    last += work.last
            self._last(connection, last)
        return outcomes

    def _last(self, connection: Connection, last: Sequence[Last]) -> None:
        """What goes with the commit."""
        if not last:
            return
        rows = iter(and_commit(connection, *(one for asked, _then in last for one in asked)))
        for asked, then in last:
            then(list(islice(rows, len(asked))))

    def _announce(self, entries: Sequence[Entry]) -> None:
        for listener in self._listeners:
            try:
                listener(entries)
            except Exception:
                # The doorbell is a hint: the commit stands, and screens find it in the log.
                _log.exception("doorbell_failed")


def _collided(error: BaseException) -> bool:
    return getattr(getattr(error, "orig", error), "sqlstate", None) in _COLLISIONS


def nobody_could(error: BaseException) -> bool:
    """SQLite's lock is another process's, or PostgreSQL is away: each alone would only wait as long again."""
    cause = getattr(error, "orig", error)
    if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
        return True
    return isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None
