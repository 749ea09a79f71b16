"""What must be true of tickets, owners, asks and rooms after every step, read past the product's own code."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.support.backends import Backend
from tests.support.town import Town

Rows = Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class TicketNow:
    """A ticket's row."""

    id: int
    team: int
    owner: int
    version: int
    mode: str
    assigned_mode: str
    status: str
    tier: int
    queued_for: int | None
    has_queued_at: bool

    @property
    def unclaimed(self) -> bool:
        """Nobody has taken it: it waits in the intake, or with the tier that has it."""
        return self.queued_for in (0, self.tier)


@dataclass(frozen=True)
class Snapshot:
    """Everything in one town that a step could have changed."""

    tickets: dict[int, TicketNow]
    chains: dict[int, list[tuple[Any, ...]]]
    """Ticket → (position, owner, from)."""
    active: frozenset[int]
    teams: dict[int, tuple[Any, ...]]
    """Team → (duty lead, policy, share, version)."""
    asks: dict[int, str]
    pending: frozenset[tuple[int, int]]
    """(Ticket, person) of invitations that wait."""
    invitations: Rows
    present: frozenset[tuple[int, int]]
    admitted: dict[tuple[int, int], str]
    escalations: Rows
    """(Ticket, tier) of those that wait."""
    numbers: Rows
    """The last number of every stream."""


class Reader:
    """A connection of the test's own."""

    def __init__(self, backend: Backend) -> None:
        self._sqlite = self._postgres = None
        if backend.name == "sqlite":
            self._sqlite = sqlite3.connect(backend.database_url.removeprefix("sqlite:///"))
        else:
            url = backend.database_url.replace("+psycopg", "")
            self._postgres = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        """Let the connection go."""
        for connection in (self._sqlite, self._postgres):
            if connection is not None:
                connection.close()

    def rows(self, *queries: str) -> list[Rows]:
        """The rows of each query; in one round trip where there is one."""
        if self._sqlite is not None:
            return [self._sqlite.execute(query).fetchall() for query in queries]
        assert self._postgres is not None
        found: list[Rows] = []
        with self._postgres.execute(";".join(queries).encode()) as cursor:
            found.append(cursor.fetchall())
            while cursor.nextset():
                found.append(cursor.fetchall())
        return found

    def snapshot(self, town: Town) -> Snapshot:
        """The town as it is."""
        teams = _list(town.teams.values())
        people = _list(town.people.values())
        own = f"ticket_id IN (SELECT id FROM tickets WHERE team_id IN ({teams}))"
        tickets, chains, active, led, asks, invitations, stays, admitted, escalations, numbers = self.rows(
            "SELECT id, team_id, owner_id, owner_version, mode, assigned_mode, status, tier, queued_for, "
            f"queued_at IS NOT NULL FROM tickets WHERE team_id IN ({teams}) ORDER BY id",
            "SELECT ticket_id, position, owner_id, from_id FROM ownerships "
            f"WHERE {own} ORDER BY ticket_id, position",
            f"SELECT id FROM people WHERE id IN ({people}) AND active",
            f"SELECT id, duty_lead_id, policy, share, policy_version FROM teams WHERE id IN ({teams})",
            f"SELECT id, state FROM asks WHERE {own} ORDER BY id",
            f"SELECT id, ask_id, ticket_id, person_id, state FROM invitations WHERE {own} ORDER BY id",
            f"SELECT ticket_id, person_id FROM stays WHERE {own} AND left_at IS NULL",
            f"SELECT ticket_id, person_id, standing FROM admissions WHERE {own}",
            f"SELECT ticket_id, to_tier FROM escalations WHERE {own} AND ended_at IS NULL ORDER BY id",
            "SELECT key, last_seq FROM streams WHERE key IN ("
            + ", ".join(f"'person:{id_}'" for id_ in town.people.values())
            + ", "
            + ", ".join(f"'team:{id_}'" for id_ in town.teams.values())
            + f") OR key IN (SELECT 'lane:' || id FROM tickets WHERE team_id IN ({teams}))"
            + f" OR key IN (SELECT 'room:' || id FROM tickets WHERE team_id IN ({teams})) ORDER BY key",
        )
        links: dict[int, list[tuple[Any, ...]]] = {}
        for ticket, *link in chains:
            links.setdefault(ticket, []).append(tuple(link))
        return Snapshot(
            tickets={row[0]: _ticket(row) for row in tickets},
            chains=links,
            active=frozenset(row[0] for row in active),
            teams={row[0]: tuple(row[1:]) for row in led},
            asks=dict(map(_pair, asks)),
            pending=frozenset((row[2], row[3]) for row in invitations if row[4] == "pending"),
            invitations=invitations,
            present=frozenset((ticket, person) for ticket, person in stays),
            admitted={(ticket, person): standing for ticket, person, standing in admitted},
            escalations=escalations,
            numbers=numbers,
        )


def hold(now: Snapshot) -> None:
    """Fails where a snapshot breaks a law."""
    for ticket in now.tickets.values():
        _one_owner(ticket, now)
        _queue(ticket, now)
    _rooms(now)


def follows(before: Snapshot, now: Snapshot, step: str) -> None:
    """Fails where what was may not become what is by this step."""
    for id_, was in before.tickets.items():
        ticket, links = now.tickets[id_], now.chains[id_]
        assert links[: was.version] == before.chains[id_], "history was rewritten"
        assert was.version <= ticket.version <= was.version + 1, "more than one change of owner in a step"
        assert ticket.assigned_mode == was.assigned_mode
        assert step == "move mode" or ticket.mode == was.mode, f"{step} changed a mode"
        assert was.status != "closed" or ticket == was, f"{step} changed a closed ticket"
    if step == "switch":
        assert before.tickets == now.tickets, "a switch touched open tickets"
    grown = dict(map(_pair, now.numbers))
    assert all(grown[key] >= number for key, number in before.numbers)


def _one_owner(ticket: TicketNow, now: Snapshot) -> None:
    links = now.chains[ticket.id]
    assert [position for position, _owner, _from in links] == list(range(1, len(links) + 1))
    assert [came for _position, _owner, came in links] == [None, *(owner for _p, owner, _f in links[:-1])]
    assert (links[-1][1], len(links)) == (ticket.owner, ticket.version)
    assert ticket.owner in now.active or ticket.status == "closed", "the owner no longer works here"


def _queue(ticket: TicketNow, now: Snapshot) -> None:
    assert ticket.has_queued_at is (ticket.queued_for is not None)
    if ticket.queued_for is not None:
        assert ticket.status not in ("resolved", "closed"), "a resolved ticket waits in a queue"
    if ticket.unclaimed:
        assert ticket.owner == now.teams[ticket.team][0], "nobody has taken it, and no duty lead owns it"
    if ticket.mode == "tierless":
        assert ticket.queued_for in (None, 0), "a tierless ticket waits for a tier"
    waits = [tier for id_, tier in now.escalations if id_ == ticket.id]
    escalated = ticket.queued_for is not None and not ticket.unclaimed
    assert waits == ([ticket.queued_for] if escalated else []), "queue and escalations disagree"


def _rooms(now: Snapshot) -> None:
    for ticket, person in now.present | now.pending:
        assert now.tickets[ticket].mode == "tierless", "a swarm on a tiered ticket"
        assert person in now.active, "somebody who left is asked or in the room"
        assert person != now.tickets[ticket].owner, "the owner is among the helpers"
    for _id, ask, _ticket, _person, state in now.invitations:
        assert state != "pending" or now.asks[ask] == "open", "a closed ask waits for somebody"
    swarm = dict.fromkeys(now.present, "swarm")
    assert now.admitted == dict.fromkeys(now.pending, "asked") | swarm, "admitted are the asked and the swarm"


def _ticket(row: tuple[Any, ...]) -> TicketNow:
    id_, team, owner, version, mode, assigned, status, tier, queued_for, queued_at = row
    return TicketNow(id_, team, owner, version, mode, assigned, status, tier, queued_for, bool(queued_at))


def _pair(row: tuple[Any, ...]) -> tuple[Any, Any]:
    return row[0], row[1]


def _list(ids: Any) -> str:
    return ", ".join(str(int(id_)) for id_ in ids)
