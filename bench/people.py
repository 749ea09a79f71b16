"""A demo on each database under simulated people: `python -m bench.people --people 200 --minutes 5`.

Durable commits, one worker, the limits of one address raised, for all come from one. It prints
what `swarm simulate` prints; the exit code is 1 after any error.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import out
from tests.support import servers
from tests.support.app import START, App
from tests.support.backends import Backend, PostgresMaker

RAISED = {
    "SWARM_LIMITS__OPENING_PER_MINUTE": "1000",
    "SWARM_LIMITS__LINKS_PER_MINUTE": "1000",
    "SWARM_LOG__LEVEL": "warning",
}


@contextmanager
def database(name: str, home: Path) -> Iterator[Backend]:
    """An empty one of this kind, with the doorbell that goes with it."""
    if name == "sqlite":
        yield Backend("sqlite", f"sqlite:///{home / 'swarm.db'}", None)
        return
    with servers.postgres(durable=True) as postgres, servers.redis() as redis:
        yield PostgresMaker(postgres, redis).make(migrated=False)


def main() -> int:
    """Run them on each database."""
    wanted = argparse.ArgumentParser(prog="python -m bench.people", description=__doc__)
    wanted.add_argument("--people", type=int, default=200)
    wanted.add_argument("--minutes", type=float, default=5)
    wanted.add_argument("--on", action="append", choices=["sqlite", "postgresql"])
    said = wanted.parse_args()
    failed = False
    for name in said.on or ["sqlite", "postgresql"]:
        with (
            tempfile.TemporaryDirectory(prefix="swarm-people-") as made,
            database(name, Path(made)) as backend,
        ):
            app = App(backend, Path(made), "--demo", env=RAISED).start()
            try:
                out.print(f"\n{backend.name}: {said.people} people, {said.minutes:g} minutes\n")
                command = ["simulate", app.url, "--people", str(said.people), "--minutes", str(said.minutes)]
                done = subprocess.run([sys.executable, "-c", START, *command], check=False)
                failed = failed or done.returncode != 0
            finally:
                app.stop()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
