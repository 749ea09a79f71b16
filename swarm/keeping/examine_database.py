"""Whether the database is there, keeps what it is given, and holds what must be true."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import func, select, text, update
from sqlalchemy.engine import URL, Connection
from sqlalchemy.orm import Session

from swarm.accounts.queries import anybody
from swarm.keeping import invariants
from swarm.keeping.backup import snapshot
from swarm.keeping.findings import FAILURES, Finding, error, guarded, masked, ok, said, warning
from swarm.settings import Settings
from swarm.store import migrate
from swarm.store.engines import sync_url, writing_engine
from swarm.store.tables import EventRow, Instance
from swarm.text.language import _, ngettext

BUSY = 3
"""Seconds a write waits for another one to end."""
SLOW_WRITE = 0.25
"""Seconds."""
SKEW, TOO_MUCH_SKEW = 1.0, 60.0
"""Seconds between two clocks."""
FORGOTTEN = 60
"""Seconds a transaction rests before it is in the way."""
TOLD = 10
"""Broken invariants told one by one."""
WAL = 1024 * 1024 * 1024
"""Bytes of a write-ahead log that somebody keeps from being written back."""


def examine(settings: Settings, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """Everything; what cannot be asked of a database that is not there is left out."""
    url = sync_url(settings.database.url)
    check, where = _("Database"), masked(settings.database.url)
    try:
        with snapshot(url) as connection:
            began = time.monotonic()
            version = connection.execute(text(_VERSION[connection.dialect.name])).scalar_one()
            took = round((time.monotonic() - began) * 1000, 1)
            yield ok(
                check,
                _("%(where)s answers in %(ms)s ms (%(version)s).", where=where, ms=took, version=version),
            )
            right = yield from _tables(connection)
            yield from guarded(_("Durability"), lambda: _durable(url, settings))
            if not right:
                return
            yield from guarded(_("Set up"), lambda: _set_up(connection, settings))
            yield from guarded(_("Clock"), lambda: _clocks(connection, clock))
            yield from guarded(_("Data"), lambda: _data(connection))
    except FAILURES as failure:
        yield error(
            check, _("%(where)s cannot be used: %(why)s.", where=where, why=said(failure).rstrip("."))
        )
        return
    # After the snapshot: it would hold back what a write leaves behind.
    yield from guarded(_("Writing"), lambda: _writing(url))
    yield from guarded(_("Locks"), lambda: _locks(url))


_VERSION = {
    "sqlite": "SELECT 'SQLite ' || sqlite_version()",
    "postgresql": "SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1)",
}


def _tables(connection: Connection) -> Generator[Finding, None, bool]:
    """Returns whether they are those of this version."""
    check, known = _("Tables"), migrate.revisions()
    there = migrate.revision_of(connection)
    if there == known[0]:
        yield ok(check, _("They are those of this version (%(revision)s).", revision=there))
        return True
    if there is None:
        yield error(check, _("There are none: swarm migrate makes them."))
    elif there in known:
        yield error(
            check,
            _(
                "They are older (%(there)s) than this version (%(head)s): swarm migrate.",
                there=there,
                head=known[0],
            ),
        )
    else:
        yield error(check, _("They are those of a newer swarm (%(there)s): install that.", there=there))
    return False


def _durable(url: URL, settings: Settings) -> Iterator[Finding]:
    """What is acknowledged must be on the disk."""
    check = _("Durability")
    engine = writing_engine(url, connections=1)
    try:
        with engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            if connection.dialect.name == "sqlite":
                journal = raw.execute("PRAGMA journal_mode").fetchone()[0]
                synchronous = raw.execute("PRAGMA synchronous").fetchone()[0]
                if journal != "wal" or synchronous < 2:
                    yield error(
                        check,
                        _(
                            "journal_mode is %(journal)s, synchronous %(synchronous)s; must be wal and 2.",
                            journal=journal,
                            synchronous=synchronous,
                        ),
                    )
                    return
            else:
                yield from _connections(raw.execute("SHOW max_connections").fetchone()[0], settings)
                names = ("fsync", "full_page_writes", "synchronous_commit")
                shown = {name: raw.execute(f"SHOW {name}").fetchone()[0] for name in names}
                off = [name for name, value in shown.items() if value == "off"]
                if off:
                    yield warning(
                        check,
                        _(
                            "PostgreSQL has %(names)s off: what is shown as sent may be lost in a crash.",
                            names=", ".join(off),
                        ),
                    )
                    return
    finally:
        engine.dispose()
    yield ok(check, _("What is acknowledged was flushed to the disk."))


def _connections(most: str, settings: Settings) -> Iterator[Finding]:
    each = 2 * settings.database.connections + 6
    check, workers = _("Connections"), (int(most) - 5) // each
    sentence = ngettext(
        "max_connections = %(most)s has room for %(num)s worker with database.connections = %(each)s.",
        "max_connections = %(most)s has room for %(num)s workers with database.connections = %(each)s.",
        workers,
        most=most,
        each=settings.database.connections,
    )
    if workers < settings.server.workers:
        more = _("server.workers is %(workers)s.", workers=settings.server.workers)
        yield error(check, f"{sentence} {more}")
    else:
        yield ok(check, sentence)


def _set_up(connection: Connection, settings: Settings) -> Iterator[Finding]:
    check = _("Set up")
    with Session(bind=connection) as session:
        here = session.scalars(select(Instance)).first()
        people = anybody(session)
    if here is not None and here.demo and not settings.demo:
        yield warning(check, _("The database holds the demo: begin with an empty one."))
    elif settings.demo and people and not (here and here.demo):
        yield error(check, _("The demo is on over a database with data of its own; it would not start."))
    elif not people:
        yield warning(check, _("Nobody has an account yet: swarm set-up."))
    else:
        yield ok(check, _("There are accounts."))


def _clocks(connection: Connection, clock: Callable[[], datetime]) -> Iterator[Finding]:
    check = _("Clock")
    if connection.dialect.name == "postgresql":
        before = clock()
        theirs = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        ours = before + (clock() - before) / 2
        skew = abs((theirs - ours).total_seconds())
        sentence = _("The clocks of PostgreSQL and this machine are %(s)s s apart.", s=round(skew, 1))
        level = error if skew > TOO_MUCH_SKEW else warning if skew > SKEW else ok
        yield level(check, sentence)
    with Session(bind=connection) as session:
        newest = session.scalar(select(func.max(EventRow.at)))
    ahead = (newest - clock()).total_seconds() if newest else 0.0
    if ahead > SKEW:
        yield error(
            check,
            _("The newest event lies %(s)s s in the future: a clock was wrong, or is.", s=round(ahead)),
        )
    else:
        yield ok(check, _("No event lies in the future."))


def _data(connection: Connection) -> Iterator[Finding]:
    check = _("Data")
    if connection.dialect.name == "sqlite":
        whole = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if whole != "ok":
            yield error(check, _("The database file is damaged: %(why)s", why=" ".join(whole.split())))
            return
        if lost := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(TOLD):
            yield error(
                check,
                _("Rows of %(table)s point at nothing.", table=", ".join(sorted({row[0] for row in lost}))),
            )
    with Session(bind=connection) as session:
        found = list(islice(invariants.problems(session), TOLD + 1))
    for problem in found[:TOLD]:
        yield error(check, f"{problem}.")
    if len(found) > TOLD:
        yield error(check, _("There is more that is broken."))
    if not found:
        yield ok(
            check,
            _("Every ticket has its chain of owners, every stream its numbers, every message its event."),
        )


def _writing(url: URL) -> Iterator[Finding]:
    check = _("Writing")
    engine = writing_engine(url, connections=1)
    try:
        with engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            if connection.dialect.name == "sqlite":
                raw.execute(f"PRAGMA busy_timeout = {BUSY * 1000}")
            began = time.monotonic()
            with connection.begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(text(f"SET LOCAL lock_timeout = '{BUSY}s'"))
                done = connection.execute(update(Instance).values(demo=Instance.demo))
            took = time.monotonic() - began
    except FAILURES as failure:
        yield error(check, _("Nothing can be written: %(why)s.", why=said(failure).rstrip(".")))
        return
    finally:
        engine.dispose()
    if not done.rowcount:
        yield warning(check, _("Nothing was ever written here: start with swarm set-up."))
        return
    sentence = _("A flushed write took %(ms)s ms.", ms=round(took * 1000, 1))
    yield ok(check, sentence) if took < SLOW_WRITE else warning(check, sentence)


def _locks(url: URL) -> Iterator[Finding]:
    check = _("Locks")
    if url.get_backend_name() == "sqlite":
        log = Path(f"{url.database}-wal")
        size = log.stat().st_size if log.exists() else 0
        if size > WAL:
            yield warning(
                check,
                _("%(path)s has grown to %(mb)s MB: a reader never lets go.", path=log, mb=size // 10**6),
            )
        else:
            yield ok(check, _("Nobody holds the write-ahead log back."))
        return
    with snapshot(url) as connection:
        resting = connection.execute(text(_RESTING), {"seconds": FORGOTTEN}).all()
        migrating = connection.execute(text(_MIGRATING), {"key": migrate.ONE_AT_A_TIME}).all()
    for pid, seconds in resting:
        yield warning(
            check,
            _("PostgreSQL process %(pid)s rests in a transaction for %(s)s s.", pid=pid, s=round(seconds)),
        )
    for (pid,) in migrating:
        yield warning(check, _("PostgreSQL process %(pid)s migrates or restores at this moment.", pid=pid))
    if not resting and not migrating:
        yield ok(check, _("Nobody is in the way."))


_RESTING = """
    SELECT pid, extract(epoch FROM clock_timestamp() - state_change) FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%'
        AND clock_timestamp() - state_change > make_interval(secs => :seconds)
"""
_MIGRATING = """
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = :key
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
