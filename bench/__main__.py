"""Print every figure beside its reference; exit 1 when a promised ratio is missed."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import acks, deliveries, doorbell, lists, page, shown, storm
from bench.databases import Databases, databases
from bench.figures import Figure, out, show
from bench.serving import CLIENT_CORE, stay_on

PARTS: dict[str, tuple[str, Callable[[Databases, Path], Iterator[Figure]]]] = {
    "lists": ("List pages at 100,000 tickets; reference: at 1,000", lists.measure),
    "page": ("The ticket page; reference: the same bytes from a bare route and template", page.measure),
    "shown": ("One message, to another screen", shown.measure),
    "deliveries": ("Sockets; reference: websockets.broadcast(), storing nothing", deliveries.measure),
    "storm": ("Everybody reconnects at once", storm.measure),
    "doorbell": ("A ring through Redis; reference: bare publish and receive", doorbell.measure),
    "acks": ("Messages acknowledged; reference: our own path with one commit for each", acks.measure),
}


def main() -> int:
    """Run the parts that were named, or all."""
    wanted = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    wanted.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which figures; all without")
    wanted.add_argument(
        "--on",
        action="append",
        metavar="DATABASE",
        help="sqlite, postgresql (started here), or the URL of a PostgreSQL server; both without",
    )
    said = wanted.parse_args()
    ours = os.environ.get("SWARM_TEST_POSTGRESQL", "postgresql")
    missed = False
    stay_on(CLIENT_CORE)
    out.print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    for where in said.on or ["sqlite", ours]:
        with tempfile.TemporaryDirectory(prefix="swarm-bench-") as made, databases(where, Path(made)) as kept:
            for part in said.parts or PARTS:
                title, measure = PARTS[part]
                figures = list(measure(kept, Path(made)))
                show(f"{kept.name}: {title}", figures)
                missed = missed or any(not figure.kept for figure in figures)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
