"""The shipped nginx.conf in front of workers of a test."""

from __future__ import annotations

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


class Front(Program):
    """nginx as we ship it, but for where things are, and without TLS."""

    def __init__(self, home: Path, workers: Sequence[str]) -> None:
        """`workers` as `127.0.0.1:8000`."""
        self.port = free_port()
        home.mkdir()
        folders = "\n".join(f"    {name}_temp_path {home}/{name};" for name in TEMPORARY)
        servers = "\n".join(rf"        server {worker}\1;" for worker in workers)
        config = home / "nginx.conf"
        config.write_text(
            changed(
                SHIPPED.read_text(encoding="utf-8"),
                (r"^user .*\n", "daemon off;\n"),
                (r"^pid .*;", f"pid {home}/pid;"),
                (r"^error_log \S+", f"error_log {home}/log"),
                (r"^http \{$", f"http {{\n{folders}"),
                (r"^        server 10\.0\.0\.11:8000( .*);\n        server 10\.0\.0\.12:8000 .*;", servers),
                (r"^ +listen \[::\].*\n", ""),
                (r"listen 80 default_server", f"listen 127.0.0.1:{free_port()} default_server"),
                (r"listen 443 ssl http2 default_server", f"listen 127.0.0.1:{self.port} default_server"),
                (r"^ +ssl_.*\n", ""),
            ),
            encoding="utf-8",
        )
        program = binaries.nginx()
        super().__init__([program, "-p", home, "-c", config, "-e", home / "log"], home / "log", self._answers)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError:
            return False
