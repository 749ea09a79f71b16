"""One transaction: who acts, when, and what happened in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from swarm.events import Actor, Event
from swarm.store import log, outbox
from swarm.store.log import Entry
from swarm.store.sql import Asked, Rows, together

Row = TypeVar("Row")
Last = tuple[Sequence[Asked], Callable[[Sequence[Rows]], None]]
"""Statements that go with the commit, and who is told what they returned."""
AtOnce = Mapping[type[Event], Sequence[Callable[["Work", Any], None]]]
"""Event → what must follow in the same transaction."""

SHARED = ("person:", "team:", "house:", "customer:")
"""Streams that transactions about different tickets write to."""


class Work:
    """A transaction in progress; committed at the edge, never inside an action."""

    __slots__ = ("_at_once", "_kept", "_later", "actor", "last", "now", "quiet", "recorded", "session")

    def __init__(self, session: Session, actor: Actor, now: datetime, at_once: AtOnce) -> None:
        self.session = session
        self.actor = actor
        self.now = now
        self.recorded: list[log.Entry] = []
        self.last: list[Last] = []
        """What the commit takes with it."""
        self.quiet = False
        """What is recorded is history: nobody outside is told."""
        self._kept: list[log.Entry] = []
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
        if stream.startswith("lane:") and event.audience != "customer":
            raise ValueError(f"{event.kind} is internal and cannot stand in {stream}")
        connection = self.session.connection()
        seq = log.number(connection, {stream: 1})[stream][0]
        entry = Entry(stream, seq, event.kind, at or self.now, (by or self.actor).key, event.data())
        log.keep(connection, [entry])
        self.recorded.append(entry)
        self._kept.append(entry)
        self._follow(event)
        return seq

    def record_each(self, events: Mapping[str, Event]) -> None:
        """One event on each of many tickets' streams, by two statements; nothing follows from them."""
        if not events:
            return
        assert not any(stream.startswith((*SHARED, "lane:")) for stream in events)
        connection = self.session.connection()
        numbers = log.number(connection, dict.fromkeys(events, 1))
        entries = [
            Entry(stream, numbers[stream][0], event.kind, self.now, self.actor.key, event.data())
            for stream, event in events.items()
        ]
        log.keep(connection, entries)
        self.recorded += entries

    def at_last(self, *asked: Asked, then: Callable[[Sequence[Rows]], None] = lambda _rows: None) -> None:
        """Do this last of all, on PostgreSQL in the commit's own round trip.

        `then` hears what each of them returned, in time to fill in what is announced; it can ask no more.
        """
        connection = self.session.connection()
        if connection.dialect.name == "postgresql":
            self.last.append((asked, then))
        else:
            then(together(connection, *asked))

    def finish(self) -> None:
        """Number what goes to streams that many tickets share, last and in order of keys; tell outside."""
        if self._later:
            self._number_shared()
        if self._kept and not self.quiet:
            self.session.flush()
            together(self.session.connection(), outbox.put(self._kept, self.now))

    def _number_shared(self) -> None:
        connection = self.session.connection()
        # Everybody takes these locks in one order and holds them for a moment: no deadlock.
        numbers = {
            stream: iter(its)
            for stream, its in log.number(
                connection, Counter(stream for stream, *_rest in self._later)
            ).items()
        }
        entries = [
            Entry(stream, next(numbers[stream]), event.kind, at, by.key, event.data())
            for stream, event, by, at in self._later
        ]
        log.keep(connection, entries)
        self.recorded += entries
        self._kept += entries
        self._later.clear()

    def _follow(self, event: Event) -> None:
        for follow in self._at_once.get(type(event), ()):
            follow(self, event)

    def hold(self, table: type[Row], key: Any) -> Row | None:
        """The row as it stands now, locked to the end of the transaction; never what was read before."""
        self.session.flush()
        return self.session.get(table, key, with_for_update=True, populate_existing=True)
