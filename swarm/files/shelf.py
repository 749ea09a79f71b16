"""The folder in which bytes are kept: written beside, flushed, then named; never seen half."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_TOKEN = re.compile(r"[0-9a-f]{32}(\.safe)?")
CHUNK = 256 * 1024
LEFT = 3600.0
"""Seconds after which what arrived and was not kept is nobody's."""


class Shelf:
    """Files by token, a folder for each first two letters; `.safe` beside it is the picture drawn anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def arriving(self, token: str) -> Path:
        """Where a file's bytes go while they arrive."""
        folder = self.folder / "arriving"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / _checked(token)

    def keep(self, token: str) -> None:
        """What has arrived, and its safe copy, from here on stands under its name, on the disk."""
        place = self.place(token)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The copy first: whoever finds the file finds it too.
        for name in (f"{token}.safe", token):
            arrived = self.arriving(name)
            if arrived.exists():
                _flush(arrived)
                arrived.rename(place.with_name(name))
        _flush(place.parent)
        _flush(self.folder)

    def place(self, token: str) -> Path:
        """Where it stands."""
        return self.folder / _checked(token)[:2] / token

    def forget(self, token: str) -> None:
        """Neither it nor its copy is there any more, arrived or kept."""
        for name in (token, f"{token}.safe"):
            for path in (self.place(name), self.folder / "arriving" / name):
                # Also where the folder itself is none.
                with suppress(FileNotFoundError, NotADirectoryError):
                    path.unlink()

    def sweep(self) -> None:
        """Take away what arrived long ago and was never kept: its worker was killed."""
        arriving = self.folder / "arriving"
        if not arriving.is_dir():
            return
        for path in arriving.iterdir():
            try:
                if time.time() - path.stat().st_mtime > LEFT:
                    path.unlink(missing_ok=True)
            except FileNotFoundError:
                continue

    def chunks(self, token: str) -> Iterator[bytes]:
        """Its bytes. Raises `FileNotFoundError`."""
        with self.place(token).open("rb") as kept:
            while chunk := kept.read(CHUNK):
                yield chunk


def _checked(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise ValueError("not a token")
    return token


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
