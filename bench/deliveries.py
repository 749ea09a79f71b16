"""What sockets cost beside `websockets.broadcast()`: deliveries, delay, memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.databases import SMALL, Databases, add
from bench.disk import flushes
from bench.figures import Figure, at_least, at_most, median, ms, p99
from bench.rows import CROWDED, HIVE, Row, person
from bench.serving import CLIENT_CORE, Server, sign_in, swarm_server
from swarm.events import NOBODY
from swarm.store import Store, log
from swarm.tickets.models import Ticket

SOCKETS = 200
BYTES = 400
IN_FLIGHT = 20
MESSAGES = 10_000
"""A run of 2,000 is over within a second, most of which is its beginning and its end."""
WARM = 500
RUNS = 5
PER_SECOND = 50
PACED = 1_000
"""One flush in a thousand may last a tenth of a second, and seven messages wait for it."""
FIRST, MORE = 200, 2000
SETTLE = 3.0
"""Seconds in which what only connecting needs is given back."""
FULL = 0.95
"""A core that is busier than this is the limit."""
PATIENCE = 120.0
"""Seconds after which a run is given up: an answer that never came is a fault, not a figure."""
CROWD = range(100, 100 + SOCKETS - 1)
"""People of the team who watch; the owner of the ticket is the one who writes."""


def measure(databases: Databases, home: Path) -> Iterator[Figure]:
    """Ours stores, authorises and draws; the bare server does none of it."""
    database = databases.filled(SMALL)
    cookies = gather_crowd(database)

    def room() -> dict[str, Any]:
        return watched(database) | {"cookies": cookies}

    with (
        swarm_server(home, database) as ours,
        Server(home, "bench.bare_broadcast_server") as bare,
    ):
        flood = {"do": "flood", "sockets": SOCKETS, "bytes": BYTES, "in_flight": IN_FLIGHT}
        for server, its in ((bare, None), (ours, room())):
            said(server, {**flood, "messages": WARM}, its)
        runs: dict[str, list[dict[str, float]]] = {"ours": [], "bare": []}
        for _again in range(RUNS):
            runs["bare"].append(said(bare, {**flood, "messages": MESSAGES}, None))
            runs["ours"].append(said(ours, {**flood, "messages": MESSAGES}, room()))
        yield from _flooded(runs)
        paced = {
            "do": "paced",
            "sockets": SOCKETS,
            "bytes": BYTES,
            "per_second": PER_SECOND,
            "messages": PACED,
            "warm": PER_SECOND,
        }
        delays: dict[str, list[dict[str, float]]] = {"ours": [], "bare": []}
        disk: list[float] = []
        for _again in range(RUNS):
            delays["bare"].append(said(bare, paced, None))
            delays["ours"].append(said(ours, paced, room()))
            disk += flushes(home, PACED // RUNS, PER_SECOND)
        yield from _delayed(delays)
        yield Figure(
            what="  a flush of the disk itself: p50, p99, most",
            ours="",
            reference=f"{ms(median(disk))} / {ms(p99(disk))} / {ms(max(disk))} ms",
        )
    with (
        swarm_server(home, database) as ours,
        Server(home, "bench.bare_broadcast_server") as bare,
    ):
        idle = {"do": "idle", "first": FIRST, "sockets": MORE, "settle": SETTLE}
        mine, theirs = (said(server, idle, its)["bytes"] for server, its in ((ours, room()), (bare, None)))
    promised, kept = at_most(mine / theirs, 2.0)
    yield Figure(
        what=f"memory of an idle connection, the {FIRST + 1}st to the {FIRST + MORE}th",
        ours=f"{mine / 1024:.1f} KiB",
        reference=f"{theirs / 1024:.1f} KiB",
        ratio=mine / theirs,
        promised=promised,
        kept=kept,
    )


def _flooded(runs: Mapping[str, list[dict[str, float]]]) -> Iterator[Figure]:
    def middle(who: str, field: str, over: str) -> float:
        return median([run[field] / run[over] for run in runs[who]])

    mine, theirs = (middle(who, "deliveries", "seconds") for who in ("ours", "bare"))
    cost = [middle(who, "server_cpu", "deliveries") for who in ("ours", "bare")]
    busy = median([run["client_core"] for run in runs["ours"]])
    # Where the client's core has nothing left, it is the server's processor that can be compared.
    limited = busy > FULL
    promised, kept = at_least(cost[1] / cost[0] if limited else mine / theirs, 5.0)
    yield Figure(
        what=f"deliveries a second, {SOCKETS} sockets, {BYTES} bytes, {IN_FLIGHT} in flight",
        ours=f"{mine:,.0f}",
        reference=f"{theirs:,.0f}",
        ratio=mine / theirs,
        promised="" if limited else promised,
        kept=limited or kept,
    )
    yield Figure(
        what="  deliveries for a second of the server's processor",
        ours=f"{1 / cost[0]:,.0f}",
        reference=f"{1 / cost[1]:,.0f}",
        ratio=cost[1] / cost[0],
        promised=promised if limited else "",
        kept=kept or not limited,
    )
    for what, field, over in (
        ("server's process", "server_cpu", "seconds"),
        ("client's process", "client_cpu", "seconds"),
    ):
        shares = [middle(who, field, over) for who in ("ours", "bare")]
        yield Figure(what=f"  core used by the {what}", ours=f"{shares[0]:.0%}", reference=f"{shares[1]:.0%}")
    theirs_busy = median([run["client_core"] for run in runs["bare"]])
    yield Figure(
        what="  client's core in use, by anybody", ours=f"{busy:.0%}", reference=f"{theirs_busy:.0%}"
    )


def _delayed(delays: Mapping[str, list[dict[str, float]]]) -> Iterator[Figure]:
    for name, promise in (("p50", None), ("p99", 3.0)):
        mine, theirs = (median([run[name] for run in delays[who]]) for who in ("ours", "bare"))
        promised, kept = ("", True) if promise is None else at_most(mine / theirs, promise)
        yield Figure(
            what=f"  {PER_SECOND} messages a second: {name} from send to receipt",
            ours=f"{ms(mine)} ms",
            reference=f"{ms(theirs)} ms",
            ratio=mine / theirs,
            promised=promised,
            kept=kept,
        )

    mine, theirs = (median([run["server_cpu"] for run in delays[who]]) for who in ("ours", "bare"))
    yield Figure(
        what=f"  server's processor for one of them, to {SOCKETS}",
        ours=f"{ms(mine)} ms",
        reference=f"{ms(theirs)} ms",
        ratio=mine / theirs,
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


def said(server: Server, wanted: Mapping[str, Any], room: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the client says after doing that to the server, from its own core."""
    asked = {"port": server.port, "pid": server.pid, "core": CLIENT_CORE, "room": room, **wanted}
    done = subprocess.run(
        [sys.executable, "-m", "bench.client"],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _crowd() -> Iterator[Row]:
    for id_ in CROWD:
        yield person(id_)
    for id_ in CROWD:
        yield "memberships", {"team_id": HIVE, "person_id": id_, "rung": 1}
