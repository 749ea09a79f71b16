"""Writes on customers' records."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select, update

from swarm.customers import queries
from swarm.customers.events import (
    CustomerChanged,
    CustomerMergedAway,
    CustomersMerged,
    CustomerTouched,
    TicketCustomerMerged,
)
from swarm.customers.rules import may_edit, may_merge
from swarm.events.refusals import NotAllowed, Stale, Unfit, Unknown, ensure
from swarm.people.customers import keep_words, likeness, records_of
from swarm.people.models import Customer, CustomerWord
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets.models import Message, Ticket

MOST_NOTES = 20_000
"""Characters of all notes on a customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a customer, but for the notes."""

    name: str
    email: str | None
    company: str
    phone: str
    language: str
    timezone: str


def change(work: Work, customer_id: int, seen: int, known: Known) -> None:
    """Change what is known. Raises `Unknown`, `NotAllowed`, and `Stale` where somebody was faster."""
    row = _held(work, customer_id, seen)
    email = known.email.lower() if known.email else None
    wanted = {
        "name": known.name,
        "email": email,
        "company": known.company,
        "phone": known.phone,
        "language": known.language,
        "timezone": known.timezone,
    }
    changed = [name for name, value in wanted.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, wanted[name])
    if changed:
        row.likeness = likeness(row.name, row.company)
        _changed(work, row, changed)
        keep_words(work, row.id, [row, *records_of(work.session, row.id)])


def note(work: Work, customer_id: int, seen: int, notes: str) -> None:
    """Change the notes. Raises `Unknown`, `NotAllowed`, and `Stale` where somebody was faster."""
    row = _held(work, customer_id, seen)
    if row.notes != notes:
        row.notes = notes
        _changed(work, row, ["notes"])


def merge(work: Work, keep_id: int, other_id: int, seen: tuple[int, int]) -> Customer:
    """Make one record of two: tickets, their texts, notes and earlier merges go to the one that is kept.

    What its fields leave empty is filled from the other. Links and cookies made for the other stay what
    they were: they open the tickets they opened. Raises `Unknown`, `NotAllowed`, `Unfit`, and `Stale` where
    either changed since it was `seen`, or was merged by somebody else.
    """
    ensure(may_merge(work.actor))
    if keep_id == other_id:
        raise Unfit(_("These are one record already."), "other")
    rows = {
        row.id: row
        for row in work.session.scalars(
            select(Customer)
            .where(Customer.id.in_((keep_id, other_id)), queries.visible_customers(work.actor))
            .order_by(Customer.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    if len(rows) < 2:
        raise Unknown(_("There is no such customer, or it is not for you to see."))
    keep, other = rows[keep_id], rows[other_id]
    if keep.merged_into_id is not None or other.merged_into_id is not None:
        raise Stale(_("Somebody merged one of these records a moment ago. Look at what is there now."))
    if (keep.version, other.version) != seen:
        raise Stale(_("One of these records was changed meanwhile. Look at them again, then merge."))
    _fill(keep, other)
    moved = _move_tickets(work, keep.id, other.id)
    before = update(Customer).where(Customer.merged_into_id == other.id).values(merged_into_id=keep.id)
    work.session.execute(before)
    other.merged_into_id = keep.id
    other.version += 1
    work.session.execute(delete(CustomerWord).where(CustomerWord.customer_id == other.id))
    _touched(work, keep)
    work.session.flush()
    keep_words(work, keep.id, [keep, *records_of(work.session, keep.id)])
    work.record(
        f"customer:{keep.id}", CustomersMerged(customer_id=keep.id, merged=other.id, tickets=len(moved))
    )
    work.record(f"customer:{other.id}", CustomerMergedAway(customer_id=other.id, kept=keep.id))
    work.record_each(
        {
            f"room:{ticket}": TicketCustomerMerged(ticket_id=ticket, merged=other.id, kept=keep.id)
            for ticket in moved
        }
    )
    return keep


def joined_notes(keep: Customer, other: Customer) -> str:
    """The notes of both, those of the kept record first."""
    return "\n\n".join(text for text in (keep.notes, other.notes) if text)


def _fill(keep: Customer, other: Customer) -> None:
    notes = joined_notes(keep, other)
    if len(notes) > MOST_NOTES:
        raise NotAllowed(_("Together the notes would be too long. Shorten one of them first."))
    keep.notes = notes
    keep.email = keep.email or other.email
    for name in ("company", "phone", "timezone"):
        setattr(keep, name, getattr(keep, name) or getattr(other, name))
    keep.likeness = likeness(keep.name, keep.company)
    keep.version += 1


def _move_tickets(work: Work, keep_id: int, other_id: int) -> list[int]:
    """In order of their numbers, as whoever locks several does."""
    theirs = select(Ticket.id).where(Ticket.customer_id == other_id).order_by(Ticket.id).with_for_update()
    moved = list(work.session.scalars(theirs))
    of_other = select(Ticket.id).where(Ticket.customer_id == other_id)
    # Who sends a message once more is to find the first one, under the name they now write by.
    work.session.execute(
        update(Message)
        .where(
            Message.ticket_id.in_(of_other), Message.lane == "lane", Message.author == f"customer:{other_id}"
        )
        .values(author=f"customer:{keep_id}")
        .execution_options(synchronize_session=False)
    )
    work.session.execute(
        update(Ticket)
        .where(Ticket.customer_id == other_id)
        .values(customer_id=keep_id)
        .execution_options(synchronize_session=False)
    )
    return moved


def _held(work: Work, customer_id: int, seen: int) -> Customer:
    row = queries.find(work.session, work.actor, customer_id, lock=True)
    ensure(may_edit(work.actor, owns=queries.owns_ticket_of(work.session, work.actor, row.id)))
    if row.version != seen or row.id != customer_id:
        raise Stale(
            _("Somebody changed this record a moment ago. What you wrote is kept here; look at theirs first.")
        )
    return row


def _changed(work: Work, row: Customer, names: list[str]) -> None:
    row.version += 1
    work.session.flush()
    work.record(f"customer:{row.id}", CustomerChanged(customer_id=row.id, what=",".join(names)))
    _touched(work, row)


def _touched(work: Work, row: Customer) -> None:
    for record in records_of(work.session, row.id):
        work.record(f"customer:{record.id}", CustomerTouched(customer_id=row.id))
