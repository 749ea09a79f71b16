"""The shipped nginx.conf in front of workers of a test."""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from swarm.settings import resources
from tests.support import binaries
from tests.support.processes import Program, free_port

SHIPPED = resources("config", "nginx.conf")
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def changed(text: str, *changes: tuple[str, str]) -> str:
    """The text with patterns replaced; each stands in it."""
    for pattern, new in changes:
        text, count = re.subn(pattern, new, text, flags=re.MULTILINE)
        assert count, f"nothing in nginx.conf looks like {pattern}"
    return text


def at_home(home: Path, port: int, workers: Sequence[str]) -> str:
    """The shipped file, with everything it touches in one folder."""
    folders = "\n".join(f"    {name}_temp_path {home}/{name};" for name in TEMPORARY)
    servers = "\n".join(rf"        server {worker}\1;" for worker in workers)
    # Its processes write into a folder that only the user of this test may enter.
    user = "user root;\n" if os.geteuid() == 0 else ""
    return changed(
        SHIPPED.read_text(encoding="utf-8"),
        (r"^user .*\n", f"{user}daemon off;\n"),
        (r"^pid .*;", f"pid {home}/pid;"),
        (r"^error_log \S+", f"error_log {home}/log"),
        (r"^http \{$", f"http {{\n{folders}"),
        (r"^        server 10\.0\.0\.11:8000( .*);\n        server 10\.0\.0\.12:8000 .*;", servers),
        (r"^ +listen \[::\].*\n", ""),
        (r"listen 80 ", f"listen 127.0.0.1:{free_port()} "),
        (r"listen 443 ", f"listen 127.0.0.1:{port} "),
    )


class Front(Program):
    """nginx as we ship it, but for where things are, and without TLS."""

    def __init__(self, home: Path, workers: Sequence[str]) -> None:
        """`workers` as `127.0.0.1:8000`."""
        self.port = free_port()
        home.mkdir()
        config = home / "nginx.conf"
        config.write_text(
            changed(
                at_home(home, self.port, workers),
                (r"(listen \S+) ssl http2", r"\1"),
                (r"^ +ssl_.*\n", ""),
            ),
            encoding="utf-8",
        )
        command: list[str | Path] = [binaries.nginx(), "-p", home, "-c", config, "-e", home / "log"]
        super().__init__(command, home / "log", self._answers)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError:
            return False
