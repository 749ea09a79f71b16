"""On SQLite with one worker, rooms lose, double and reorder nothing whatever is done to it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.faults.houses import seed_of_the_day
from tests.faults.soak import command
from tests.faults.strikes import DISK, LINES, STRIKES, WORKERS

pytestmark = pytest.mark.fault


PATIENCE = 280
"""Seconds for one run."""
Record = Callable[[str, object], None]


def soaked(record: Record, keep: Path, names: Sequence[str], mounts: bool | None = None) -> None:
    """Each of these once, in a process of its own, which may have mounts of its own; it says if it has."""
    run = subprocess.run(
        command("sqlite", seed_of_the_day(), keep=keep, once=names, mounts=mounts),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    told = [line for line in run.stdout.splitlines() if "seed" in line or "messages:" in line]
    record("said", "; ".join(told[1:]))
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"faults: {len(names)}\n" in run.stdout, "each struck"
    assert "findings: 0\n" in run.stdout


@pytest.mark.parametrize("to", [LINES, WORKERS, DISK])
def test_no_message_is_lost_doubled_or_reordered_by_what_happens_to(
    to: str, tmp_path: Path, record_property: Record
) -> None:
    soaked(record_property, tmp_path, [name for name, strike in STRIKES.items() if strike.to == to])


def test_a_disk_can_be_made_to_look_full_where_nobody_may_mount(
    tmp_path: Path, record_property: Record
) -> None:
    soaked(record_property, tmp_path, ["the disk is full"], mounts=False)
