"""Public programs that look at the API from outside, in an environment of their own."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

from swarm.settings import resources

LOCK = Path("requirements/api.txt")


def environment() -> Path:
    """The folder of their programs; made at the first call, once for every content of their lock file."""
    lock = resources() / LOCK
    named = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = resources() / "var" / "cache" / f"api-tools-{named}"
    home.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{home}.lock").open("w") as guard:
        # Of several test workers one installs, the others wait.
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (home / "complete").exists():
            _run([sys.executable, "-m", "venv", "--clear", str(home)])
            _run([str(home / "bin" / "pip"), "install", "--quiet", "--require-hashes", "-r", str(lock)])
            (home / "complete").touch()
    return home / "bin"


def _run(command: list[str]) -> None:
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, f"{command}: {made.stdout}{made.stderr}"
