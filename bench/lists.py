"""List pages of a large desk beside a small one's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.databases import LARGE, SMALL, Databases
from bench.figures import Figure, at_most, median, ms
from bench.rows import AGENT, MANAGER
from bench.serving import Browser, sign_in, swarm_server
from swarm.events import NOBODY
from swarm.people.queries import person_actor
from swarm.store import Store, Work
from swarm.tickets.lists import PAGE, Filters, ListName, page_of

MOST = 1.2
REQUESTS = 150
WARM = 20
PATHS: dict[ListName, str] = {"mine": "/mine", "queue": "/queue", "all": "/tickets"}
WHO = {"agent": AGENT, "manager": MANAGER}


def measure(databases: Databases, home: Path) -> Iterator[Figure]:
    """Every list, as agent and as manager, its first page and one far down."""
    urls = [databases.filled(size) for size in (SMALL, LARGE)]
    with swarm_server(home, urls[0]) as small, swarm_server(home, urls[1]) as large:
        for who, id_ in WHO.items():
            browsers = [
                Browser(server.port, sign_in(url, [id_])[0])
                for server, url in zip((small, large), urls, strict=True)
            ]
            for name, path in PATHS.items():
                if (name, id_) == ("mine", MANAGER):
                    # Managers own nothing here.
                    continue
                deep = [f"{path}?cursor={_far_down(url, id_, name)}" for url in urls]
                yield _figure(f"{name}, {who}, first page", browsers, [path, path])
                yield _figure(f"{name}, {who}, deep page", browsers, deep)
            for browser in browsers:
                browser.close()


def _figure(what: str, browsers: list[Browser], paths: list[str]) -> Figure:
    taken: list[list[float]] = [[], []]
    rows: list[int] = [0, 0]
    for turn in range(WARM + REQUESTS):
        # Both in turn, so that whatever else the machine does falls on both.
        for place in (0, 1) if turn % 2 else (1, 0):
            seconds, page = browsers[place].get(paths[place])
            rows[place] = page.count(b"<time")
            if turn >= WARM:
                taken[place].append(seconds)
    small, large = median(taken[0]), median(taken[1])
    if rows[0] != rows[1]:
        raise RuntimeError(f"{what}: {rows[0]} and {rows[1]} times on the two pages cannot be compared")
    promised, kept = at_most(large / small, MOST)
    return Figure(
        what=what,
        ours=f"{ms(large)} ms",
        reference=f"{ms(small)} ms",
        ratio=large / small,
        promised=promised,
        kept=kept,
    )


def _far_down(database: str, person: int, name: ListName) -> str:
    """The cursor of a whole page that begins at nine tenths of the list, or as far down as there is one."""
    store = Store(database)

    def look(work: Work) -> str:
        actor = person_actor(work.session, person)
        count = len(page_of(work.session, actor, name, Filters(), limit=LARGE).rows)
        before = min(count * 9 // 10, count - PAGE - 1)
        cursor = page_of(work.session, actor, name, Filters(), limit=before).next
        assert cursor is not None
        return cursor

    try:
        return store.read_now(NOBODY, look)
    finally:
        store.close()
