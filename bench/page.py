"""The ticket's screen, beside a bare route that returns the same bytes from a template."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.databases import SMALL, Databases
from bench.figures import Figure, median, milliseconds
from bench.rows import LINES, LONG
from bench.serving import Browser, Server, sign_in, swarm_server
from swarm.events import NOBODY
from swarm.store import Store
from swarm.tickets.models import Ticket

REQUESTS = 200
WARM = 20


def measure(databases: Databases, home: Path) -> Iterator[Figure]:
    """As its owner sees it: both lanes full, every form there is."""
    database = databases.filled(SMALL)
    store = Store(database)
    owner = store.read_now(NOBODY, lambda work: work.session.get_one(Ticket, LONG).owner_id)
    store.close()
    with swarm_server(home, database) as ours:
        browser = Browser(ours.port, sign_in(database, [owner])[0])
        path = f"/tickets/{LONG}"
        _seconds, page = browser.get(path)
        lines = page.count(b'id="m-') + page.count(b'id="e-')
        if lines < 2 * LINES:
            raise RuntimeError(f"the page has {lines} lines, not {2 * LINES}")
        (home / "page.html").write_bytes(page)
        with Server(home, "bench.bare_page_server", str(home / "page.html")) as bare:
            plain = Browser(bare.port)
            taken: tuple[list[float], list[float]] = ([], [])
            for turn in range(WARM + REQUESTS):
                seconds = (browser.get(path)[0], plain.get("/")[0])
                if turn >= WARM:
                    taken[0].append(seconds[0])
                    taken[1].append(seconds[1])
            plain.close()
        browser.close()
    yield Figure(
        what=f"ticket page, {LINES} + {LINES} lines, {len(page) // 1024} KiB: p50 / p99",
        ours=milliseconds(taken[0]),
        reference=milliseconds(taken[1]),
        ratio=median(taken[0]) / median(taken[1]),
    )
