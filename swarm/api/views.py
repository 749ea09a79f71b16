"""What programs are answered, and how it is read: a fixed number of queries, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, cast

import msgspec
from sqlalchemy import select

from swarm.people.models import Customer, Team
from swarm.people.queries import faces
from swarm.store import Work, log
from swarm.tickets.models import Ticket as TicketRow
from swarm.tickets.opening import PRIORITIES
from swarm.tickets.queries import tags_of

Status = Literal["open", "waiting", "on_hold", "resolved", "closed"]
Priority = Literal["low", "normal", "high", "urgent"]
ModeName = Literal["tiered", "tierless"]


class View(msgspec.Struct):
    """What is told to a program; every field is always there."""


class Who(View):
    """Somebody who works here."""

    id: int
    name: str


class InTeam(View):
    """A team, as others name it."""

    id: int
    key: str
    name: str


class Asker(View):
    """The customer of a ticket."""

    id: int
    name: str
    email: str | None
    company: str
    language: str


class Heads(View):
    """The last number of each of a ticket's lanes."""

    lane: int
    room: int


class Ticket(View):
    """A case and its one owner."""

    number: int
    subject: str
    status: Status
    priority: Priority
    category: str
    language: str
    tags: list[str]
    team: InTeam
    mode: ModeName
    assigned_mode: ModeName
    """The mode at opening: measures count the ticket there, even when it was moved."""
    tier: int
    """The rung that has it."""
    owner: Who
    version: int
    """Of the ownership: say which one you acted on, and hear when somebody was faster."""
    waits_for: int | None
    """0: for anybody of the team to take it; a tier: for somebody there; none: somebody works it."""
    customer: Asker | None
    answer: int | None
    """The message of the room that solved it."""
    heads: Heads
    channel: str
    imported: bool
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None


class Tickets(View):
    """A page of a list."""

    items: list[Ticket]
    next: str | None
    """Send it as `cursor` for the page that follows; none on the last."""


def tickets_of(work: Work, rows: Sequence[TicketRow]) -> list[Ticket]:
    """These tickets, whose being seen was asked before, in their order."""
    session, ids = work.session, [row.id for row in rows]
    people = faces(session, {f"person:{row.owner_id}" for row in rows})
    teams = {
        team.id: InTeam(id=team.id, key=team.key, name=team.name)
        for team in session.scalars(select(Team).where(Team.id.in_({row.team_id for row in rows})))
    }
    customers = {
        one.id: Asker(id=one.id, name=one.name, email=one.email, company=one.company, language=one.language)
        for one in session.scalars(
            select(Customer).where(Customer.id.in_({row.customer_id for row in rows if row.customer_id}))
        )
    }
    tags = tags_of(session, ids)
    heads = log.heads(session, [f"{lane}:{id_}" for id_ in ids for lane in ("lane", "room")])
    return [
        Ticket(
            number=row.id,
            subject=row.subject,
            status=cast(Status, row.status),
            priority=cast(Priority, PRIORITIES[row.priority]),
            category=row.category,
            language=row.language,
            tags=list(tags[row.id]),
            team=teams[row.team_id],
            mode=cast(ModeName, row.mode),
            assigned_mode=cast(ModeName, row.assigned_mode),
            tier=row.tier,
            owner=Who(id=row.owner_id, name=people[f"person:{row.owner_id}"].name),
            version=row.owner_version,
            waits_for=row.queued_for,
            customer=customers.get(row.customer_id or 0),
            answer=row.answer_id,
            heads=Heads(lane=heads[f"lane:{row.id}"], room=heads[f"room:{row.id}"]),
            channel=row.channel,
            imported=row.imported,
            opened_at=row.opened_at,
            updated_at=row.updated_at,
            resolved_at=row.resolved_at,
        )
        for row in rows
    ]


def ticket_of(work: Work, row: TicketRow) -> Ticket:
    """One ticket, as it stands after what was just done."""
    work.session.flush()
    return tickets_of(work, [row])[0]


def who(work: Work, ids: Collection[int]) -> dict[int, Who]:
    """People by id."""
    found = faces(work.session, {f"person:{id_}" for id_ in ids})
    return {id_: Who(id=id_, name=found[key].name) for id_ in ids if (key := f"person:{id_}") in found}
