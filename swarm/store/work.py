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


class Work:
    """A transaction in progress; committed at the edge, never inside an action."""

    __slots__ = ("_at_once", "actor", "now", "recorded", "session")

    def __init__(self, session: Session, actor: Actor, now: datetime, at_once: AtOnce) -> None:
        self.session = session
        self.actor = actor
        self.now = now
        self.recorded: list[log.Entry] = []
        self._at_once = at_once

    def record(
        self, stream: str, event: Event, *, by: Actor | None = None, at: datetime | None = None
    ) -> int:
        """Put the event on the stream and let follow what must; returns its number.

        Raises `ValueError` when something internal is about to enter a customer's lane.
        """
        if stream.startswith("lane:") and event.audience != "customer":
            raise ValueError(f"{event.kind} is internal and cannot stand in {stream}")
        entry = log.append(self.session, stream, event, (by or self.actor).key, at or self.now)
        self.recorded.append(entry)
        for follow in self._at_once.get(type(event), ()):
            follow(self, event)
        return entry.seq

    def hold(self, table: type[Row], key: Any) -> Row | None:
        """The row as it stands now, locked to the end of the transaction; never what was read before."""
        self.session.flush()
        return self.session.get(table, key, with_for_update=True, populate_existing=True)
