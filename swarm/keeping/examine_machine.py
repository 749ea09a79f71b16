"""Whether this machine has what the settings ask for."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from swarm.keeping.findings import Finding, error, ok, warning
from swarm.settings import Settings
from swarm.store.engines import sync_url
from swarm.text.language import _, ngettext

MIB = 1024 * 1024
OLDEST_SQLITE = (3, 35, 0)
"""RETURNING, which gives streams their numbers."""
LITTLE, VERY_LITTLE = 1024 * MIB, 100 * MIB
"""Bytes of disk."""
PROCESS = 150 * MIB
"""Bytes of a worker nobody is connected to."""
CONNECTION = 32 * 1024
"""Bytes of an open page."""
PAGES = 16 * 1000 * 1024
"""Bytes SQLite caches for one connection."""
HASH = 64 * MIB
"""Bytes while a password is hashed."""
OTHER_FILES = 100
"""Logs, libraries, and requests that are no sockets of pages."""


def examine(settings: Settings) -> Iterator[Finding]:
    """Versions, disk, open files and memory."""
    yield from _versions()
    yield from _disk(settings)
    yield from _files(settings)
    yield from _memory(settings)


def _versions() -> Iterator[Finding]:
    check = _("Versions")
    sentence = _(
        "Python %(python)s, SQLite %(sqlite)s.",
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
    )
    enough = sqlite3.sqlite_version_info >= OLDEST_SQLITE
    newer = _("SQLite must be 3.35 or newer.")
    yield ok(check, sentence) if enough else error(check, f"{sentence} {newer}")


def _disk(settings: Settings) -> Iterator[Finding]:
    check, url = _("Disk"), sync_url(settings.database.url)
    sqlite = url.get_backend_name() == "sqlite"
    path = Path(url.database or "").resolve() if sqlite else Path.cwd()
    folder = next(one for one in (path, *path.parents) if one.is_dir())
    free = shutil.disk_usage(folder).free
    size = path.stat().st_size if sqlite and path.is_file() else 0
    sentence = _("%(free)s MB are free in %(folder)s.", free=free // 10**6, folder=folder)
    if free < VERY_LITTLE:
        soon = _("Soon nothing can be stored.")
        yield error(check, f"{sentence} {soon}")
    elif free < LITTLE or free < 2 * size:
        little = _("That is little for this database and its backups.")
        yield warning(check, f"{sentence} {little}")
    else:
        yield ok(check, sentence)
    if not sqlite:
        yield ok(check, _("How full PostgreSQL’s own disk is cannot be seen from here."))
    elif path.is_file() and path.stat().st_mode & 0o044:
        yield warning(
            check, _("Others on this machine may read %(path)s: chmod 600, and UMask=0077.", path=path)
        )


def _files(settings: Settings) -> Iterator[Finding]:
    check, sockets = _("Open files"), settings.live.sockets_per_worker
    allowed, _most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = sockets + 3 * settings.database.connections + OTHER_FILES
    if allowed != resource.RLIM_INFINITY and allowed < needed:
        yield warning(
            check,
            _(
                "A worker may open %(allowed)s files and accepts %(sockets)s connections: raise the limit "
                "to %(needed)s (LimitNOFILE) or lower live.sockets_per_worker.",
                allowed=allowed,
                sockets=sockets,
                needed=needed,
            ),
        )
    else:
        yield ok(check, _("A worker may open enough for %(sockets)s connections.", sockets=sockets))


def _memory(settings: Settings) -> Iterator[Finding]:
    check = _("Memory")
    sqlite = sync_url(settings.database.url).get_backend_name() == "sqlite"
    needed = (
        PROCESS
        + settings.live.sockets_per_worker * CONNECTION
        + settings.passwords.at_once * HASH
        + (settings.database.connections * PAGES if sqlite else 0)
    )
    workers = settings.server.workers
    needed *= workers
    there = _memory_there()
    sentence = ngettext(
        "A full worker needs about %(needed)s MB, of %(there)s MB.",
        "%(num)s full workers need about %(needed)s MB, of %(there)s MB.",
        workers,
        needed=needed // 10**6,
        there=there // 10**6,
    )
    yield ok(check, sentence) if needed < there else warning(check, sentence)


def _memory_there() -> int:
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return machine
    return min(machine, limit)
