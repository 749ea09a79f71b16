"""What runs by the clock: every so many seconds, one transaction each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from swarm.files.shelf import Shelf
from swarm.outbound import deliveries, queue
from swarm.rooms.asking import expire
from swarm.rooms.guests import expire_guests
from swarm.settings import Settings
from swarm.store import Work
from swarm.tickets.actions import close_resolved
from swarm.tickets.attaching import sweep

LETTERS_KEPT = 90
"""Days for which it is known that a letter went, and when."""
Run = Callable[[Work], object]


def schedule(settings: Settings) -> Mapping[str, tuple[float, Run]]:
    """Name → seconds between two runs, and what runs; safe to repeat, by one worker at a time."""
    shelf = Shelf(Path(settings.files.folder))

    def sweep_files(work: Work) -> None:
        shelf.sweep()
        sweep(work, settings.files.keep_hours, shelf.forget)

    return {
        "expire_asks": (10.0, lambda work: expire(work, settings.asks.answer_minutes)),
        "expire_guests": (10.0, expire_guests),
        "forget_deliveries": (600.0, lambda work: deliveries.forget(work, settings.webhooks.keep_days)),
        "forget_letters": (600.0, lambda work: queue.forget(work, LETTERS_KEPT)),
        "sweep_files": (300.0, sweep_files),
        "close_resolved": (60.0, lambda work: close_resolved(work, settings.tickets.reopen_days)),
    }
