"""A terminal of the test's own, in tmux: what stands in it, and keys pressed in it."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support import binaries
from tests.support.site import PATIENCE


class Terminal:
    """One window with one program."""

    def __init__(self) -> None:
        self._tmux = [str(binaries.tmux()), "-L", f"swarm-{secrets.token_hex(4)}", "-f", "/dev/null"]

    def start(self, program: Sequence[str], env: Mapping[str, str], folder: Path) -> None:
        """Run it, 100 columns wide; what is in the environment here is there too."""
        given = [part for name, value in env.items() for part in ("-e", f"{name}={value}")]
        self._run(
            "new-session", "-d", "-x", "100", "-y", "40", "-c", str(folder), *given,
            ";", "set", "remain-on-exit", "on",
        )  # fmt: skip
        self._run("respawn-pane", "-k", *given, *program)

    def shown(self) -> str:
        """What stands there now and above."""
        return self._run("capture-pane", "-p", "-J", "-S", "-200")

    def until(self, text: str) -> str:
        """What is shown, once this stands in it. Raises `TimeoutError`."""
        end = time.monotonic() + 4 * PATIENCE
        while time.monotonic() < end:
            if text in (now := self.shown()):
                return now
        raise TimeoutError(f"{text!r} did not come:\n{self.shown()}")

    def wait(self) -> None:
        """Until the program has ended. Raises `TimeoutError`."""
        end = time.monotonic() + PATIENCE
        while self._run("display", "-p", "#{pane_dead}").strip() != "1":
            if time.monotonic() > end:
                raise TimeoutError(self.shown())

    def type(self, text: str, *keys: str) -> None:
        """Press the keys of a text, then others by name, as in `Enter`."""
        self._run("send-keys", "-l", text)
        self._run("send-keys", *(keys or ("Enter",)))

    def stop(self) -> None:
        """End it and what runs in it."""
        self._run("kill-server")

    def _run(self, *command: str) -> str:
        env = {**os.environ, "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            [*self._tmux, *command], capture_output=True, text=True, timeout=PATIENCE, env=env, check=True
        )
        return done.stdout


@contextmanager
def terminal() -> Iterator[Terminal]:
    """A terminal until the block ends."""
    made = Terminal()
    try:
        yield made
    finally:
        made.stop()
