"""The lists of tickets, read so that a page costs the same however many tickets there are.

A list is a union of sources. Each is one stretch of one index that stands in the list's order already, and
gives no more rows than a page has: nothing is passed over but what a rare pair of filters leaves out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, Subquery, func, literal_column, select, union_all
from sqlalchemy.orm import Session

from swarm.events import Actor
from swarm.people.models import Customer, Person, Team
from swarm.store import paging
from swarm.tickets.models import Admission, Ticket, TicketTag
from swarm.tickets.queries import ACTIVE

ListName = Literal["mine", "rooms", "queue", "all"]
PAGE = 50
COUNT_UP_TO = 99
RARE = 1000
"""Fewer tickets than this with a tag are looked at one by one; of more, the newest are soon found."""

Source = tuple[ColumnElement[bool], ...]
"""Conditions that an index begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a list is narrowed to; empty means anything."""

    status: str = ""
    team: int | None = None
    mode: str = ""
    priority: int | None = None
    language: str = ""
    tag: str = ""
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A ticket in a list."""

    ticket: Ticket
    owner_name: str
    team_name: str
    customer_name: str | None


def page_of(
    session: Session,
    actor: Actor,
    name: ListName,
    filters: Filters,
    cursor: str | None = None,
    limit: int = PAGE,
) -> paging.Page[TicketLine]:
    """One page of a list. Raises `paging.BadCursor`."""
    keys = _order(name)
    order = [column.desc() if descends else column.asc() for column, descends in keys]
    narrowed = _narrowed(session, filters)
    if cursor:
        narrowed.append(paging.beyond(keys, cursor))
    found = _together(
        select(Ticket.id).where(*source, *narrowed).order_by(*order).limit(limit + 1)
        for source in _sources(actor, name, filters)
    )
    if found is None:
        return paging.Page([], None)
    shown: Select[*tuple[Any, ...]] = (
        select(Ticket, Person.name, Team.name, Customer.name)
        .join(Person, Person.id == Ticket.owner_id)
        .join(Team, Team.id == Ticket.team_id)
        .join(Customer, Customer.id == Ticket.customer_id, isouter=True)
        .where(Ticket.id.in_(select(found.c.id)))
        .order_by(*order)
        .limit(limit + 1)
    )
    rows = [TicketLine(*row) for row in session.execute(shown)]
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        last = rows[-1].ticket
        following = paging.encode([getattr(last, column.key) for column, _descends in keys if column.key])
    return paging.Page(rows, following)


def count_of(session: Session, actor: Actor, name: ListName) -> int:
    """How many stand in a list; counting stops at 100."""
    most = COUNT_UP_TO + 1
    found = _together(
        select(Ticket.id).where(*source).limit(most) for source in _sources(actor, name, Filters())
    )
    if found is None:
        return 0
    some = select(found.c.id).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _together(parts: Iterable[Select[Any]]) -> Subquery | None:
    selects = [select(part.subquery()) for part in parts]
    return union_all(*selects).subquery() if selects else None


def _order(name: ListName) -> list[paging.Key]:
    if name == "queue":
        return [
            (_column(Ticket.urgency), False),
            (_column(Ticket.queued_at), False),
            (_column(Ticket.id), False),
        ]
    return [(_column(Ticket.updated_at), True), (_column(Ticket.id), True)]


def _column(attribute: Any) -> ColumnElement[Any]:
    return attribute  # type: ignore[no-any-return]  # an ORM attribute is a column expression


def _sources(actor: Actor, name: ListName, filters: Filters) -> Sequence[Source]:
    match name:
        case "mine":
            # What waits in the intake is the duty lead's by duty, not by choice: it stands in the queue.
            # Written as the index has it, or SQLite would not see that they are the same.
            taken = Ticket.queued_for.is_(None) | (Ticket.queued_for > literal_column("0"))
            return [
                (Ticket.owner_id == actor.person_id, taken, *status)
                for status in _statuses(filters.status or "active")
            ]
        case "rooms":
            return [_admitted(actor, filters.status or "active", Admission.standing == "swarm")]
        case "queue":
            return _waiting(actor, filters)
        case "all":
            return _seen(actor, filters.status)


def _waiting(actor: Actor, filters: Filters) -> Sequence[Source]:
    if actor.manages:
        team = () if filters.team is None else (Ticket.team_id == filters.team,)
        return [(Ticket.queued_for.is_not(None), *team)]
    return [
        (Ticket.team_id == team, Ticket.queued_for == place)
        for team, rung in actor.rungs.items()
        if filters.team in (None, team)
        for place in (0, rung)
    ]


def _seen(actor: Actor, status: str) -> Sequence[Source]:
    """`tickets.queries.visible` for colleagues, one reason at a time; what is seen for two is shown once."""
    if actor.person_id is None:
        return []
    if actor.manages:
        return _statuses(status)
    whose = [*(Ticket.team_id == team for team in actor.rungs), Ticket.owner_id == actor.person_id]
    return [
        *((one, *rest) for one, rest in product(whose, _statuses(status))),
        _admitted(actor, status),
    ]


def _admitted(actor: Actor, status: str, *standing: ColumnElement[bool]) -> Source:
    """Tickets of others: few, so that they are looked at one by one."""
    here = select(Admission.ticket_id).where(Admission.person_id == actor.person_id, *standing)
    known = {"": (), "active": ACTIVE}.get(status, (status,))
    # Not the bare column: SQLite would rather walk every ticket of a status than a few by their ids.
    return (Ticket.id.in_(here), *([func.lower(Ticket.status).in_(known)] if known else []))


def _statuses(status: str) -> Sequence[Source]:
    if not status:
        return [()]
    return [(Ticket.status == one,) for one in (ACTIVE if status == "active" else (status,))]


def _narrowed(session: Session, filters: Filters) -> list[ColumnElement[bool]]:
    """The filters that no source has taken care of; repeating one that it has does no harm."""
    conditions: list[ColumnElement[bool]] = []
    if filters.team is not None:
        conditions.append(Ticket.team_id == filters.team)
    if filters.mode:
        conditions.append(Ticket.mode == filters.mode)
    if filters.priority is not None:
        conditions.append(Ticket.priority == filters.priority)
    if filters.language:
        conditions.append(Ticket.language == filters.language)
    if filters.owner is not None:
        conditions.append(Ticket.owner_id == filters.owner)
    if filters.tag:
        tagged = select(TicketTag.ticket_id).where(TicketTag.tag == filters.tag)
        some = session.scalar(select(func.count()).select_from(tagged.limit(RARE).subquery())) or 0
        here = tagged.where(TicketTag.ticket_id == Ticket.id).exists()
        conditions.append(Ticket.id.in_(tagged) if some < RARE else here)
    return conditions
