"""From posting a message to the frame on somebody else's screen."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from bench.databases import SMALL, Databases
from bench.deliveries import gather_crowd, watched
from bench.figures import Figure, median, milliseconds
from bench.rows import CROWDED
from bench.serving import Browser, Server, swarm_server

MESSAGES = 200
WARM = 20
BODY = "x" * 400


def measure(databases: Databases, home: Path) -> Iterator[Figure]:
    """A form over HTTP, stored and flushed, drawn, and read from another person's socket."""
    database = databases.filled(SMALL)
    writer, reader = gather_crowd(database)[:2]
    with swarm_server(home, database) as ours, Server(home, "bench.bare_broadcast_server") as bare:
        room = watched(database)
        browser = Browser(ours.port, writer)
        with (
            connect(
                f"ws://127.0.0.1:{ours.port}/live",
                origin=Origin(f"http://127.0.0.1:{ours.port}"),
                subprotocols=[Subprotocol("swarm.html.1")],
                additional_headers={"Cookie": f"session={reader}"},
                compression=None,
            ) as screen,
            connect(f"ws://127.0.0.1:{bare.port}", compression=None) as one,
            connect(f"ws://127.0.0.1:{bare.port}", compression=None) as other,
        ):
            screen.send(
                json.dumps({"t": "watch", "epoch": room["epoch"], "streams": {room["stream"]: room["shown"]}})
            )
            _until(screen, "caught_up")

            def post() -> None:
                # The answer comes after the commit; the frame may be there before it is read.
                form = urlencode({"body": BODY, "client_id": secrets.token_hex(8)}).encode()
                browser.post(f"/tickets/{CROWDED}/room/messages", form)
                _until(screen, "event")

            def send() -> None:
                one.send(BODY)
                other.recv()

            ours_took, bare_took = _times(post, send)
        browser.close()
    (flushed,) = _times(_flusher(home / "flushed.db"))
    yield Figure(
        what="post to shown: p50 / p99; beside bare send to receive",
        ours=milliseconds(ours_took),
        reference=milliseconds(bare_took),
        ratio=median(ours_took) / median(bare_took),
    )
    yield Figure(
        what="  beside one flushed SQLite commit of one row",
        ours=milliseconds(ours_took),
        reference=milliseconds(flushed),
        ratio=median(ours_took) / median(flushed),
    )


def _times(*what: Callable[[], None]) -> list[list[float]]:
    taken: list[list[float]] = [[] for _ in what]
    for turn in range(WARM + MESSAGES):
        for place, do in enumerate(what):
            began = time.perf_counter()
            do()
            if turn >= WARM:
                taken[place].append(time.perf_counter() - began)
    return taken


def _until(screen: ClientConnection, kind: str) -> None:
    while json.loads(screen.recv(timeout=30))["t"] != kind:
        pass


def _flusher(path: Path) -> Callable[[], None]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE said (id INTEGER PRIMARY KEY, body TEXT)")

    def commit() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO said (body) VALUES (?)", [BODY])
        connection.execute("COMMIT")

    return commit
