"""The disk by itself: how long a flushed write takes while nobody else asks for anything."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

BLOCK = bytes(8192)
"""A page of PostgreSQL's log; SQLite's has half as much."""
BLOCKS = 512


def flushes(folder: Path, count: int, per_second: int) -> list[float]:
    """Seconds that each of so many writes took, flushed one by one into a file that is already as long."""
    took: list[float] = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        file.write(BLOCK * BLOCKS)
        file.flush()
        os.fsync(file.fileno())
        began = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, began + number / per_second - time.monotonic()))
            asked = time.perf_counter()
            os.pwrite(file.fileno(), BLOCK, number % BLOCKS * len(BLOCK))
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - asked)
    return took
