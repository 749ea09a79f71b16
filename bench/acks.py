"""Messages acknowledged in a second over many rooms, beside our own path with one commit for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bench.databases import SMALL, Databases
from bench.deliveries import said
from bench.figures import Figure, at_least, median, ms
from bench.serving import NO_LIMITS, Server, sign_in, swarm_server
from swarm.events import NOBODY
from swarm.store import Store
from swarm.tickets.models import Ticket

ROOMS = 100
IN_FLIGHT = 4
BYTES = 400
SECONDS, WARM = 4.0, 1.0
RUNS = 3


def measure(databases: Databases, home: Path) -> Iterator[Figure]:
    """The owner of each ticket writes in its room, so many at a time."""
    database = databases.filled(SMALL)
    rooms = _rooms(database)
    alone = Server(
        home, "bench.swarm_server", "one-commit-each", env={**NO_LIMITS, "SWARM_DATABASE_URL": database}
    )
    wanted = {
        "do": "acks",
        "rooms": rooms,
        "bytes": BYTES,
        "in_flight": IN_FLIGHT,
        "seconds": SECONDS,
        "warm": WARM,
    }
    runs: dict[str, list[dict[str, float]]] = {"ours": [], "alone": []}
    for _again in range(RUNS):
        # One after the other: two that write to one SQLite file would wait for each other.
        with alone:
            runs["alone"].append(said(alone, wanted, None))
        with swarm_server(home, database) as ours:
            runs["ours"].append(said(ours, wanted, None))
    mine, theirs = (median([run["per_second"] for run in runs[who]]) for who in ("ours", "alone"))
    promised, kept = at_least(mine / theirs, 4.0)
    yield Figure(
        what=f"messages acknowledged a second, {ROOMS} rooms, {IN_FLIGHT} in flight in each",
        ours=f"{mine:,.0f}",
        reference=f"{theirs:,.0f}",
        ratio=mine / theirs,
        promised=promised,
        kept=kept,
    )

    mine, theirs = (median([run["server_cpu"] for run in runs[who]]) for who in ("ours", "alone"))
    yield Figure(
        what="  server's processor for one of them",
        ours=f"{ms(mine)} ms",
        reference=f"{ms(theirs)} ms",
        ratio=mine / theirs,
    )


def _rooms(database: str) -> list[dict[str, Any]]:
    store = Store(database)
    try:
        found = store.read_now(
            NOBODY,
            lambda work: work.session.execute(
                select(Ticket.id, Ticket.owner_id)
                .where(Ticket.mode == "tierless", Ticket.status == "open", Ticket.queued_for.is_(None))
                .order_by(Ticket.id)
                .limit(ROOMS)
            ).all(),
        )
    finally:
        store.close()
    assert len(found) == ROOMS, "too few open tickets"
    cookies = sign_in(database, [owner for _ticket, owner in found])
    return [
        {"stream": f"room:{ticket}", "cookie": cookie}
        for (ticket, _owner), cookie in zip(found, cookies, strict=True)
    ]
