"""Deliveries per second to everybody in a room, beside `websockets.broadcast()`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.databases import SMALL, Databases, add
from bench.figures import Figure, at_least, median
from bench.rows import CROWDED, HIVE, Row, person
from bench.serving import CLIENT_CORE, Server, sign_in, swarm_server
from swarm.events import NOBODY
from swarm.store import Store, log
from swarm.tickets.models import Ticket

SOCKETS = 200
BYTES = 400
IN_FLIGHT = 20
MESSAGES = 1000
RUNS = 5
PATIENCE = 120.0
"""Seconds after which a run is given up: an answer that never came is a fault, not a figure."""
CROWD = range(100, 100 + SOCKETS - 1)
"""People of the team who watch; the owner of the ticket is the one who writes."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the client against one server."""

    per_second: float
    server_cpu: float
    """Share of one core."""
    client_cpu: float
    server_per_delivery: float
    """Seconds of the server's processor."""


def measure(databases: Databases, home: Path) -> Iterator[Figure]:
    """Ours stores, authorises and draws; the bare server does none of it."""
    database = databases.filled(SMALL)
    cookies = gather_crowd(database)
    with (
        swarm_server(home, database) as ours,
        Server(home, "bench.bare_broadcast_server") as bare,
    ):
        runs: dict[str, list[Run]] = {"ours": [], "bare": []}
        for _again in range(RUNS):
            runs["bare"].append(_run(bare, {}))
            runs["ours"].append(_run(ours, watched(database) | {"cookies": cookies}))
    mine, theirs = (median([run.per_second for run in runs[who]]) for who in ("ours", "bare"))
    promised, kept = at_least(mine / theirs, 1.0)
    yield Figure(
        what=f"deliveries a second, {SOCKETS} sockets, {BYTES} bytes, {IN_FLIGHT} in flight",
        ours=f"{mine:,.0f}",
        reference=f"{theirs:,.0f}",
        ratio=mine / theirs,
        promised=promised,
        kept=kept,
    )
    for what, field in (("server", "server_cpu"), ("client", "client_cpu")):
        shares = [median([getattr(run, field) for run in runs[who]]) for who in ("ours", "bare")]
        yield Figure(
            what=f"  core of the {what} in use", ours=f"{shares[0]:.0%}", reference=f"{shares[1]:.0%}"
        )
    cost = [median([run.server_per_delivery for run in runs[who]]) for who in ("ours", "bare")]
    yield Figure(
        what="  server's processor for one delivery",
        ours=f"{cost[0] * 1e6:.1f} µs",
        reference=f"{cost[1] * 1e6:.1f} µs",
        ratio=cost[0] / cost[1],
    )


def gather_crowd(database: str) -> list[str]:
    """Cookies of everybody who may watch the crowded room; the first may write in it."""
    add(database, _crowd())
    store = Store(database)
    owner = store.read_now(NOBODY, lambda work: work.session.get_one(Ticket, CROWDED).owner_id)
    store.close()
    return sign_in(database, [owner, *CROWD])


def watched(database: str) -> dict[str, Any]:
    """The crowded room as a page that has just been loaded knows it."""
    stream = f"room:{CROWDED}"
    store = Store(database)
    try:
        return store.read_now(
            NOBODY,
            lambda work: {
                "stream": stream,
                "shown": log.heads(work.session, [stream])[stream],
                "epoch": log.epoch(work.session),
            },
        )
    finally:
        store.close()


def _crowd() -> Iterator[Row]:
    for id_ in CROWD:
        yield person(id_)
    for id_ in CROWD:
        yield "memberships", {"team_id": HIVE, "person_id": id_, "rung": 1}


def _run(server: Server, room: dict[str, Any]) -> Run:
    wanted = {
        "port": server.port,
        "pid": server.pid,
        "core": CLIENT_CORE,
        "sockets": SOCKETS,
        "bytes": BYTES,
        "messages": MESSAGES,
        "in_flight": IN_FLIGHT,
        **room,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.socket_swarm_client"],
        input=json.dumps(wanted),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    said = json.loads(done.stdout)
    deliveries, seconds, used = said["deliveries"], said["seconds"], said["server_cpu"]
    return Run(deliveries / seconds, used / seconds, said["client_cpu"] / seconds, used / deliveries)
