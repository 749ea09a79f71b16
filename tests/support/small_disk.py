"""A disk of a few hundred kilobytes that a test may fill and empty, in a mount namespace of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from tests.support.processes import Program

CRUMBS = (65536, 4096, 512, 64, 1)
"""Bytes at once with which the disk is filled: to the last one."""


class NoSmallDisk(RuntimeError):
    """This machine lets nobody make a namespace with a mount of its own."""


class SmallDisk:
    """A tmpfs of `size` bytes at `path`, seen only by programs started with `command`; by tests at `seen`."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self._holder: subprocess.Popen[str] | None = None

    def mount(self) -> None:
        """Raises `NoSmallDisk`."""
        self.path.mkdir(parents=True, exist_ok=True)
        words = f'mount -t tmpfs -o size={self.size} tmpfs "$0" && echo mounted && exec cat'
        # The namespace lives as long as this process, which ends with its input.
        self._holder = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", words, str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._holder.stdout is not None
        said = self._holder.stdout.readline()
        if said.strip() != "mounted":
            self.unmount()
            raise NoSmallDisk(said)

    def unmount(self) -> None:
        """Everything on it is gone."""
        if self._holder is not None:
            self._holder.kill()
            self._holder.communicate()
            self._holder = None

    @property
    def seen(self) -> Path:
        """The disk's folder, from outside."""
        return Path(f"/proc/{self._pid}/root{self.path}")

    @property
    def free(self) -> int:
        """Bytes left."""
        left = os.statvfs(self.seen)
        return left.f_bavail * left.f_frsize

    def command(self, program: Sequence[str]) -> list[str]:
        """The command that runs a program where the disk is."""
        into = ["nsenter", "--user", "--mount", "--preserve-credentials", f"--target={self._pid}"]
        # What the new rights made the kernel forget is said again: to die with the test.
        return [*into, f"--wdns={Path.cwd()}", "setpriv", "--pdeathsig=KILL", "--", *program]

    def fill(self, program: Program | None = None, leave: int = 0) -> None:
        """Take all that is free, but for `leave` bytes."""
        with (self.seen / "filling").open("ab", buffering=0) as filling:
            for crumb in CRUMBS:
                try:
                    while self.free >= leave + crumb:
                        filling.write(b"\0" * crumb)
                except OSError:
                    continue

    def clear(self, program: Program | None = None) -> None:
        """Give back what was taken."""
        (self.seen / "filling").unlink(missing_ok=True)

    def remount(self, how: str) -> None:
        """`ro` or `rw`: a disk that an error, or somebody, made read-only. A busy one cannot become `ro`."""
        words = self.command(["mount", "-o", f"remount,{how}", str(self.path)])
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError(done.stderr)

    @property
    def _pid(self) -> int:
        assert self._holder is not None, "not mounted"
        return self._holder.pid


class SmallFiles:
    """The nearest thing where nobody may mount: a program's files stop growing, and may grow again."""

    MOST = 4096

    def __init__(self, path: Path) -> None:
        self.path = self.seen = path
        path.mkdir(parents=True, exist_ok=True)

    def command(self, program: Sequence[str]) -> list[str]:
        """The command as it is."""
        return [*program]

    def fill(self, program: Program | None = None, leave: int = 0) -> None:
        """No file of the program may grow beyond a page."""
        assert program is not None, "a limit is a program's"
        _soft, hard = psutil.Process(program.pid).rlimit(psutil.RLIMIT_FSIZE)
        psutil.Process(program.pid).rlimit(psutil.RLIMIT_FSIZE, (self.MOST, hard))

    def clear(self, program: Program | None = None) -> None:
        """Let them grow."""
        assert program is not None, "a limit is a program's"
        _soft, hard = psutil.Process(program.pid).rlimit(psutil.RLIMIT_FSIZE)
        psutil.Process(program.pid).rlimit(psutil.RLIMIT_FSIZE, (hard, hard))


@contextmanager
def small_disk(home: Path, size: int) -> Iterator[SmallDisk]:
    """A mounted disk of `size` bytes at `home/disk`. Raises `NoSmallDisk`."""
    disk = SmallDisk(home / "disk", size)
    try:
        disk.mount()
        yield disk
    finally:
        disk.unmount()
        shutil.rmtree(disk.path, ignore_errors=True)


@contextmanager
def small_disk_or_files(home: Path, size: int) -> Iterator[SmallDisk | SmallFiles]:
    """The disk, or where this machine refuses one, a limit on a program's files."""
    with ExitStack() as stack:
        try:
            disk: SmallDisk | SmallFiles = stack.enter_context(small_disk(home, size))
        except NoSmallDisk:
            disk = SmallFiles(home / "files")
        yield disk
