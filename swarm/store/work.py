"""One transaction: who acts, when, and what happened in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from swarm.events import Actor, Event
from swarm.store import log

Row = TypeVar("Row")
AtOnce = Mapping[type[Event], Sequence[Callable[["Work", Any], None]]]
"""Event → what must follow in the same transaction."""

SHARED = ("person:", "team:", "house:")
"""Streams that transactions about different tickets write to."""


class Work:
    """A transaction in progress; committed at the edge, never inside an action."""

    __slots__ = ("_at_once", "_later", "actor", "now", "recorded", "session")

    def __init__(self, session: Session, actor: Actor, now: datetime, at_once: AtOnce) -> None:
        self.session = session
        self.actor = actor
        self.now = now
        self.recorded: list[log.Entry] = []
        self._later: list[tuple[str, Event, Actor, datetime]] = []
        self._at_once = at_once

    def record(
        self, stream: str, event: Event, *, by: Actor | None = None, at: datetime | None = None
    ) -> int:
        """Put the event on the stream and let follow what must; returns its number, 0 on a shared stream.

        Raises `ValueError` when something internal is about to enter a customer's lane.
        """
        if stream.startswith(SHARED):
            self._later.append((stream, event, by or self.actor, at or self.now))
            self._follow(event)
            return 0
        return self.record_all(stream, 1, lambda _numbers: [event], by=by, at=at)[0]

    def finish(self) -> None:
        """Number what goes to streams that many tickets share: last, and in order of their keys."""
        # Everybody takes these locks in one order and holds them for a moment: no deadlock.
        for stream, event, by, at in sorted(self._later, key=lambda late: late[0]):
            self.recorded += [log.append(self.session, stream, event, by.key, at)]
        self._later.clear()

    def record_all(
        self,
        stream: str,
        count: int,
        make: Callable[[range], Sequence[Event]],
        *,
        by: Actor | None = None,
        at: datetime | None = None,
    ) -> range:
        """Put on the stream what `make` puts under its next `count` numbers; raises like `record`."""

        def made(numbers: range) -> Sequence[Event]:
            events = make(numbers)
            for event in events:
                if stream.startswith("lane:") and event.audience != "customer":
                    raise ValueError(f"{event.kind} is internal and cannot stand in {stream}")
            return events

        entries = log.append_all(self.session, stream, count, made, (by or self.actor).key, at or self.now)
        self.recorded += entries
        for entry in entries:
            self._follow(entry.event)
        return range(entries[0].seq, entries[-1].seq + 1)

    def _follow(self, event: Event) -> None:
        for follow in self._at_once.get(type(event), ()):
            follow(self, event)

    def hold(self, table: type[Row], key: Any) -> Row | None:
        """The row as it stands now, locked to the end of the transaction; never what was read before."""
        self.session.flush()
        return self.session.get(table, key, with_for_update=True, populate_existing=True)
