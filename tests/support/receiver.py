"""A program outside that is told of events, and does to them what it is told to."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 15.0


@dataclass(frozen=True)
class Told:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """What it says."""
        return json.loads(self.body)

    @property
    def id(self) -> str:
        """Which message it is."""
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """What came, and how it behaves: a status, `stall`, `drop`, `huge`, `garbage` or `redirect <address>`."""

    port: int = 0
    behaviour: str = "200"
    told: list[Told] = field(default_factory=list)
    """Everything that came, taken or not."""
    going: threading.Event = field(default_factory=threading.Event)
    """Set when the block ends: nobody stalls any longer."""
    cut: threading.Event = field(default_factory=threading.Event)
    """Set when somebody hung up on a huge answer."""
    _came: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/hook?key=1"

    def wait(self, count: int) -> list[Told]:
        """What came, once it is so much. Raises `TimeoutError`."""
        with self._came:
            if not self._came.wait_for(lambda: len(self.told) >= count, PATIENCE):
                raise TimeoutError(f"{len(self.told)} came")
            return list(self.told)

    def take(self, told: Told) -> None:
        """It came."""
        with self._came:
            self.told.append(told)
            self._came.notify_all()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            behaviour = receiver.behaviour
            receiver.take(Told(self.path, headers, body))
            self.close_connection = True
            if behaviour == "stall":
                receiver.going.wait(PATIENCE)
            elif behaviour == "garbage":
                self.wfile.write(b"\0\1\2 what\r\n\r\n" * 3000)
            elif behaviour == "huge":
                self._begin(200, [("Content-Length", str(10**12))])
                try:
                    while not receiver.going.is_set():
                        self.wfile.write(b"x" * 65536)
                except OSError:
                    receiver.cut.set()
            elif behaviour.startswith("redirect "):
                self._begin(302, [("Location", behaviour.partition(" ")[2]), ("Content-Length", "0")])
            elif behaviour != "drop":
                said = b"Taken, \x1b[31mthanks" if behaviour == "200" else b"No, not like this"
                self._begin(int(behaviour), [("Content-Length", str(len(said)))])
                self.wfile.write(said)

        def _begin(self, status: int, headers: list[tuple[str, str]]) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Silent."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_about: object) -> None:
        """Whoever hangs up on us was told to be hung up on."""


@contextmanager
def receiving(secure: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on a free port until the block ends."""
    receiver = Receiver()
    server = _Server(("127.0.0.1", 0), _handler(receiver))
    if secure is not None:
        # Whoever hangs up in the middle of the handshake must not hold up the others.
        server.socket = secure.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.going.set()
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)
