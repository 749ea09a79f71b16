"""A storage that is a folder: bytes are flushed, then named; never seen half."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CHUNK = 256 * 1024


class Disk:
    """A folder below it for each first two letters."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, arrived: Path) -> None:
        """Moved here: what arrives is on the same disk."""
        place = self._place(name)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _flush(arrived)
        arrived.rename(place)
        _flush(place.parent)
        _flush(self._folder)

    def read(self, name: str) -> Iterator[bytes]:
        """Its bytes. Raises `FileNotFoundError`."""
        place, start = self._place(name), 0
        while chunk := _piece(place, start):
            yield chunk
            start += len(chunk)

    def forget(self, name: str) -> None:
        """Gone, whether it was there or not."""
        with suppress(FileNotFoundError, NotADirectoryError):
            self._place(name).unlink()

    def _place(self, name: str) -> Path:
        return self._folder / name[:2] / name


def _piece(place: Path, start: int) -> bytes:
    # Opened for each: whoever reads slowly, or goes away in the middle, holds no file of ours.
    with place.open("rb") as kept:
        kept.seek(start)
        return kept.read(CHUNK)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
