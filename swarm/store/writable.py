"""Whether the database takes writes: learnt from those it refuses, left by one that really succeeds.

A full disk and a standby after a fail-over answer reads and refuse writes. From the first write refused so,
every other is refused at once, with a sentence, until `try_to_write` succeeds. Each process finds out for
itself, by its own writes and by a question that costs next to nothing while all is well
(docs/decisions/0008-read-only.md).
"""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import psycopg
import structlog
from sqlalchemy import delete, insert, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from swarm.events.refusals import No
from swarm.store.tables import Instance
from swarm.store.work import Work
from swarm.text.language import _

Why = Literal["full", "refuses"]
SPARE = 1024 * 1024
"""Bytes that must be there to go on writing: with less, the next message might be refused again."""
_PROBE_ROW = 2
_PROBE_BYTES = 64 * 1024
_SQLITE_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}
_SQLITE_READING = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ}
_PRIMARY = 0xFF
"""SQLite's extended codes hold the primary one in their low byte."""
_POSTGRES: dict[str, Why] = {"53100": "full", "25006": "refuses", "58030": "refuses"}
"""disk_full, read_only_sql_transaction and io_error; what else stands in their classes comes and goes."""
_FILES: dict[int | None, Why] = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EFBIG: "refuses",
    errno.EROFS: "refuses",
    errno.EIO: "refuses",
}

_log = structlog.get_logger(__name__)


class ReadOnly(No):
    """Nothing was written, as nothing is until the database takes writes again; `after` so many seconds."""

    def __init__(self, why: Why, after: float) -> None:
        super().__init__(sentence(why))
        self.why = why
        self.after = max(1, round(after))


def sentence(why: Why) -> str:
    """What a person is told, in the current language."""
    if why == "full":
        return _(
            "For now you can only read: the server's disk is full, so nothing can be saved. "
            "It goes on by itself as soon as there is room."
        )
    return _(
        "For now you can only read: the database takes nothing new, so nothing can be saved. "
        "It goes on by itself as soon as it does."
    )


def refusal(failure: BaseException) -> Why | None:
    """Why a write failed, when it is the database that takes none."""
    if isinstance(failure, ReadOnly):
        return failure.why
    orig = failure.orig if isinstance(failure, DBAPIError) else failure
    if isinstance(orig, sqlite3.Error):
        code: int = getattr(orig, "sqlite_errorcode", 0) or 0
        if code in _SQLITE_FULL:
            return "full"
        if code & _PRIMARY == sqlite3.SQLITE_READONLY:
            return "refuses"
        if code & _PRIMARY == sqlite3.SQLITE_IOERR and code not in _SQLITE_READING:
            # A quota, a limit, a disk that an error made read-only.
            return "refuses"
    if isinstance(orig, psycopg.Error):
        return _POSTGRES.get(orig.sqlstate or "")
    return _FILES.get(orig.errno) if isinstance(orig, OSError) else None


class Writing:
    """The state, and who is told when it or its reason changes; safe to use from any thread."""

    def __init__(self, after: float) -> None:
        """`after` in seconds: when somebody refused may try again."""
        self._after = after
        self._why: Why | None = None
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    @property
    def refused(self) -> Why | None:
        """Why nothing is written now; None while all is well."""
        return self._why

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each change, in whatever thread saw it."""
        self._listeners.append(listener)

    def check(self) -> None:
        """Raises `ReadOnly` while nothing is written."""
        if self._why is not None:
            raise ReadOnly(self._why, self._after)

    def saw(self, failure: BaseException) -> ReadOnly | None:
        """A write failed: the refusal to answer with, when it is the database that takes none."""
        why = refusal(failure)
        if why is None:
            return None
        self._become(why, failure)
        return ReadOnly(why, self._after)

    def works(self) -> None:
        """A write was tried in earnest and succeeded."""
        self._become(None)

    def _become(self, why: Why | None, failure: BaseException | None = None) -> None:
        with self._lock:
            if self._why == why:
                return
            self._why = why
        if why is None:
            _log.warning("writing_again")
        else:
            _log.error("read_only", why=why, failure=str(failure).partition("\n")[0])
        for listener in self._listeners:
            try:
                listener()
            except Exception:
                _log.exception("read_only_not_told")


def try_to_write(work: Work) -> None:
    """Write, in the transaction to be committed, and leave nothing; raises what the database says.

    The row is of such a size that PostgreSQL must find room for it.
    """
    connection = work.session.connection()
    connection.execute(delete(Instance).where(Instance.id == _PROBE_ROW))
    row = {"id": _PROBE_ROW, "epoch": secrets.token_hex(_PROBE_BYTES // 2), "demo": False}
    connection.execute(insert(Instance).values(row))
    connection.execute(delete(Instance).where(Instance.id == _PROBE_ROW))


def says_read_only(work: Work) -> bool:
    """Whether PostgreSQL says of a transaction begun now that it could not write."""
    said: str | None = work.session.scalar(text("SHOW transaction_read_only"))
    return said == "on"


def try_to_allocate(url: URL) -> None:
    """Take the spare room beside a SQLite file and give it back. Raises `OSError` where there is none.

    A small row proves nothing there: SQLite writes it over pages of its log that it no longer needs.
    """
    try:
        with tempfile.TemporaryFile(dir=_folder(url), buffering=0) as spare:
            # Zeros might take no room at all.
            spare.write(os.urandom(SPARE))
            os.fsync(spare.fileno())
    except OSError as failure:
        if refusal(failure) is not None:
            raise
        # A folder in which only SQLite's own files may be written says nothing of them.


def suspicious(url: URL) -> bool:
    """Whether the disk of a SQLite file has little room, or takes no writes. Raises `OSError`."""
    disk = os.statvfs(_folder(url))
    return disk.f_bavail * disk.f_frsize < SPARE or bool(disk.f_flag & os.ST_RDONLY)


def _folder(url: URL) -> Path:
    return Path(url.database or ".").resolve().parent
