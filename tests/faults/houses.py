"""Where a run happens: SQLite with one worker, PostgreSQL and Redis with three."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.faults.launch import Altered
from tests.faults.running import LOOSE, Run
from tests.support import servers
from tests.support.backends import PostgresMaker, SqliteMaker
from tests.support.processes import Program

OWN_MOUNTS = ("unshare", "--user", "--map-root-user", "--mount")
"""What lets anybody mount a small filesystem that nobody else sees, where the machine allows it."""
SMALL = 64 * 1024 * 1024
"""Bytes on the small filesystem."""


def may_mount() -> bool:
    """Whether this machine lets us have mounts of our own."""
    if shutil.which(OWN_MOUNTS[0]) is None:
        return False
    tried = subprocess.run(
        [*OWN_MOUNTS, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
    )
    return tried.returncode == 0


class SmallDisk:
    """A filesystem of its own under a folder; only inside `OWN_MOUNTS`."""

    says = "a small filesystem that is filled"

    def __init__(self, home: Path, size: int = SMALL) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", home], check=True)
        self._filler = home / "filler"

    def fill(self, workers: Sequence[Program]) -> None:
        """Leave no byte free."""
        with self._filler.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(64 * 1024))
        with self._filler.open("ab", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(512))

    def free(self, workers: Sequence[Program]) -> None:
        """Room again."""
        self._filler.unlink(missing_ok=True)


class LimitedFiles:
    """The next best: workers may not make any file longer than the longest of theirs is."""

    says = "a limit on the length of files, for want of mounts"

    def __init__(self, home: Path) -> None:
        self._home = home

    def fill(self, workers: Sequence[Program]) -> None:
        """Nothing grows."""
        longest = max(path.stat().st_size for path in self._home.iterdir() if path.is_file())
        self._limit(workers, longest)

    def free(self, workers: Sequence[Program]) -> None:
        """Room again."""
        self._limit(workers, resource.RLIM_INFINITY)

    @staticmethod
    def _limit(workers: Sequence[Program], size: int) -> None:
        for worker in workers:
            psutil.Process(worker.pid).rlimit(psutil.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@contextmanager
def on_sqlite(home: Path, what: str = "", *, mounts: bool | None = None, **more: Any) -> Iterator[Run]:
    """One worker on SQLite; `mounts`: on a small filesystem, or on one that is made to look full."""
    data = home / "data"
    data.mkdir()
    disk = None
    if mounts is not None:
        disk = SmallDisk(data) if mounts else LimitedFiles(data)
    backend = SqliteMaker(home).make(data)
    yield Run(backend, lambda backend: Altered(backend, home, what, env=LOOSE), 1, disk=disk, **more)


@contextmanager
def on_postgres(home: Path, what: str = "", **more: Any) -> Iterator[Run]:
    """Three workers on a PostgreSQL that flushes and a Redis, both of their own."""
    with servers.postgres(durable=True) as postgres, servers.redis() as redis:
        backend = PostgresMaker(postgres, redis).make()
        yield Run(
            backend,
            lambda backend: Altered(backend, home, what, env=LOOSE),
            3,
            postgres=postgres,
            redis=redis,
            **more,
        )


def seed_of_the_day() -> int:
    """SWARM_TEST_SEED, or another one each time."""
    return int(os.environ.get("SWARM_TEST_SEED", "0")) or int.from_bytes(os.urandom(3), "big") + 1
