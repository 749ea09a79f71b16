"""What `swarm serve` bounds as its settings say, and how it ends what it has begun."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.app import START, App
from tests.support.backends import Backend

pytestmark = pytest.mark.fault

PATIENCE = 20.0
POST = "POST /sign-in HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Length: {length}\r\n"
FORM = b"email=nobody%40example.org&password=no"


class Line:
    """A connection of somebody slow."""

    def __init__(self, app: App, first: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", app.port), timeout=PATIENCE)
        self.socket.sendall(first)

    def rest(self) -> bytes:
        """Everything until the server closes."""
        with self.socket:
            said = b""
            while more := self.socket.recv(65536):
                said += more
        return said


def head(app: App, length: int = len(FORM)) -> bytes:
    host = f"127.0.0.1:{app.port}"
    return (
        POST.format(host=host, length=length) + "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    ).encode()


def until_it_leaves(app: App) -> None:
    deadline = time.monotonic() + PATIENCE
    while "Shutting down" not in app.output:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_slow_headers_slow_bodies_and_large_headers_are_cut_as_the_settings_say(
    sqlite_backend: Backend, serve: Callable[..., App]
) -> None:
    app = serve(
        sqlite_backend,
        env={
            "SWARM_SERVER__HEADER_SECONDS": "0.5",
            "SWARM_SERVER__BODY_SECONDS": "0.7",
            "SWARM_SERVER__HEADER_BYTES": "5000",
        },
    )
    began = time.monotonic()
    lines = {
        b" 408 ": [Line(app, b"GET / HTTP/1.1\r\nHost: x"), Line(app, head(app) + FORM[:9])],
        b" 431 ": [Line(app, head(app)[:-2] + b"X-long: " + b"x" * 5000 + b"\r\n\r\n")],
    }
    assert app.ready()
    for status, cut in lines.items():
        for line in cut:
            assert status in line.rest().partition(b"\r\n")[0]
    assert time.monotonic() - began < 10
    assert app.ready()


def unread(app: App, line: socket.socket) -> int:
    """Bytes that the system keeps for the worker because this peer has not read them."""
    ours = f":{line.getsockname()[1]:04X}"
    for row in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _number, here, there, _state, queues, *_rest = row.split()
        if here.endswith(f":{app.port:04X}") and there.endswith(ours):
            return int(queues.partition(":")[0], 16)
    return 0


def test_the_system_keeps_little_for_who_reads_nothing(
    sqlite_backend: Backend, serve: Callable[..., App]
) -> None:
    app = serve(sqlite_backend)
    ask = f"GET /nowhere/at/all HTTP/1.1\r\nHost: 127.0.0.1:{app.port}\r\n\r\n".encode()
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.settimeout(PATIENCE)
        line.connect(("127.0.0.1", app.port))
        line.sendall(ask * 600)
        deadline, kept, since = time.monotonic() + PATIENCE, 0, time.monotonic()
        while not kept or time.monotonic() - since < 1:
            assert time.monotonic() < deadline
            now = unread(app, line)
            if now != kept:
                kept, since = now, time.monotonic()
            time.sleep(0.01)
    assert 0 < kept < 256 * 1024


def test_a_request_under_way_is_answered_though_the_server_was_told_to_stop(
    sqlite_backend: Backend, serve: Callable[..., App]
) -> None:
    app = serve(sqlite_backend, env={"SWARM_LIVE__DRAIN_SECONDS": "0"})
    line = Line(app, head(app) + FORM[:9])
    assert app.ready()
    assert app.process is not None
    app.process.send_signal(signal.SIGTERM)
    until_it_leaves(app)
    with pytest.raises(OSError):
        app.ready()
    line.socket.sendall(FORM[9:])
    answer = line.rest()
    assert answer.startswith(b"HTTP/1.1 4") and b"</html>" in answer
    assert b"connection: close" in answer.lower()
    app.process.wait(PATIENCE)


def test_who_has_a_connection_hears_that_it_leaves_while_it_lets_others_go(
    sqlite_backend: Backend, tmp_path: Path
) -> None:
    app = App(sqlite_backend, tmp_path, env={"SWARM_SERVER__KEEP_ALIVE_SECONDS": "60"})
    # A busy machine may be slow to ask.
    app.command[2] = "import swarm.web.protocol as http; http.LAST_CHANCE = 9.0; " + START
    with app:
        probe = HTTPConnection("127.0.0.1", app.port, timeout=PATIENCE)

        def asked(path: str) -> tuple[int, bytes]:
            probe.request("GET", path)
            answer = probe.getresponse()
            return answer.status, answer.read()

        assert asked("/readyz")[0] == 200
        under_way = Line(app, head(app) + FORM[:9])
        assert app.ready()
        assert app.process is not None
        app.process.send_signal(signal.SIGTERM)
        until_it_leaves(app)
        probe.auto_open = 0
        status, said = asked("/readyz")
        assert (status, json.loads(said)["draining"]) == (503, True)
        under_way.socket.sendall(FORM[9:])
        under_way.rest()
        probe.close()
        app.process.wait(PATIENCE)
