"""Servers as processes of their own, pinned, and people signed in to them."""

from __future__ import annotations

import http.client
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from swarm.accounts.actions import start_session
from swarm.events import SYSTEM
from swarm.store import Store
from tests.support.processes import Program, answers, free_port

SERVER_CORE, CLIENT_CORE = 0, 1
NO_LIMITS = {
    "SWARM_LIVE__SOCKETS_PER_PERSON": "1000",
    "SWARM_LIVE__FRAMES_PER_SECOND": "100000",
    "SWARM_LIVE__POSTS_PER_SECOND": "100000",
    "SWARM_LIMITS__POSTS_PER_MINUTE": "1000000",
    "SWARM_LOG__LEVEL": "warning",
}
"""What throttles one person for the sake of the others would throttle the only sender here."""


KEPT_ALIVE = 3.0
"""Seconds without a request after which a browser connects anew, before the server hangs up."""


class Server(Program):
    """A Python module that serves on a port, pinned to the server's core."""

    def __init__(self, home: Path, module: str, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.port = free_port()
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SWARM_")}
        super().__init__(
            [sys.executable, "-m", module, str(self.port), str(SERVER_CORE), *arguments],
            home / f"{module}-{self.port}.log",
            lambda: answers(self.port),
            env={**clean, **(env or {})},
        )

    def cpu(self) -> float:
        """Seconds of processor this process has used."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)


def swarm_server(home: Path, database: str) -> Server:
    """swarm over a database, as it is deployed."""
    return Server(home, "bench.swarm_server", env={**NO_LIMITS, "SWARM_DATABASE_URL": database})


def sign_in(database: str, people: Sequence[int]) -> list[str]:
    """A cookie for each person."""
    store = Store(database)
    try:
        return store.write_now(
            SYSTEM, lambda work: [start_session(work, id_, days=14, idle_hours=12) for id_ in people]
        )
    finally:
        store.close()


class Browser:
    """One kept-alive connection with a cookie; as little in the way of the clock as there can be."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._used = float("-inf")
        self._headers = {"Cookie": f"session={cookie}", "Accept": "text/html"}
        self._origin = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> tuple[float, bytes]:
        """Seconds until the whole page was here, and the page."""
        self._stay_connected()
        began = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        taken = time.perf_counter() - began
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        return taken, body

    def post(self, path: str, form: bytes) -> None:
        """Send a form the way the live script does, and wait for the answer."""
        self._stay_connected()
        self._connection.request(
            "POST",
            path,
            body=form,
            headers={
                **self._headers,
                "Accept": "application/json",
                "Origin": self._origin,
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        answer = self._connection.getresponse()
        answer.read()
        if answer.status not in (200, 204):
            raise RuntimeError(f"{path} answered {answer.status}")

    def _stay_connected(self) -> None:
        now = time.perf_counter()
        if now - self._used > KEPT_ALIVE:
            self._connection.close()
            self._connection.connect()
        self._used = now

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def stay_on(core: int) -> None:
    """Pin this process."""
    if core < (os.cpu_count() or 1):
        os.sched_setaffinity(0, {core})
