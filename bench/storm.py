"""All connections of a worker are cut at once: how soon everybody is back, and what pages feel of it."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import select

from bench.databases import SMALL, Databases
from bench.deliveries import gather_crowd, said
from bench.figures import Figure, at_most, ms, p99
from bench.rows import CROWDED, HIVE
from bench.serving import Browser, Server, swarm_server
from swarm.events import NOBODY
from swarm.store import Store, Work, log
from swarm.tickets.models import Ticket

SOCKETS = 5000
ROOMS = 25
EVERY = 0.1
"""Seconds between two pages, and between two messages, of those who work on meanwhile."""
SETTLE = 5.0
BACK = 30.0


def measure(databases: Databases, home: Path) -> Iterator[Figure]:
    """Pages of many rooms on one worker; somebody reads pages and writes all the time."""
    database = databases.filled(SMALL)
    cookies = gather_crowd(database)
    with swarm_server(home, database) as ours:
        rooms, epoch = _rooms(database)
        ended = threading.Event()
        pages: list[float] = []
        working = threading.Thread(target=_work, args=(ours, cookies[0], ended, pages))
        working.start()
        try:
            storm = {"do": "storm", "sockets": SOCKETS, "settle": SETTLE}
            came = said(ours, storm, {"rooms": rooms, "cookies": cookies, "epoch": epoch})
        finally:
            ended.set()
            working.join()
    slowest = max(came["seconds"])
    promised, kept = at_most(slowest, BACK)
    yield Figure(
        what=f"{SOCKETS} sockets cut at once, twice: seconds until all are caught up",
        ours=" and ".join(f"{seconds:.1f}" for seconds in came["seconds"]),
        reference="",
        promised=promised.replace(" ×", " s"),
        kept=kept and came["lost"] == 0,
    )
    promised, kept = at_most(p99(pages), 1.0)
    yield Figure(
        what=f"  pages meanwhile: p50 / p99 / slowest of {len(pages)}",
        ours=f"{ms(sorted(pages)[len(pages) // 2])} / {ms(p99(pages))} / {ms(max(pages))} ms",
        reference="",
        promised=promised.replace(" ×", " s"),
        kept=kept,
    )
    first, second = came["memory"]
    promised, kept = at_most(second / first, 1.05)
    yield Figure(
        what="  memory after the second storm; reference: after the first",
        ours=f"{second / 2**20:.1f} MiB",
        reference=f"{first / 2**20:.1f} MiB",
        ratio=second / first,
        promised=promised,
        kept=kept,
    )
    yield Figure(
        what="  connections tried for each socket",
        ours=" and ".join(f"{tries:.2f}" for tries in came["tries"]),
        reference="",
    )


def _rooms(database: str) -> tuple[list[tuple[str, int]], str]:
    def look(work: Work) -> tuple[list[tuple[str, int]], str]:
        found = work.session.scalars(
            select(Ticket.id)
            .where(Ticket.team_id == HIVE, Ticket.mode == "tierless", Ticket.id != CROWDED)
            .order_by(Ticket.id)
            .limit(ROOMS - 1)
        )
        streams = [f"room:{CROWDED}", *(f"room:{ticket}" for ticket in found)]
        heads = log.heads(work.session, streams)
        return [(stream, heads[stream]) for stream in streams], log.epoch(work.session)

    store = Store(database)
    try:
        return store.read_now(NOBODY, look)
    finally:
        store.close()


def _work(server: Server, cookie: str, ended: threading.Event, pages: list[float]) -> None:
    """One who reads the ticket and writes in its room, all the time."""
    browser = Browser(server.port, cookie)
    # The first one finds a server that has not done this yet.
    browser.get(f"/tickets/{CROWDED}")
    while not ended.is_set():
        began = time.perf_counter()
        browser.get(f"/tickets/{CROWDED}")
        pages.append(time.perf_counter() - began)
        form = urlencode({"body": "Still here.", "client_id": secrets.token_hex(8)}).encode()
        browser.post(f"/tickets/{CROWDED}/room/messages", form)
        ended.wait(EVERY)
    browser.close()
