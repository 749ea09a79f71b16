"""What is to be sent outside, put in with the event it tells of: a row for each address that wants it.

The tables are those of swarm.outbound.models. One statement, which finds an empty table where nobody wants
anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from swarm.store.log import Entry
from swarm.store.sql import Asked, Sql

_PUT = Sql(
    """
    INSERT INTO deliveries (webhook_id, stream, seq, kind, state, created_at, next_at, tries, said)
    SELECT w.id, r.stream, r.seq, r.kind, 'waiting', :now, :now, 0, ''
    FROM rows(:rows, stream text, seq bigint, kind text) AS r
        JOIN webhook_events e ON e.kind = r.kind JOIN webhooks w ON w.id = e.webhook_id
    WHERE w.state = 'on'
    """
)
# Their numbers were taken in this transaction: the stream's last, less those of the turn that come after it.
_PUT_NEW = Sql(
    """
    INSERT INTO deliveries (webhook_id, stream, seq, kind, state, created_at, next_at, tries, said)
    SELECT w.id, r.stream, s.last_seq - r.later, e.kind, 'waiting', :now, :now, 0, ''
    FROM webhook_events e JOIN webhooks w ON w.id = e.webhook_id
        JOIN rows(:rows, stream text, later int) AS r ON true JOIN streams s ON s.key = r.stream
    WHERE e.kind = :kind AND w.state = 'on'
    """
)


def put(entries: Sequence[Entry], now: datetime) -> Asked:
    """Entries whose numbers are known."""
    return _PUT, {"rows": [[one.stream, one.seq, one.kind] for one in entries], "now": now}


def put_new(kind: str, rows: Sequence[tuple[str, int]], now: datetime) -> Asked:
    """Events of one kind, numbered before it in the same round trip: stream, and how many come after."""
    return _PUT_NEW, {"rows": [list(row) for row in rows], "kind": kind, "now": now}
