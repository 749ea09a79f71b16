"""Exactly one owner, from the first row to the last: the only code that changes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select, update

from swarm.events import Event
from swarm.events.refusals import Stale, Unknown
from swarm.people.actions import change_rights
from swarm.people.models import Person, Team
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets.events import OwnerShown, TicketBecameYours, TicketLeftQueue, TicketLeftYou, TicketQueued
from swarm.tickets.models import Ownership, Ticket

How = Literal["opened", "taken", "taken_over", "handed_over", "returned", "fell_to_duty_lead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of owner and what becomes of the queue with it."""

    to_id: int
    how: How
    event: Event
    reason: str = ""
    tier: int | None = None
    """The rung that has it from now on; none leaves it."""
    queued_for: int | None = None
    """Where it waits afterwards; none: somebody works it."""


def first_owner(work: Work, ticket: Ticket, how: How = "opened", reason: str = "") -> None:
    """The chain's first link, for a ticket just added."""
    work.session.add(
        Ownership(
            ticket_id=ticket.id,
            position=1,
            owner_id=ticket.owner_id,
            from_id=None,
            how=how,
            reason=reason,
            by=work.actor.key,
            at=work.now,
        )
    )


def change_owner(work: Work, ticket: Ticket, change: Change) -> None:
    """Move ownership in one step, by compare-and-set on the version that `ticket` was read with.

    Raises `Stale` naming the owner where somebody was faster, `Unknown` where the new owner is not active.
    """
    fit = work.session.scalar(
        select(Person.id).where(Person.id == change.to_id, Person.active).with_for_update(read=True)
    )
    if fit is None:
        raise Unknown(_("There is no such person, or they no longer work here."))
    before, version, queued = ticket.owner_id, ticket.owner_version, ticket.queued_for
    values = {
        "owner_id": change.to_id,
        "owner_version": version + 1,
        "tier": change.tier or ticket.tier,
        "queued_for": change.queued_for,
        "queued_at": None if change.queued_for is None else (ticket.queued_at or work.now),
        "updated_at": work.now,
    }
    won = work.session.execute(
        update(Ticket)
        .where(Ticket.id == ticket.id, Ticket.owner_version == version, Ticket.owner_id == before)
        .values(**values)
        .returning(Ticket.id)
        .execution_options(synchronize_session=False)
    ).first()
    if won is None:
        raise faster(work, ticket.id)
    work.session.add(
        Ownership(
            ticket_id=ticket.id,
            position=version + 1,
            owner_id=change.to_id,
            from_id=before,
            how=change.how,
            reason=change.reason,
            by=work.actor.key,
            at=work.now,
        )
    )
    work.session.flush()
    work.session.refresh(ticket)
    work.record(f"room:{ticket.id}", change.event)
    if before != change.to_id:
        work.record(f"lane:{ticket.id}", OwnerShown(ticket_id=ticket.id, to_id=change.to_id))
        work.record(f"person:{before}", TicketLeftYou(ticket_id=ticket.id))
        # From outside the team, owning it was all that let them see it.
        change_rights(work, [before])
        work.record(f"person:{change.to_id}", TicketBecameYours(ticket_id=ticket.id))
    tell_queue(work, ticket, queued)


def duty_lead_of(work: Work, ticket: Ticket) -> int:
    """Who owns what nobody has taken in the ticket's team; held, so that nobody else is named meanwhile."""
    lead = select(Team.duty_lead_id).where(Team.id == ticket.team_id)
    return work.session.scalars(lead.with_for_update(read=True)).one()


def tell_queue(work: Work, ticket: Ticket, before: int | None) -> None:
    """Let the team's screens know where the queue changed."""
    if ticket.queued_for == before:
        return
    if ticket.queued_for is None:
        work.record(f"team:{ticket.team_id}", TicketLeftQueue(ticket_id=ticket.id))
    else:
        work.record(f"team:{ticket.team_id}", TicketQueued(ticket_id=ticket.id, tier=ticket.queued_for))


def faster(work: Work, ticket_id: int) -> Stale:
    """Somebody else changed the owner first: who owns it now."""
    owner = work.session.scalar(
        select(Person.name).join(Ticket, Ticket.owner_id == Person.id).where(Ticket.id == ticket_id)
    )
    return Stale(
        _("Somebody was faster: %(owner)s owns this ticket now. Nothing of yours was changed.")
        % {"owner": owner or _("somebody else")}
    )
