"""What runs by the clock: every so many seconds, one transaction each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from swarm.files.shelf import Shelf
from swarm.files.storages import shelf_of
from swarm.outbound import deliveries, queue
from swarm.rooms.asking import expire
from swarm.rooms.guests import expire_guests
from swarm.settings import Settings
from swarm.store import Work
from swarm.tickets.actions import close_resolved
from swarm.tickets.attaching import condemn, strike

_log = structlog.get_logger(__name__)
LETTERS_KEPT = 90
"""Days for which it is known that a letter went, and when."""
Run = Callable[[Work], object]
"""What it returns is called after the commit, if it can be: for what takes longer than a transaction may."""


class Sweep:
    """Loose files go: their bytes first, outside the transaction, and in the next run their rows.

    So a row without bytes is swept again, and bytes without a row there are never.
    """

    def __init__(self, shelf: Shelf, hours: int) -> None:
        self._shelf, self._hours = shelf, hours
        self._gone: list[str] = []

    def __call__(self, work: Work) -> Callable[[], None]:
        gone, self._gone = self._gone, []
        strike(work, gone)
        return partial(self._forget, condemn(work, self._hours))

    def _forget(self, tokens: Sequence[str]) -> None:
        for token in tokens:
            try:
                self._shelf.forget(token)
            except OSError as failure:
                # All others would only wait as long.
                _log.warning("files_not_swept", why=str(failure), left=len(tokens) - len(self._gone))
                return
            self._gone.append(token)


def schedule(settings: Settings, shelf: Shelf | None = None) -> Mapping[str, tuple[float, Run]]:
    """Name → seconds between two runs, and what runs; safe to repeat, by one worker at a time."""
    return {
        "expire_asks": (10.0, lambda work: expire(work, settings.asks.answer_minutes)),
        "expire_guests": (10.0, expire_guests),
        "forget_deliveries": (600.0, lambda work: deliveries.forget(work, settings.webhooks.keep_days)),
        "forget_letters": (600.0, lambda work: queue.forget(work, LETTERS_KEPT)),
        "sweep_files": (300.0, Sweep(shelf or shelf_of(settings.files), settings.files.keep_hours)),
        "close_resolved": (60.0, lambda work: close_resolved(work, settings.tickets.reopen_days)),
    }
