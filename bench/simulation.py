"""What people wait for when many workers write to one PostgreSQL: `python -m bench.simulation`.

Each worker commits one turn at a time; what comes meanwhile goes into the next. A turn of n messages needs
`TURN + n * EACH` of one of the database's processors, in so many round trips, and one flush that all share.
Arithmetic says how many messages the processors can take; this says what people feel on the way there.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

TURN, EACH = 0.0007, 0.00005
"""Seconds of a database processor for a turn and for each message in it, as docs/scaling.md measured them."""
TRIPS = 0.00025
"""Seconds of a turn spent on the way: one round trip."""
FLUSH = 0.0010
"""Seconds of a flushed commit."""
SECONDS = 20.0


@dataclass
class _Worker:
    waiting: deque[float] = field(default_factory=deque)
    busy: bool = False


def simulate(
    *, workers: int, processors: int, per_second: float, seed: int = 1
) -> tuple[float, float, float]:
    """Seconds that the middle message and one in a hundred wait, and the share of the processors in use."""
    dice = random.Random(seed)
    house = [_Worker() for _each in range(workers)]
    free, line = processors, deque[int]()
    taken: dict[int, list[float]] = {}
    waits: list[float] = []
    used = 0.0
    events: list[tuple[float, int, str, int]] = [(dice.expovariate(per_second), 0, "message", 0)]
    count = 1

    def at(when: float, what: str, place: int) -> None:
        nonlocal count
        heapq.heappush(events, (when, count, what, place))
        count += 1

    def begin(now: float, place: int) -> None:
        nonlocal free, used
        if not free:
            line.append(place)
            return
        free -= 1
        cost = TURN + EACH * len(taken[place])
        used += cost
        at(now + cost, "worked", place)

    def commit(now: float, place: int) -> None:
        worker = house[place]
        worker.busy = bool(worker.waiting)
        if worker.busy:
            taken[place] = list(worker.waiting)
            worker.waiting.clear()
            at(now + TRIPS, "asked", place)

    while events:
        now, _count, what, place = heapq.heappop(events)
        if now > SECONDS:
            break
        if what == "message":
            at(now + dice.expovariate(per_second), "message", 0)
            chosen = dice.randrange(workers)
            house[chosen].waiting.append(now)
            if not house[chosen].busy:
                commit(now, chosen)
        elif what == "asked":
            begin(now, place)
        elif what == "worked":
            free += 1
            if line:
                begin(now, line.popleft())
            at(now + FLUSH * dice.uniform(0.5, 1.5), "flushed", place)
        else:
            waits += (now - came for came in taken.pop(place))
            commit(now, place)
    waits.sort()
    return waits[len(waits) // 2], waits[len(waits) * 99 // 100], used / (SECONDS * processors)


def main() -> None:
    """Print the waits for a few sizes."""
    table = Table(
        "workers", "database processors", "messages a second", "p50", "p99", "processors in use", box=None
    )
    for workers, processors in ((2, 2), (8, 8), (32, 16), (128, 32)):
        for share in (0.1, 0.5, 0.8, 0.95):
            # What the processors could take if every turn held one message a millisecond of work.
            most = processors / (EACH + TURN / 20)
            waits = simulate(workers=workers, processors=processors, per_second=share * most)
            table.add_row(
                f"{workers}",
                f"{processors}",
                f"{share * most:,.0f}",
                f"{waits[0] * 1e3:.1f} ms",
                f"{waits[1] * 1e3:.1f} ms",
                f"{waits[2]:.0%}",
            )
    Console(width=118).print(table)


if __name__ == "__main__":
    main()
