"""The log: streams of events, each numbered from 1 without gaps."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from swarm.events import Event, load
from swarm.store.sql import Asked, Sql, instant, together
from swarm.store.tables import EventRow, Instance, StreamRow

# Every fact of the house goes through these two, many at once where many come together.
_NUMBER = Sql(
    """
    INSERT INTO streams (key, last_seq)
    SELECT key, more FROM rows(:counts, key text, more bigint) AS c WHERE true ORDER BY key
    ON CONFLICT (key) DO UPDATE SET last_seq = streams.last_seq + excluded.last_seq
    RETURNING key, last_seq
    """
)
_KEEP = Sql(
    """
    INSERT INTO events (stream, seq, kind, actor, at, data)
    SELECT * FROM rows(:rows, stream text, seq bigint, kind text, actor text, at timestamptz, data jsonb) AS e
    """
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a stream."""

    stream: str
    seq: int
    kind: str
    at: datetime
    actor: str
    data: Mapping[str, Any]
    fresh: object = field(default=None, compare=False, repr=False)
    """What this process, which has just written it, knows of it without asking; never stored."""

    @property
    def event(self) -> Event:
        """The fact itself."""
        return load(self.kind, self.data)


def numbering(counts: Mapping[str, int]) -> Asked:
    """Takes each stream's next so many numbers under its row lock, in order of the keys: key and last one."""
    return _NUMBER, {"counts": [list(pair) for pair in counts.items()]}


def number(connection: Connection, counts: Mapping[str, int]) -> dict[str, range]:
    """Each stream's next so many numbers, as `numbering` takes them."""
    [rows] = together(connection, numbering(counts))
    return {key: range(last - counts[key] + 1, last + 1) for key, last in rows}


def keep(connection: Connection, entries: Sequence[Entry]) -> None:
    """Store entries whose numbers were taken in this transaction."""
    moments = {one.at: instant(connection, one.at) for one in entries}
    rows = [[one.stream, one.seq, one.kind, one.actor, moments[one.at], one.data] for one in entries]
    _KEEP.run(connection, rows=rows)


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


def lines(session: Session, keys: Collection[tuple[str, int]]) -> dict[tuple[str, int], Entry]:
    """Single lines, by stream and number."""
    rows = session.scalars(select(EventRow).where(tuple_(EventRow.stream, EventRow.seq).in_(keys)))
    return {(row.stream, row.seq): _entry(row) for row in rows}


def epoch(session: Session) -> str:
    """Which life of the database this is."""
    return session.scalars(select(Instance.epoch)).one()


def _entry(row: EventRow) -> Entry:
    return Entry(row.stream, row.seq, row.kind, row.at, row.actor, row.data)
