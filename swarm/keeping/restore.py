"""Restoring a backup into an empty database: all of it in one transaction, or nothing."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import msgspec
from sqlalchemy import func, inspect, select, table, text, update
from sqlalchemy.engine import URL, Connection
from sqlalchemy.orm import Session

from swarm.events.refusals import No
from swarm.files.shelf import Away, Shelf
from swarm.keeping import archive, invariants, rows
from swarm.keeping.archive import Archive, BadArchive, Manifest
from swarm.keeping.backup import Progress, shapes_of
from swarm.people.models import Guest
from swarm.store import migrate
from swarm.store.engines import sync_url, writing_engine
from swarm.store.tables import Instance
from swarm.text.language import _

ENTRY = ("sessions", "session_cases", "links", "account_links", "sign_ins")
"""Who is signed in and which links open a ticket: what ended since the backup must not begin again."""
NEVER = ("leases",)
"""What workers of the old desk held: nobody is left to give it up."""
CACHE = 128 * 1024
"""KiB that SQLite may hold while indexes grow in no order."""
_FILE = re.compile(r"[0-9a-f]{32}(\.safe)?")
SAID = 10
"""Broken invariants that are told one by one."""


def restore(
    url: str,
    path: Path,
    *,
    shelf: Shelf | None = None,
    with_sessions: bool = False,
    progress: Progress = lambda _table, _rows: None,
) -> Manifest:
    """Fill an empty database with a backup, and the `shelf` with its files; screens and sessions start anew.

    Raises `No` where the database is not empty, the archive is not whole, or what was loaded breaks an
    invariant; then nothing is left behind.
    """
    with archive.opened(path) as packed:
        manifest = packed.manifest
        shapes = _matching(manifest)
        if not all(map(_FILE.fullmatch, manifest.files)):
            raise BadArchive(_("This backup holds files that swarm did not name."))
        packed.verify()
        with _empty(sync_url(url)) as connection:
            migrate.upgrade_within(connection, manifest.revision)
            for shape in shapes:
                if shape.name not in NEVER and (with_sessions or shape.name not in ENTRY):
                    _load(connection, packed, shape, progress)
            if connection.dialect.name == "postgresql":
                _number_on(connection, shapes)
            migrate.upgrade_within(connection)
            if not with_sessions:
                _end_guests(connection)
            _new_epoch(connection)
            _check(connection)
            if shelf is not None:
                # Before the commit: rows whose files are missing never stand.
                _put_back(packed, shelf, progress)
        return manifest


def _end_guests(connection: Connection) -> None:
    """Their names stay on what they wrote; who is to help again is invited again."""
    gone = {"session": None, "email": None, "ended_at": datetime.now(UTC), "ended_how": "over"}
    connection.execute(update(Guest).where(Guest.ended_at.is_(None)).values(gone))


def _put_back(packed: Archive, shelf: Shelf, progress: Progress) -> None:
    tokens = sorted({name.removesuffix(".safe") for name in packed.manifest.files})
    try:
        for token in tokens:
            for name in (token, f"{token}.safe"):
                if name in packed.manifest.files:
                    with shelf.arriving(name).open("wb") as out:
                        out.writelines(packed.file(name))
            shelf.keep(token)
            progress("files", 1)
    except Away as why:
        raise No(_("The storage of files does not answer: %(why)s.", why=why)) from None
    except OSError as error:
        raise No(
            _("%(path)s cannot be written: %(why)s.", path=shelf.folder, why=error.strerror or error)
        ) from error


def _matching(manifest: Manifest) -> list[rows.Shape]:
    shapes = shapes_of(manifest.revision)
    if {shape.name: shape.columns for shape in shapes} != {
        name: about.columns for name, about in manifest.tables.items()
    }:
        raise BadArchive(_("This backup does not hold the tables of its own version."))
    return shapes


@contextmanager
def _empty(url: URL) -> Iterator[Connection]:
    """A transaction in a database without a table, alone in it; undone when the block fails."""
    sqlite = url.get_backend_name() == "sqlite"
    fresh = sqlite and not Path(url.database or "").exists()
    if fresh:
        # Before the driver does it, which lets everybody read; what it puts beside the file is kept alike.
        Path(url.database or "").touch(0o600)
    engine = writing_engine(url, connections=1)
    done = False
    try:
        with engine.connect() as connection:
            if sqlite:
                # Migrations rebuild tables that others point at; `_check` looks at every reference.
                raw = connection.connection.driver_connection
                assert raw is not None
                raw.execute("PRAGMA foreign_keys = OFF")
                raw.execute(f"PRAGMA cache_size = -{CACHE}")
            with connection.begin():
                if not sqlite:
                    # A worker that starts now waits with its own migration.
                    connection.execute(
                        text("SELECT pg_advisory_xact_lock(:key)"), {"key": migrate.ONE_AT_A_TIME}
                    )
                if inspect(connection).get_table_names():
                    raise No(
                        _("The database is not empty. A backup is restored into a new one, beside the old.")
                    )
                yield connection
        done = True
    finally:
        engine.dispose()
        if fresh and not done:
            for part in ("", "-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    Path(f"{url.database}{part}").unlink()


def _load(connection: Connection, packed: Archive, shape: rows.Shape, progress: Progress) -> None:
    try:
        rows.write(connection, shape, packed.table(shape.name))
    except msgspec.MsgspecError:
        raise BadArchive(
            _("This backup holds a row that cannot be one of %(table)s.", table=shape.name)
        ) from None
    wanted = packed.manifest.tables[shape.name].rows
    stored = connection.execute(select(func.count()).select_from(table(shape.name))).scalar_one()
    if stored != wanted:
        raise No(
            _(
                "%(table)s: %(stored)s rows were stored instead of %(wanted)s.",
                table=shape.name,
                stored=stored,
                wanted=wanted,
            )
        )
    progress(shape.name, wanted)


def _number_on(connection: Connection, shapes: list[rows.Shape]) -> None:
    """PostgreSQL gives ids from sequences, which a load does not move."""
    for shape in shapes:
        if len(shape.key) != 1 or "id" not in shape.key:
            continue
        sequence = connection.execute(
            text("SELECT pg_get_serial_sequence(:table, 'id')"), {"table": f'"{shape.name}"'}
        ).scalar()
        if sequence is not None:
            connection.execute(
                text(f'SELECT setval(:sequence, max(id)) FROM "{shape.name}" HAVING max(id) > 0'),  # noqa: S608 (our own tables)
                {"sequence": sequence},
            )


def _new_epoch(connection: Connection) -> None:
    connection.execute(update(Instance).values(epoch=secrets.token_hex(8)))


def _check(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(SAID)
        if lost:
            raise No(_("Rows of %(table)s point at nothing.", table=", ".join({row[0] for row in lost})))
    else:
        connection.execute(text("ANALYZE"))
    with Session(bind=connection, join_transaction_mode="rollback_only") as session:
        found = list(islice(invariants.problems(session), SAID + 1))
    if found:
        said = "\n".join(f"  {problem}" for problem in found[:SAID])
        more = "\n  …" if len(found) > SAID else ""
        title = _("What was loaded is not whole, and was not kept:")
        raise No(f"{title}\n{said}{more}")
