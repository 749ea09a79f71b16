"""Reads of customers, each starting from what the actor may see: who sees a ticket of theirs sees them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import Session

from swarm.events import Actor
from swarm.events.refusals import Unknown
from swarm.people.customers import fits, fold
from swarm.people.models import Customer, Person
from swarm.store import paging
from swarm.store.sql import Sql
from swarm.text.language import _
from swarm.tickets.models import Admission, Ticket
from swarm.tickets.queries import visible

PAGE = 50
EARLIER = 20
"""Tickets on a page of a record."""
SUGGESTED = 8
MOST_LIKE = 10


@dataclass(frozen=True, slots=True)
class Earlier:
    """A ticket of a customer as their record lists it."""

    ticket: Ticket
    owner_name: str


def visible_customers(actor: Actor) -> ColumnElement[bool]:
    """Customers this colleague may know of: managers of all, others of those whose ticket they see."""
    if actor.manages:
        return true()
    if not actor.rungs:
        # Whoever is in no team sees a few tickets: looked up one by one.
        own = select(Ticket.customer_id).where(Ticket.owner_id == actor.person_id)
        admitted = (
            select(Ticket.customer_id)
            .join(Admission, Admission.ticket_id == Ticket.id)
            .where(Admission.person_id == actor.person_id)
        )
        return or_(Customer.id.in_(own), Customer.id.in_(admitted)) if actor.is_staff else ~true()
    return select(Ticket.id).where(Ticket.customer_id == Customer.id, visible(actor)).exists()


def find(session: Session, actor: Actor, customer_id: int, *, lock: bool = False) -> Customer:
    """The record that stands for this one; unknown and hidden look the same. Raises `Unknown`."""
    hidden = Unknown(_("There is no such customer, or it is not for you to see."))
    if not actor.is_staff:
        raise hidden
    while True:
        query = select(Customer).where(Customer.id == customer_id)
        if lock:
            query = query.with_for_update().execution_options(populate_existing=True)
        row = session.scalars(query).one_or_none()
        if row is None:
            raise hidden
        if row.merged_into_id is None:
            break
        customer_id = row.merged_into_id
    seen = select(Customer.id).where(Customer.id == row.id, visible_customers(actor))
    if session.scalar(seen) is None:
        raise hidden
    return row


def owns_ticket_of(session: Session, actor: Actor, customer_id: int) -> bool:
    """Whether the actor may answer a ticket of theirs."""
    theirs = select(Ticket.id).where(
        Ticket.customer_id == customer_id, Ticket.owner_id == actor.person_id, Ticket.status != "closed"
    )
    return session.scalar(theirs.limit(1)) is not None


def page(
    session: Session, actor: Actor, text: str = "", before: int | None = None, limit: int = PAGE
) -> tuple[Sequence[Customer], int | None]:
    """Records that fit, newest first, and where the next page begins."""
    query = select(Customer).where(Customer.merged_into_id.is_(None), visible_customers(actor))
    if fold(text):
        query = query.where(fits(text))
    if before is not None:
        query = query.where(Customer.id < before)
    rows = session.scalars(query.order_by(Customer.id.desc()).limit(limit + 1)).all()
    return rows[:limit], (rows[limit - 1].id if len(rows) > limit else None)


def open_tickets(session: Session, actor: Actor, ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """For each customer how many tickets the actor sees, and how many of them are not solved."""
    unsolved = func.count().filter(Ticket.status.in_(("open", "waiting", "on_hold")))
    rows = session.execute(
        select(Ticket.customer_id, func.count(), unsolved)
        .where(Ticket.customer_id.in_(ids), visible(actor))
        .group_by(Ticket.customer_id)
    )
    return {id_: (count, still) for id_, count, still in rows if id_ is not None}


def tickets_of(
    session: Session, actor: Actor, customer_id: int, cursor: str | None = None, limit: int = EARLIER
) -> paging.Page[Earlier]:
    """Their tickets that the actor may see, newest first. Raises `paging.BadCursor`."""
    # An attribute is an expression of SQL, which its type does not say.
    opened: ColumnElement[object] = Ticket.opened_at  # type: ignore[assignment]
    number: ColumnElement[object] = Ticket.id  # type: ignore[assignment]
    keys = [(opened, True), (number, True)]
    query = (
        select(Ticket, Person.name)
        .join(Person, Person.id == Ticket.owner_id)
        .where(Ticket.customer_id == customer_id, visible(actor))
        .order_by(Ticket.opened_at.desc(), Ticket.id.desc())
        .limit(limit + 1)
    )
    if cursor:
        query = query.where(paging.beyond(keys, cursor))
    rows = [Earlier(*row) for row in session.execute(query)]
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        following = paging.encode([rows[-1].ticket.opened_at, rows[-1].ticket.id])
    return paging.Page(rows, following)


def alike(session: Session, actor: Actor, customer: Customer) -> Sequence[Customer]:
    """Records that are likely the same person's: of this address, or of this name and company."""
    same = [Customer.email == customer.email] if customer.email else []
    same += [Customer.likeness == customer.likeness] if customer.likeness else []
    if not same:
        return []
    query = select(Customer).where(
        or_(*same),
        Customer.id != customer.id,
        Customer.merged_into_id.is_(None),
        visible_customers(actor),
    )
    return session.scalars(query.order_by(Customer.id).limit(MOST_LIKE)).all()


def with_address(session: Session, actor: Actor, email: str) -> Sequence[Customer]:
    """Records of exactly this address, those merged into others by the one that stands for them."""
    ids = select(func.coalesce(Customer.merged_into_id, Customer.id)).where(Customer.email == email.lower())
    query = select(Customer).where(Customer.id.in_(ids), visible_customers(actor))
    return session.scalars(query.order_by(Customer.id.desc()).limit(SUGGESTED)).all()


def companies(session: Session, actor: Actor, limit: int = 200) -> Sequence[str]:
    """Companies to choose from, of customers the actor may see, by name."""
    query = select(Customer.company).where(
        Customer.company != "", Customer.merged_into_id.is_(None), visible_customers(actor)
    )
    return session.scalars(query.distinct().order_by(Customer.company).limit(limit)).all()


_SEES = Sql(
    """
    SELECT a.customer, a.person FROM rows(:pairs, customer bigint, person bigint) AS a
        JOIN customers c ON c.id = a.customer JOIN people p ON p.id = a.person
    WHERE p.role IN ('manager', 'administrator') OR EXISTS (
        SELECT 1 FROM tickets t WHERE t.customer_id = coalesce(c.merged_into_id, c.id) AND (
            t.owner_id = a.person
            OR EXISTS (SELECT 1 FROM memberships m WHERE m.team_id = t.team_id AND m.person_id = a.person)
            OR EXISTS (SELECT 1 FROM admissions d WHERE d.ticket_id = t.id AND d.person_id = a.person)
        )
    )
    """
)


def who_sees(session: Session, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Of these pairs of customer and colleague those who may see the record, in one query."""
    if not pairs:
        return set()
    rows = _SEES.run(session.connection(), pairs=[list(pair) for pair in pairs])
    return {(customer, person) for customer, person in rows}
