"""The log: streams of events, each numbered from 1 without gaps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from swarm.events import Event, load
from swarm.store.tables import EventRow, Instance, StreamRow, Table

# Made once: all facts of the house go through these two, and building a statement costs more than running it.
_KEEP = Table.metadata.tables[EventRow.__tablename__].insert()
_NUMBER = {
    name: dialect.insert(Table.metadata.tables[StreamRow.__tablename__])
    .values(key=bindparam("key"), last_seq=bindparam("count"))
    .on_conflict_do_update(
        index_elements=[StreamRow.key], set_={"last_seq": StreamRow.last_seq + bindparam("count")}
    )
    .returning(StreamRow.last_seq)
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a stream."""

    stream: str
    seq: int
    kind: str
    at: datetime
    actor: str
    data: Mapping[str, Any]

    @property
    def event(self) -> Event:
        """The fact itself."""
        return load(self.kind, self.data)


def append(session: Session, stream: str, event: Event, actor: str, at: datetime) -> Entry:
    """Give the event the stream's next number, under the stream's row lock, and keep it."""
    return append_all(session, stream, 1, lambda _numbers: [event], actor, at)[0]


def append_all(
    session: Session,
    stream: str,
    count: int,
    make: Callable[[range], Sequence[Event]],
    actor: str,
    at: datetime,
) -> list[Entry]:
    """Take the stream's next numbers, under its row lock, and keep what `make` puts under them."""
    connection = session.connection()
    number = _NUMBER[connection.dialect.name]
    last = connection.execute(number, {"key": stream, "count": count}).scalar_one()
    numbers = range(last - count + 1, last + 1)
    entries = [
        Entry(stream, seq, event.kind, at, actor, event.data())
        for seq, event in zip(numbers, make(numbers), strict=True)
    ]
    connection.execute(
        _KEEP,
        [
            {
                "stream": stream,
                "seq": entry.seq,
                "kind": entry.kind,
                "actor": actor,
                "at": at,
                "data": entry.data,
            }
            for entry in entries
        ],
    )
    return entries


def heads(session: Session, streams: Collection[str]) -> dict[str, int]:
    """The last number of each stream; 0 where nothing happened yet."""
    rows = session.execute(select(StreamRow.key, StreamRow.last_seq).where(StreamRow.key.in_(streams)))
    return dict.fromkeys(streams, 0) | dict(rows.all())


def after(session: Session, stream: str, seq: int, limit: int) -> list[Entry]:
    """What the stream says after number `seq`, in order, at most `limit` lines."""
    rows = session.scalars(
        select(EventRow)
        .where(EventRow.stream == stream, EventRow.seq > seq)
        .order_by(EventRow.seq)
        .limit(limit)
    )
    return [_entry(row) for row in rows]


def before(session: Session, stream: str, seq: int, limit: int) -> list[Entry]:
    """The `limit` lines that stand before number `seq`, in order."""
    rows = session.scalars(
        select(EventRow)
        .where(EventRow.stream == stream, EventRow.seq < seq)
        .order_by(EventRow.seq.desc())
        .limit(limit)
    )
    return [_entry(row) for row in rows][::-1]


def epoch(session: Session) -> str:
    """Which life of the database this is."""
    return session.scalars(select(Instance.epoch)).one()


def _entry(row: EventRow) -> Entry:
    return Entry(row.stream, row.seq, row.kind, row.at, row.actor, row.data)
