"""What must be true of a desk's data, whatever happened to it: each break as a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from sqlalchemy import String, and_, cast, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from swarm.people.models import Customer
from swarm.store.tables import EventRow, StreamRow
from swarm.text.language import _
from swarm.tickets.chains import walk
from swarm.tickets.models import Message, Ticket


def problems(session: Session) -> Iterator[str]:
    """Every break there is, found as it is asked for; none in a desk that is whole."""
    return chain(_streams(session), _messages(session), _owners(session), _customers(session))


def _owners(session: Session) -> Iterator[str]:
    """A ticket has exactly one owner, and the chain that led there."""
    for checked in walk(session):
        if checked.problem:
            yield _("Ticket %(id)s: %(problem)s", id=checked.ticket_id, problem=checked.problem)


def _customers(session: Session) -> Iterator[str]:
    """A ticket belongs to the record that was kept, and so does what was merged into it."""
    astray = (
        select(Ticket.id)
        .join(Customer, Customer.id == Ticket.customer_id)
        .where(Customer.merged_into_id.is_not(None))
        .order_by(Ticket.id)
    )
    for id_ in session.scalars(astray):
        yield _("Ticket %(id)s belongs to a customer’s record that was merged into another", id=id_)
    kept = aliased(Customer)
    chained = (
        select(Customer.id)
        .join(kept, kept.id == Customer.merged_into_id)
        .where(kept.merged_into_id.is_not(None))
        .order_by(Customer.id)
    )
    for id_ in session.scalars(chained):
        yield _("The record of customer %(id)s points to one that was merged itself", id=id_)


def _streams(session: Session) -> Iterator[str]:
    """A stream's numbers run from 1 to its head."""
    log = (
        select(
            EventRow.stream,
            func.count().label("count"),
            func.min(EventRow.seq).label("first"),
            func.max(EventRow.seq).label("last"),
        )
        .group_by(EventRow.stream)
        .subquery()
    )
    count, last = func.coalesce(log.c.count, 0), func.coalesce(log.c.last, 0)
    gaps = (
        select(StreamRow.key, StreamRow.last_seq, count, last)
        .join(log, log.c.stream == StreamRow.key, isouter=True)
        .where(
            or_(count != StreamRow.last_seq, last != StreamRow.last_seq, and_(count > 0, log.c.first != 1))
        )
        .order_by(StreamRow.key)
    )
    for key, head, there, end in session.execute(gaps):
        yield _(
            "Stream %(key)s: %(count)s events, the last number %(last)s, and the head says %(head)s",
            key=key,
            count=there,
            last=end,
            head=head,
        )
    headless = (
        select(log.c.stream)
        .join(StreamRow, StreamRow.key == log.c.stream, isouter=True)
        .where(StreamRow.key.is_(None))
        .order_by(log.c.stream)
    )
    for key in session.scalars(headless):
        yield _("Stream %(key)s has events and no head", key=key)


def _messages(session: Session) -> Iterator[str]:
    """A message has its ticket, and stands in its lane at the number of its event."""
    stream = Message.lane + literal(":") + cast(Message.ticket_id, String)
    lost = (
        select(Message.id)
        .join(EventRow, and_(EventRow.stream == stream, EventRow.seq == Message.seq), isouter=True)
        .where(
            or_(
                EventRow.kind.is_(None),
                EventRow.kind != Message.lane + literal(".message_posted"),
                EventRow.data["message_id"].as_integer() != Message.id,
            )
        )
        .order_by(Message.id)
    )
    for id_ in session.scalars(lost):
        yield _("Message %(id)s has no event at its number", id=id_)
    orphans = (
        select(Message.id)
        .join(Ticket, Ticket.id == Message.ticket_id, isouter=True)
        .where(Ticket.id.is_(None))
        .order_by(Message.id)
    )
    for id_ in session.scalars(orphans):
        yield _("Message %(id)s belongs to no ticket", id=id_)
