"""Reads of tickets, each starting from what the actor may see."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, false, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from swarm.events import Actor
from swarm.events.refusals import Unknown
from swarm.modes import Case
from swarm.people.models import Guest, Membership, Person, Team, Tier
from swarm.store.sql import Sql, together
from swarm.text.language import _
from swarm.tickets.models import Admission, Message, Ownership, Ticket, TicketTag
from swarm.tickets.standing import Stands, asking, standing

ACTIVE = ("open", "waiting", "on_hold")


def _case() -> Select[Any]:
    me, above = bindparam("person", type_=Ticket.owner_id.type), aliased(Person)
    return (
        select(
            Person.name,
            Team.duty_lead_id,
            exists().where(Ownership.ticket_id == Ticket.id, Ownership.owner_id == me),
            select(Admission.standing)
            .where(Admission.ticket_id == Ticket.id, Admission.person_id == me)
            .scalar_subquery(),
            select(func.max(Tier.rung)).where(Tier.team_id == Ticket.team_id).scalar_subquery(),
            select(Membership.person_id)
            .join(above, above.id == Membership.person_id)
            .where(Membership.team_id == Ticket.team_id, Membership.rung == Ticket.tier + 1, above.active)
            .exists(),
        )
        .select_from(Ticket)
        .join(Person, Person.id == Ticket.owner_id)
        .join(Team, Team.id == Ticket.team_id)
        .where(Ticket.id == bindparam("ticket"))
    )


# Made once: every rule asked of one ticket goes through it, and building it costs more than running it.
_CASE = _case()


def visible(actor: Actor) -> ColumnElement[bool]:
    """Tickets this actor may know of."""
    if actor.customer_id is not None:
        return Ticket.id.in_(actor.cases) if actor.cases else false()
    if actor.guest_id is not None:
        return and_(Ticket.id == actor.guest_of, exists().where(*_still_guest(actor)))
    if actor.person_id is None:
        return false()
    if actor.manages:
        return true()
    admitted = exists().where(Admission.ticket_id == Ticket.id, Admission.person_id == actor.person_id)
    return or_(Ticket.team_id.in_(actor.rungs), Ticket.owner_id == actor.person_id, admitted)


def _still_guest(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    return Guest.id == actor.guest_id, Guest.ticket_id == actor.guest_of, Guest.ended_at.is_(None)


def may_know(case: Case) -> bool:
    """`visible` for a ticket that is at hand already."""
    return case.in_team or case.is_owner or case.standing is not None or case.actor.manages


def find(session: Session, actor: Actor, ticket_id: int, *, lock: bool = False) -> Ticket:
    """The ticket, where the actor may see it; unknown and hidden look the same. Raises `Unknown`."""
    query = select(Ticket).where(Ticket.id == ticket_id, visible(actor))
    if lock:
        query = query.with_for_update(of=Ticket).execution_options(populate_existing=True)
    ticket = session.scalars(query).one_or_none()
    if ticket is None:
        raise Unknown(_("There is no such ticket, or it is not for you to see."))
    return ticket


def case_for(session: Session, actor: Actor, ticket: Ticket) -> Case:
    """The ticket as the actor stands to it: what every rule is asked with."""
    owner_name, duty_lead_id, owned_before, standing, top, staffed = session.execute(
        _CASE, {"ticket": ticket.id, "person": actor.person_id}
    ).one()
    if actor.guest_id is not None and actor.guest_of == ticket.id:
        # Asked under the ticket's lock: who looked them up may have done so before they were put out.
        standing = "guest" if session.scalar(select(exists().where(*_still_guest(actor)))) else None
    return Case(
        actor=actor,
        ticket_id=ticket.id,
        team_id=ticket.team_id,
        status=ticket.status,
        tier=ticket.tier,
        top_tier=top or 1,
        queued_for=ticket.queued_for,
        owner_id=ticket.owner_id,
        owner_name=owner_name,
        duty_lead_id=duty_lead_id,
        owned_before=bool(owned_before),
        standing=standing,
        staffed_above=bool(staffed),
    )


def stands(session: Session, asked: Collection[tuple[Actor, int]]) -> Mapping[tuple[str, int], Stands]:
    """`case_for` of many actors and tickets in one query, whether they may know of it or not."""
    actors = {(ticket, actor.person_id or 0): actor for actor, ticket in asked if actor.is_staff}
    rows = together(session.connection(), asking(actors))[0] if actors else ()
    return {(one.case.actor.key, one.case.ticket_id): one for one in standing(rows, actors)}


_THERE = Sql("SELECT t.id FROM rows(:ids, id bigint) AS a JOIN tickets t ON t.id = a.id")


def there(session: Session, ids: Collection[int]) -> set[int]:
    """Which of the tickets there are."""
    return {id_ for (id_,) in _THERE.run(session.connection(), ids=[[id_] for id_ in ids])} if ids else set()


class Said(NamedTuple):
    """A message as it stands."""

    id: int
    author: str
    body: str
    client_id: str
    seq: int
    at: datetime
    files: int = 0


class Shown(NamedTuple):
    """What the lines of a ticket show of it."""

    id: int
    owner_id: int
    answer_id: int | None


# Made once: every line that anybody sees goes through these.
_SAID = select(*(getattr(Message, name) for name in Said._fields)).where(
    Message.id.in_(bindparam("ids", expanding=True))
)
_SHOWN = select(*(getattr(Ticket, name) for name in Shown._fields)).where(
    Ticket.id.in_(bindparam("ids", expanding=True))
)


def messages(session: Session, ids: Collection[int]) -> dict[int, Said]:
    """Messages by id."""
    if not ids:
        return {}
    return {row[0]: Said(*row) for row in session.connection().execute(_SAID, {"ids": list(ids)})}


def shown(session: Session, ids: Collection[int]) -> dict[int, Shown]:
    """What lines show of tickets, by id."""
    if not ids:
        return {}
    return {row[0]: Shown(*row) for row in session.connection().execute(_SHOWN, {"ids": list(ids)})}


def tags_of(session: Session, ticket_ids: Collection[int]) -> Mapping[int, Sequence[str]]:
    """Tags by ticket, in order."""
    found: dict[int, list[str]] = {id_: [] for id_ in ticket_ids}
    rows = session.execute(
        select(TicketTag.ticket_id, TicketTag.tag)
        .where(TicketTag.ticket_id.in_(ticket_ids))
        .order_by(TicketTag.tag)
    )
    for ticket_id, tag in rows:
        found[ticket_id].append(tag)
    return found


def chain(session: Session, ticket_id: int) -> Sequence[Ownership]:
    """Every owner there was, in order."""
    return session.scalars(
        select(Ownership).where(Ownership.ticket_id == ticket_id).order_by(Ownership.position)
    ).all()


def earlier_tickets(session: Session, actor: Actor, ticket: Ticket, limit: int = 5) -> Sequence[Ticket]:
    """Other tickets of the same customer that the actor may see, newest first."""
    if ticket.customer_id is None:
        return []
    return session.scalars(
        select(Ticket)
        .where(Ticket.customer_id == ticket.customer_id, Ticket.id != ticket.id, visible(actor))
        .order_by(Ticket.opened_at.desc())
        .limit(limit)
    ).all()


def open_by_mode(session: Session, team_ids: Collection[int]) -> Mapping[tuple[int, str], int]:
    """How many active tickets each team has in each mode."""
    rows = session.execute(
        select(Ticket.team_id, Ticket.mode, func.count())
        .where(Ticket.team_id.in_(team_ids), Ticket.status.in_(ACTIVE))
        .group_by(Ticket.team_id, Ticket.mode)
    )
    return {(team, mode): count for team, mode, count in rows}
