"""What nginx passes on, and what it keeps away, with the file we ship."""

from __future__ import annotations

import re
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from swarm.settings import Settings
from tests.serving.front import SHIPPED, Front, at_home, changed
from tests.support import binaries
from tests.support.processes import free_port

BODY = Settings().server.body_bytes + Settings().files.message_bytes
MEGABYTE = 1024 * 1024


class Upstream(ThreadingHTTPServer):
    """Notes what reaches it; `broken`, it closes the connection in place of an answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.broken = False


class _Handler(BaseHTTPRequestHandler):
    server: Upstream

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        if self.server.broken and self.path != "/healthz":
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_args: object) -> None:
        """Not on the test's output."""


@pytest.fixture
def upstreams() -> Iterator[list[Upstream]]:
    with ExitStack() as stack:
        made = [stack.enter_context(Upstream()) for _host in range(2)]
        for one in made:
            threading.Thread(target=one.serve_forever, args=[0.05], daemon=True).start()
            stack.callback(one.shutdown)
        yield made


@pytest.fixture
def front(upstreams: list[Upstream], tmp_path: Path) -> Iterator[httpx2.Client]:
    hosts = [f"127.0.0.1:{one.server_address[1]}" for one in upstreams]
    with Front(tmp_path / "front", hosts) as nginx, httpx2.Client(base_url=nginx.url, timeout=10) as client:
        for one in upstreams:
            one.seen.clear()
        yield client


def seen(upstreams: list[Upstream]) -> list[tuple[str, str, dict[str, str]]]:
    return [request for one in upstreams for request in one.seen]


def test_nginx_accepts_the_shipped_file_with_its_tls(tmp_path: Path) -> None:
    key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
    asked = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    made: list[str | Path] = [binaries.openssl(), *asked, "-keyout", key, "-out", chain]
    subprocess.run(made, check=True, capture_output=True)
    config = tmp_path / "nginx.conf"
    text = at_home(tmp_path, free_port(), ["127.0.0.1:1", "127.0.0.1:2"])
    config.write_text(
        changed(
            text, (r"/etc/ssl/swarm/fullchain\.pem", str(chain)), (r"/etc/ssl/swarm/privkey\.pem", str(key))
        )
    )
    tried = subprocess.run(
        [binaries.nginx(), "-t", "-p", tmp_path, "-c", config, "-e", tmp_path / "log"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert tried.returncode == 0, tried.stderr


def test_the_file_agrees_with_the_settings() -> None:
    text, settings = SHIPPED.read_text(encoding="utf-8"), Settings()
    size = re.search(r"client_max_body_size (\d+)m;", text)
    silence = re.search(r"location /live \{\s+proxy_read_timeout (\d+)s;", text)
    ordinary = re.search(r"^ {8}proxy_read_timeout (\d+)s;", text, re.MULTILINE)
    assert size and BODY <= int(size[1]) * MEGABYTE < BODY + MEGABYTE
    assert silence and int(silence[1]) > 2.5 * settings.live.beat_seconds
    assert ordinary and int(ordinary[1]) > settings.server.body_seconds


def test_what_a_stranger_claims_to_be_does_not_pass(front: httpx2.Client, upstreams: list[Upstream]) -> None:
    claims = dict.fromkeys(("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded"), "6.6.6.6")
    front.get("/", headers={**claims, "X-Forwarded-Proto": "gopher"})
    ((_method, _path, headers),) = seen(upstreams)
    assert "6.6.6.6" not in headers.values()
    assert (headers["X-Forwarded-For"], headers["X-Forwarded-Proto"]) == ("127.0.0.1", "http")
    assert headers["Host"] == front.base_url.netloc.decode()


def test_a_body_is_as_large_as_swarm_takes_it(front: httpx2.Client) -> None:
    assert front.post("/", content=b"x" * BODY).status_code == 200
    assert front.post("/", content=b"x" * (BODY + MEGABYTE)).status_code == 413


def test_only_what_may_be_asked_twice_goes_to_the_next_host(
    front: httpx2.Client, upstreams: list[Upstream]
) -> None:
    upstreams[0].broken = True
    for number in range(4):
        assert front.get(f"/page/{number}").status_code == 200
    for number in range(4):
        front.post(f"/post/{number}", content=b"x")
    times = Counter(path for method, path, _headers in seen(upstreams) if method == "POST")
    assert set(times.values()) == {1}
    assert any(path.startswith("/page") for _method, path, _headers in upstreams[0].seen)


def test_a_host_that_is_away_is_passed_over_also_for_what_is_posted(
    front: httpx2.Client, upstreams: list[Upstream]
) -> None:
    upstreams[0].shutdown()
    upstreams[0].server_close()
    assert {front.post("/", content=b"x").status_code for _again in range(10)} == {200}


def test_a_flood_is_turned_away_before_it_reaches_swarm(
    front: httpx2.Client, upstreams: list[Upstream]
) -> None:
    def ask(_number: int) -> int:
        return front.get("/").status_code

    with ThreadPoolExecutor(8) as pool:
        answers = Counter(pool.map(ask, range(1500)))
    assert set(answers) == {200, 429}
    assert len(seen(upstreams)) == answers[200] < 1500


def test_probes_from_elsewhere_see_nothing(front: httpx2.Client, upstreams: list[Upstream]) -> None:
    assert front.get("/metrics").status_code == 403
    assert front.get("/readyz").status_code == 200
    assert [path for _method, path, _headers in seen(upstreams)] == ["/readyz"]
