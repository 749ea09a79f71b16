"""`make soak`: every fault, in an order drawn from a seed, for minutes; seed and history are kept.

python -m tests.faults.soak --minutes 10 --seed 7 --database both
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import itertools
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from tests.faults.history import History, findings
from tests.faults.houses import (
    OWN_MOUNTS,
    LimitedFiles,
    SmallDisk,
    may_mount,
    on_postgres,
    on_sqlite,
    seed_of_the_day,
)
from tests.faults.running import Fault, Run, play
from tests.faults.strikes import STRIKES, fitting
from tests.support.processes import folder

SHARES = {"sqlite": 1 / 3, "postgresql": 2 / 3}
"""Of the minutes: there is less that can be done to one worker on SQLite."""
KEPT = Path("var/soak")
AWAY = 60.0
"""Seconds without Redis."""


def main() -> int:
    """Returns 1 when a promise was broken."""
    faulthandler.register(signal.SIGTERM, chain=True)
    asked = _asked()
    if asked.database == "both":
        return max([_again(asked, database) for database in SHARES])
    if asked.database == "sqlite" and asked.disk == "here":
        return _again(asked, "sqlite")
    return _run(asked)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.faults.soak")
    parser.add_argument("--minutes", type=float, default=10.0, help="in all; shared by both databases")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--database", choices=(*SHARES, "both"), default="both")
    parser.add_argument("--once", nargs="*", metavar="FAULT", help="each of these once, or each there is")
    parser.add_argument("--away", type=float, default=AWAY, help="seconds without Redis")
    parser.add_argument("--keep", type=Path, default=KEPT)
    parser.add_argument("--disk", choices=("here", "mount", "limit"), default="here", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    asked.seed = asked.seed or seed_of_the_day()
    return asked


def _again(asked: argparse.Namespace, database: str) -> int:
    """In a process of its own, with mounts of its own where that is possible."""
    minutes = asked.minutes * (SHARES[database] if asked.database == "both" else 1)
    more = {"minutes": minutes, "away": asked.away, "keep": asked.keep, "once": asked.once}
    return subprocess.run(command(database, asked.seed, **more), check=False).returncode


def command(
    database: str,
    seed: int,
    *,
    minutes: float = 0.0,
    away: float = AWAY,
    keep: Path = KEPT,
    once: Sequence[str] | None = None,
    mounts: bool | None = None,
) -> list[str]:
    """What runs one database; `mounts`: with mounts of its own, or as the machine allows."""
    mounts = database == "sqlite" and (may_mount() if mounts is None else mounts)
    return [
        *(OWN_MOUNTS if mounts else ()),
        *(sys.executable, "-m", "tests.faults.soak", "--database", database),
        *("--disk", "mount" if mounts else "limit", "--minutes", str(minutes), "--seed", str(seed)),
        *("--away", str(away), "--keep", str(keep)),
        *(() if once is None else ("--once", *once)),
    ]


def _run(asked: argparse.Namespace) -> int:
    home, ended = folder(), False
    try:
        with _house(asked, home) as run:
            _say(asked.database, f"seed {asked.seed}, {_disk(run)}")
            history = asyncio.run(play(run, _faults(run, asked)))
            ended = True
    finally:
        if not ended:
            for log in sorted(home.glob("*.log")):
                print(log.name, log.read_text(errors="replace")[-4000:], file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
    return _judge(asked, run, history)


@contextmanager
def _house(asked: argparse.Namespace, home: Path) -> Iterator[Run]:
    if asked.database == "sqlite":
        with on_sqlite(home, mounts=asked.disk == "mount", seed=asked.seed) as run:
            yield run
    else:
        with on_postgres(home, seed=asked.seed, away=asked.away) as run:
            yield run


def _faults(run: Run, asked: argparse.Namespace) -> Iterator[tuple[str, Fault]]:
    """Every fault that fits, in rounds, each in another order: one whole round, and on until time is over."""
    dice = random.Random(asked.seed)
    ends = time.monotonic() + asked.minutes * 60
    names = asked.once or fitting(run)
    for again in itertools.count():
        for name in dice.sample(names, len(names)):
            if again and time.monotonic() > ends:
                return
            _say(asked.database, f"{run.now():5.0f} s: {name}")
            yield name, STRIKES[name].do
        if asked.once is not None:
            return


def _judge(asked: argparse.Namespace, run: Run, history: History) -> int:
    found = findings(history)
    asked.keep.mkdir(parents=True, exist_ok=True)
    kept = asked.keep / f"{asked.database}-{asked.seed}.jsonl"
    write(history, kept)
    ended = Counter(call.outcome for call in history.calls)
    times = sorted(call.ended - call.began for call in history.calls if call.outcome == "ok")
    said = [
        f"seed {asked.seed}, {run.now():.0f} s, {_disk(run)}; kept in {kept}",
        f"messages: {ended['ok']} acknowledged, {ended['fail']} refused, {ended['info']} unknown; "
        f"{len(history.rows)} stored; the slowest answer after {max(times, default=0):.1f} s",
        f"{sum(len(one.shown) for one in history.watchers)} shown on {len(history.watchers)} pages",
        f"faults: {len(history.struck)}",
        *(f"  {count} × {name}" for name, count in sorted(Counter(s.name for s in history.struck).items())),
        f"findings: {len(found)}",
        *(f"  {one}" for one in found[:50]),
    ]
    for line in said:
        _say(asked.database, line)
    return bool(found)


def write(history: History, path: Path) -> None:
    """One JSON object a line; what pages received is left out."""
    kinds: Sequence[tuple[str, Sequence[object]]] = (
        ("fault", [asdict(one) for one in history.struck]),
        ("call", [asdict(one) for one in history.calls]),
        ("row", [asdict(one) for one in history.rows]),
        ("log", [{"head": history.heads.get(key), "stream": key, "numbers": list(numbers)}
                 for key, numbers in history.numbers.items()]),
        ("node", [{"node": node, "shown": shown} for node, shown in history.nodes.items()]),
        ("page", [asdict(one) | {"received": len(one.received)} for one in history.watchers]),
        ("outsider", [asdict(one) | {"received": len(one.received)} for one in history.outsiders]),
        ("finding", [{"said": one} for one in findings(history)]),
    )  # fmt: skip
    with path.open("w", encoding="utf-8") as file:
        for kind, things in kinds:
            for thing in things:
                assert isinstance(thing, dict)
                file.write(json.dumps({"kind": kind} | thing) + "\n")


def _disk(run: Run) -> str:
    if isinstance(run.disk, (SmallDisk, LimitedFiles)):
        return run.disk.says
    return f"{run.count} workers"


def _say(database: str, line: str) -> None:
    print(f"{database}: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
