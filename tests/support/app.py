"""swarm itself as a process of its own, the way `make run` starts it."""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tests.support.backends import Backend
from tests.support.processes import Program, free_port

START = "from swarm.cli import app; app()"


class App(Program):
    """One worker on one database; several may share it. Ready when /healthz answers."""

    def __init__(
        self, backend: Backend, home: Path, *arguments: str, env: Mapping[str, str] | None = None
    ) -> None:
        self.port = free_port()
        own = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SWARM_")},
            **backend.env,
            "SWARM_SERVER__PORT": str(self.port),
            "SWARM_SERVER__BASE_URL": self.url,
            "SWARM_FILES__FOLDER": str(home / "files"),
            # Simulated people come where a test is about them.
            "SWARM_STILL": "true",
            **(env or {}),
        }
        log = home / f"swarm-{self.port}.log"
        super().__init__([sys.executable, "-c", START, "serve", *arguments], log, self._healthy, env=own)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError:
            return False
