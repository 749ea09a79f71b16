"""How colleagues stand to tickets: asked for many at once, or supposed where it was asked a moment ago."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from swarm.events import Actor
from swarm.modes import Case
from swarm.store.sql import Asked, Rows, Sql

Pair = tuple[int, int]
"""Ticket and person."""
SUPPOSED = timedelta(seconds=30)
"""What was asked longer ago has moved too often: being wrong costs a round trip more than asking."""

_STANDING = """
    t.mode, t.team_id, t.status, t.tier, t.queued_for, t.owner_id, o.name, g.duty_lead_id,
    EXISTS (SELECT 1 FROM ownerships w WHERE w.ticket_id = t.id AND w.owner_id = a.person),
    (SELECT standing FROM admissions d WHERE d.ticket_id = t.id AND d.person_id = a.person),
    (SELECT max(rung) FROM tiers r WHERE r.team_id = t.team_id),
    EXISTS (
        SELECT 1 FROM memberships m JOIN people p ON p.id = m.person_id
        WHERE m.team_id = t.team_id AND m.rung = t.tier + 1 AND p.active
    )
    """
_OF = "JOIN tickets t ON t.id = a.ticket JOIN people o ON o.id = t.owner_id JOIN teams g ON g.id = t.team_id"
_ASK = Sql(
    f"SELECT a.ticket, a.person, {_STANDING} FROM rows(:pairs, ticket bigint, person bigint) AS a {_OF}"  # noqa: S608 (our own words)
)
_STILL = Sql(
    f"""
    SELECT 1 / (count(*) = :count)::int
    FROM rows(:supposed, ticket bigint, person bigint, stood jsonb) AS a {_OF}
    WHERE jsonb_build_array({_STANDING}) = a.stood
    """  # noqa: S608 (our own words)
)


class Stands(NamedTuple):
    """A ticket as somebody stands to it, and its mode."""

    case: Case
    mode: str


def asking(pairs: Collection[Pair]) -> Asked:
    """One question about all of them, whether they may know of the ticket or not."""
    return _ASK, {"pairs": [list(pair) for pair in pairs]}


def standing(rows: Rows, actors: Mapping[Pair, Actor]) -> Iterator[Stands]:
    """What the answer says; no line where there is no such ticket."""
    for ticket, person, mode, *rest in rows:
        team, status, tier, queued, owner, name, lead, owned, admitted, top, staffed = rest
        case = Case(
            actor=actors[ticket, person],
            ticket_id=ticket,
            team_id=team,
            status=status,
            tier=tier,
            top_tier=top or 1,
            queued_for=queued,
            owner_id=owner,
            owner_name=name,
            duty_lead_id=lead,
            owned_before=bool(owned),
            standing=admitted,
            staffed_above=bool(staffed),
        )
        yield Stands(case, mode)


def still(rows: Rows) -> Asked:
    """Fails where one of these answers is no longer true; on PostgreSQL."""
    supposed = [[ticket, person, rest] for ticket, person, *rest in rows]
    return _STILL, {"supposed": supposed, "count": len(supposed)}


class Remembered:
    """The last answers, by which the next ones may be supposed. Callable from any thread."""

    def __init__(self, most: int = 10_000) -> None:
        self._rows: dict[Pair, tuple[datetime, Sequence[Any]]] = {}
        self._most = most

    def supposed(self, pairs: Collection[Pair], now: datetime) -> Rows | None:
        """The answer to `asking`, if nothing has moved; none where one was not asked lately."""
        rows = [self._rows.get(pair) for pair in pairs]
        known = [row for row in rows if row is not None and row[0] > now - SUPPOSED]
        return [row for _at, row in known] if len(known) == len(rows) else None

    def remember(self, rows: Rows, now: datetime) -> None:
        """What was just asked, or found to be still so."""
        if len(self._rows) + len(rows) > self._most:
            self._rows.clear()
        self._rows.update(((row[0], row[1]), (now, row)) for row in rows)
