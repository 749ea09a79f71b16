"""swarm served inside the test: a real server on a real port, and people at its doors."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import httpx2
import uvicorn
from jinja2.bccache import Bucket, BytecodeCache
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from swarm.accounts.actions import exchange, make_link, start_session
from swarm.events import NOBODY, SYSTEM, Actor
from swarm.main import build, guard
from swarm.people.queries import person_actor
from swarm.settings import Settings, load
from swarm.store import Store, Work
from swarm.store.instance import ensure
from swarm.web.house import House
from tests.support.backends import Backend
from tests.support.processes import listen

T = TypeVar("T")
PATIENCE = 10.0
"""Seconds after which a test no longer waits for something that should have come."""


class Compiled(BytecodeCache):
    """Templates as bytecode, for every site of this process: compiling them is half of a first page."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if kept := self._kept.get(bucket.key):
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


class Clock:
    """The time in this test: runs by itself, and can be moved on."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def move(self, **ahead: float) -> None:
        """Let `days=8` or `minutes=5` go by."""
        self._ahead += timedelta(**ahead)


@dataclass
class Site:
    """A served swarm over one backend."""

    settings: Settings
    store: Store
    clock: Clock
    url: str
    app: Any
    visitors: list[Visitor] = field(default_factory=list)

    def do(self, do: Callable[[Work], T], actor: Actor = SYSTEM) -> T:
        """One transaction as `actor`, beside the doors."""
        return self.store.write_now(actor, do)

    def look(self, do: Callable[[Work], T], actor: Actor = SYSTEM) -> T:
        """One snapshot as `actor`, beside the doors."""
        return self.store.read_now(actor, do)

    def person(self, person_id: int) -> Visitor:
        """A browser in which this person is signed in."""
        secret = self.do(lambda work: start_session(work, person_id, days=14, idle_hours=12))
        actor = self.look(lambda work: person_actor(work.session, person_id))
        return self._visitor({"session": secret}, actor)

    def customer(self, ticket_id: int) -> Visitor:
        """A browser that exchanged a link to this ticket for a cookie."""

        def enter(work: Work) -> str:
            from swarm.tickets.models import Ticket

            customer_id = work.session.get_one(Ticket, ticket_id).customer_id
            assert customer_id is not None
            return exchange(work, make_link(work, ticket_id, customer_id, 7), None, 60)[1]

        return self._visitor({"case": self.do(enter)}, NOBODY)

    def stranger(self) -> Visitor:
        """A browser that knows nobody."""
        return self._visitor({}, NOBODY)

    def _visitor(self, cookies: Mapping[str, str], actor: Actor) -> Visitor:
        made = Visitor(self, actor, httpx2.Client(base_url=self.url, timeout=PATIENCE, verify=False))
        for name, value in cookies.items():
            made.http.cookies.set(name, value)
        self.visitors.append(made)
        return made


@dataclass
class Visitor:
    """A browser without script: gets pages, sends forms, and can hold a socket."""

    site: Site
    actor: Actor
    http: httpx2.Client

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """A page as it is; redirects are not followed."""
        return self.http.get(path, headers={"Accept": "text/html", **headers})

    def post(self, path: str, form: Mapping[str, Any] | None = None, **headers: str) -> httpx2.Response:
        """A form as a browser sends it from a page of ours."""
        # httpx sends no type with an empty form; browsers do.
        kind = {} if form else {"Content-Type": "application/x-www-form-urlencoded"}
        usual = {"Accept": "text/html", "Origin": self.site.url, **kind}
        return self.http.post(path, data=dict(form or {}), headers={**usual, **headers})

    def say(self, ticket_id: int, lane: str, body: str, client_id: str = "") -> httpx2.Response:
        """A message in a lane, through the form."""
        return self.post(
            f"/tickets/{ticket_id}/{lane}/messages",
            {"body": body, "client_id": client_id or secrets.token_hex(8)},
        )

    @contextmanager
    def socket(
        self, watch: Mapping[str, int] | None = None, path: str = "/live", *, form: str = "html"
    ) -> Iterator[Wire]:
        """A live connection; `watch` says from which number of which streams."""
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies.jar)
        headers = {"Cookie": cookies} if cookies else {}
        with wire_to(self.site, watch or {}, path, form, headers, origin=self.site.url) as wire:
            yield wire


@contextmanager
def wire_to(
    site: Site,
    watch: Mapping[str, int],
    path: str,
    form: str,
    headers: Mapping[str, str],
    origin: str | None = None,
) -> Iterator[Wire]:
    """A live connection with these headers, its hello read; `form` is html or json."""
    with connect(
        site.url.replace("http", "ws") + path,
        subprotocols=[Subprotocol(f"swarm.{form}.1")],
        origin=None if origin is None else Origin(origin),
        additional_headers=headers,
        compression=None,
        open_timeout=PATIENCE,
    ) as connection:
        wire = Wire(connection)
        hello = wire.until(lambda frame: frame["t"] == "hello")
        if watch:
            wire.send({"t": "watch", "epoch": hello["epoch"], "streams": dict(watch)})
        yield wire


@dataclass
class Wire:
    """The frames of one socket, all kept."""

    connection: ClientConnection
    frames: list[dict[str, Any]] = field(default_factory=list)

    def send(self, frame: Mapping[str, Any]) -> None:
        """One frame, as JSON."""
        self.connection.send(json.dumps(frame))

    def until(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next frame that fits; waits for it. Raises `TimeoutError`."""
        while True:
            frame: dict[str, Any] = json.loads(self.connection.recv(timeout=PATIENCE))
            self.frames.append(frame)
            if fits(frame):
                return frame

    def event(self, kind: str, stream: str = "") -> dict[str, Any]:
        """The next event of this kind."""
        return self.until(
            lambda frame: (
                frame["t"] == "event" and frame["k"] == kind and (not stream or frame["s"] == stream)
            )
        )


@contextmanager
def serve_site(backend: Backend, host: str = "127.0.0.1", **settings: str) -> Iterator[Site]:
    """Serve swarm over the backend until the block ends; `settings` as `tickets__reopen_days="3"`."""
    listening = listen(host)
    port = listening.getsockname()[1]
    url = f"http://{host}:{port}"
    own = {f"SWARM_{name.upper()}": value for name, value in settings.items()}
    home = TemporaryDirectory(prefix="swarm-files-", ignore_cleanup_errors=True)
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SWARM_")},
        **backend.env,
        "SWARM_SERVER__PORT": str(port),
        "SWARM_SERVER__BASE_URL": url,
        "SWARM_LIVE__DRAIN_SECONDS": "0",
        "SWARM_FILES__FOLDER": home.name,
        "SWARM_LIMITS__SIGN_IN_PER_MINUTE": "1000",
        "SWARM_LIMITS__OPENING_PER_MINUTE": "1000",
        "SWARM_LIMITS__LINKS_PER_MINUTE": "1000",
        "SWARM_LIMITS__API_PER_MINUTE": "100000",
        **own,
    }
    loaded, clock = load(environ), Clock()
    app = build(loaded, clock=clock)
    house: House = app.state.house
    house.render.environment.bytecode_cache = COMPILED
    store = house.store
    store.write_now(SYSTEM, ensure)
    server = uvicorn.Server(
        uvicorn.Config(
            guard(app),
            ws="swarm.live.protocol:Protocol",
            ws_per_message_deflate=False,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
    )
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    ready = threading.Event()
    plain_startup = server.startup

    async def startup(sockets: Any = None) -> None:
        await plain_startup(sockets)
        ready.set()

    server.startup = startup  # type: ignore[method-assign]
    site = Site(loaded, store, clock, url, app)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
    thread.start()
    try:
        assert ready.wait(PATIENCE), "swarm did not start"
        yield site
    finally:
        for visitor in site.visitors:
            visitor.http.close()
        server.should_exit = True
        thread.join(PATIENCE)
        listening.close()
        store.close()
        home.cleanup()


def text_of(html: str) -> str:
    """What a reader sees of a page, roughly."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
