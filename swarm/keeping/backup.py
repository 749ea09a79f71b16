"""Taking a backup: one snapshot of a desk in use, in one file that appears only when it is whole."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import IO

from sqlalchemy import text
from sqlalchemy.engine import URL, Connection

from swarm import __version__
from swarm.events.refusals import No
from swarm.files.shelf import Away, Shelf
from swarm.keeping import rows
from swarm.keeping.archive import Manifest, Writer
from swarm.store import migrate
from swarm.store.engines import reading_engine, sync_url
from swarm.text.language import _

Progress = Callable[[str, int], None]
"""Told which table how many more rows went through."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that was written."""

    manifest: Manifest
    bytes: int
    """Of the file."""


def take(
    url: str, path: Path, *, shelf: Shelf | None = None, progress: Progress = lambda _table, _rows: None
) -> Taken:
    """Back up into a file that must not be there yet, readable by its owner only. Raises `No`."""
    with _appearing(path) as out:
        manifest = stream(url, out, shelf=shelf, progress=progress)
        size = out.tell()
    return Taken(manifest, size)


def stream(
    url: str, out: IO[bytes], *, shelf: Shelf | None = None, progress: Progress = lambda _table, _rows: None
) -> Manifest:
    """Back up into anything that takes bytes, with the files on the `shelf`.

    Raises `No` where there is nothing to back up.
    """
    with snapshot(sync_url(url)) as connection:
        revision = migrate.revision_of(connection)
        if revision is None:
            raise No(_("There is nothing to back up: the database has no tables of swarm."))
        shapes = shapes_of(revision)
        with Writer(out) as writer:
            for shape in shapes:
                with closing(rows.read(connection, shape)) as batches:
                    writer.table(shape.name, shape.columns, _told(batches, shape.name, progress))
            if shelf is not None and any(shape.name == "files" for shape in shapes):
                _put_files(connection, shelf, writer, progress)
            manifest = Manifest(
                revision=revision,
                epoch=connection.execute(text("SELECT epoch FROM instance")).scalar() or "",
                taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
                swarm=__version__,
                database=connection.dialect.name,
                tables=writer.tables,
                files=writer.files,
            )
            writer.close(manifest)
        return manifest


def _put_files(connection: Connection, shelf: Shelf, writer: Writer, progress: Progress) -> None:
    for token, width in connection.execute(text("SELECT token, width FROM files ORDER BY id")).all():
        for name in (token, f"{token}.safe") if width is not None else (token,):
            try:
                chunks = shelf.chunks(name)
                try:
                    first = next(chunks, b"")
                except FileNotFoundError:
                    # Swept since the snapshot; or lost, which the command tells by the numbers.
                    continue
                writer.file(name, chain((first,), chunks))
            except FileNotFoundError:
                # Half of it stands in the archive, which nobody could restore.
                raise No(_("A file was taken away while it was backed up. Take the backup again.")) from None
            except Away as why:
                # Never a backup from which files are missing because of a bad moment.
                raise No(_("The storage of files does not answer: %(why)s.", why=why)) from None
            progress("files", 1)


def shapes_of(revision: str) -> list[rows.Shape]:
    """The tables of a revision. Raises `No` for that of a newer swarm."""
    try:
        return rows.shapes(revision)
    except migrate.UnknownRevision:
        raise No(
            _(
                "The tables are those of a newer swarm (%(theirs)s); this one knows them up to %(ours)s.",
                theirs=revision,
                ours=migrate.revisions()[0],
            )
        ) from None


@contextmanager
def snapshot(url: URL) -> Iterator[Connection]:
    """The database as it is now, for as long as it takes. Raises `No` where a SQLite file is not there."""
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        # The driver would make an empty one.
        raise No(_("There is no database at %(path)s.", path=url.database))
    engine = reading_engine(url, connections=1)
    try:
        with engine.connect() as connection, connection.begin():
            if url.get_backend_name() != "sqlite":
                # Whoever takes the backup away may be slow.
                connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _appearing(path: Path) -> Iterator[IO[bytes]]:
    """A new file that gets its name when everything in it is on the disk. Raises `No`."""
    taken = No(_("%(path)s is there already; a backup never overwrites.", path=path))
    if path.exists() or path.is_symlink():
        raise taken
    making = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        try:
            descriptor = os.open(making, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w+b") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            try:
                # Not a rename: that would replace what another backup has put there meanwhile.
                making.hardlink_to(path)
            except FileExistsError:
                raise taken from None
            except OSError:
                # Some network and memory card file systems know no links.
                making.rename(path)
            _fsync_folder(path.parent)
        except OSError as error:
            raise No(
                _("%(path)s cannot be written: %(why)s.", path=path, why=error.strerror or error)
            ) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            making.unlink()


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _told(batches: Iterable[tuple[int, bytes]], name: str, progress: Progress) -> Iterator[tuple[int, bytes]]:
    for count, lines in batches:
        yield count, lines
        progress(name, count)
