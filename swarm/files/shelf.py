"""The shelf: bytes arrive in a folder of this machine, are looked at there, and then kept in a storage."""

from __future__ import annotations

import asyncio
import contextvars
import re
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

T = TypeVar("T")
_TOKEN = re.compile(r"[0-9a-f]{32}(\.safe)?")
LEFT = 3600.0
"""Seconds after which what arrived and was not kept is nobody's."""
AT_ONCE = 64
"""Threads that may wait for the storage: where it stalls, nothing but files waits with them."""


class Away(OSError):
    """The storage says nothing, or something else than it should."""


class Storage(Protocol):
    """Where bytes are kept, by names of ours. Each call raises `OSError`, of which `Away` is one."""

    def put(self, name: str, arrived: Path) -> None:
        """Keep these bytes: all of them, safe from a power cut, or none. `arrived` may be gone after it."""

    def read(self, name: str) -> Iterator[bytes]:
        """Its bytes. Raises `FileNotFoundError`."""

    def forget(self, name: str) -> None:
        """It is not there any more, whether it was or not."""


class Shelf:
    """Files by token; `.safe` beside one is the picture drawn anew."""

    def __init__(self, folder: Path, storage: Storage) -> None:
        self.folder = folder
        self._storage = storage
        self._threads = ThreadPoolExecutor(AT_ONCE, "files")

    async def apart(self, do: Callable[..., T], *given: object) -> T:
        """Do it on a thread of the shelf's own."""
        run = partial(contextvars.copy_context().run, do, *given)
        return await asyncio.get_running_loop().run_in_executor(self._threads, run)

    def arriving(self, name: str) -> Path:
        """Where a file's bytes go while they arrive."""
        folder = self.folder / "arriving"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / _checked(name)

    def keep(self, token: str) -> None:
        """What has arrived, and its safe copy, is from here on kept. Raises `OSError`, `Away`."""
        # The copy first: whoever finds the file finds it too.
        for name in (f"{token}.safe", token):
            arrived = self.arriving(name)
            if arrived.exists():
                self._storage.put(name, arrived)
                arrived.unlink(missing_ok=True)

    def chunks(self, name: str) -> Iterator[bytes]:
        """Its bytes. Raises `FileNotFoundError`, `Away`."""
        return self._storage.read(_checked(name))

    def drop(self, token: str) -> None:
        """What arrived of it is gone; what is kept stays."""
        for name in (token, f"{token}.safe"):
            # Also where the folder itself is none.
            with suppress(FileNotFoundError, NotADirectoryError):
                (self.folder / "arriving" / _checked(name)).unlink()

    def forget(self, token: str) -> None:
        """Neither it nor its copy is kept any more. Raises `OSError`, `Away`."""
        self.drop(token)
        for name in (token, f"{token}.safe"):
            self._storage.forget(name)

    def tidy(self) -> None:
        """Take away what arrived here long ago and was never kept: its worker was killed."""
        arriving = self.folder / "arriving"
        if not arriving.is_dir():
            return
        for path in arriving.iterdir():
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > LEFT:
                    path.unlink(missing_ok=True)

    def try_out(self) -> None:
        """Keep something, read it and forget it. Raises `OSError`, `Away`."""
        token, said = secrets.token_hex(16), secrets.token_bytes(64)
        try:
            self.arriving(token).write_bytes(said)
            self.keep(token)
            if b"".join(self.chunks(token)) != said:
                raise Away("what was kept there reads otherwise")
        finally:
            self.drop(token)
        self.forget(token)


def _checked(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise ValueError("not a token")
    return name
