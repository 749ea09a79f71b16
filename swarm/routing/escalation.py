"""Escalation between tiers: ask the next tier to take a ticket, or send it back down."""

from __future__ import annotations

from sqlalchemy import select, update

from swarm.events.refusals import ensure
from swarm.modes import mode_of
from swarm.people.models import Membership, Person
from swarm.routing.events import EscalationEnded, TicketEscalated
from swarm.routing.models import Escalation
from swarm.store import Work
from swarm.tickets.events import ModeMoved, TicketResolved, TicketReturned, TicketTaken, TicketTakenOver
from swarm.tickets.models import Ticket
from swarm.tickets.ownership import Change, change_owner, duty_lead_of, faster, tell_queue
from swarm.tickets.queries import case_for, find


def escalate(work: Work, ticket_id: int, reason: str, note: str, seen: int | None = None) -> Escalation:
    """Put the ticket into the next tier's queue; its owner stays until somebody there takes it.

    Raises `Unknown`, `NotAllowed`, `Stale`.
    """
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    if seen is not None and seen != ticket.owner_version:
        raise faster(work, ticket_id)
    case, mode = case_for(work.session, work.actor, ticket), mode_of(ticket.mode)
    ensure(mode.may_escalate(case))
    to_tier = mode.next_tier(case)
    assert to_tier is not None, "the rule refuses the highest tier"
    escalation = Escalation(
        ticket_id=ticket_id,
        from_tier=ticket.tier,
        to_tier=to_tier,
        by_id=ticket.owner_id,
        reason=reason,
        note=note,
        at=work.now,
    )
    work.session.add(escalation)
    queued = ticket.queued_for
    ticket.queued_for, ticket.queued_at, ticket.updated_at = to_tier, work.now, work.now
    work.session.flush()
    work.record(
        f"room:{ticket_id}",
        TicketEscalated(ticket_id=ticket_id, escalation_id=escalation.id, tier=to_tier),
    )
    tell_queue(work, ticket, queued)
    return escalation


def send_back(work: Work, ticket_id: int, reason: str, seen: int | None = None) -> Ticket:
    """Return an escalated ticket: to its owner while nobody took it, otherwise to who escalated it.

    Raises `Unknown`, `NotAllowed`, `Stale`.
    """
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    if seen is not None and seen != ticket.owner_version:
        raise faster(work, ticket_id)
    case = case_for(work.session, work.actor, ticket)
    ensure(mode_of(ticket.mode).may_return(case))
    if case.waits_for_tier is not None and not case.is_unclaimed:
        queued, ticket.queued_for, ticket.queued_at = ticket.queued_for, None, None
        ticket.updated_at = work.now
        work.session.flush()
        _end(work, ticket_id, "withdrawn" if case.is_owner else "returned", reason)
        tell_queue(work, ticket, queued)
        return ticket
    below = ticket.tier - 1
    came_from = _who_escalated(work, ticket)
    to_id = came_from or duty_lead_of(work, ticket)
    change_owner(
        work,
        ticket,
        Change(
            to_id=to_id,
            how="returned",
            event=TicketReturned(ticket_id=ticket_id, from_id=ticket.owner_id, to_id=to_id, tier=below),
            reason=reason,
            tier=below,
            # Who escalated it has left: somebody of the tier below must take it from the duty lead.
            queued_for=None if came_from else (below if below > 1 else 0),
        ),
    )
    return ticket


def end_when_taken(work: Work, event: TicketTaken | TicketTakenOver) -> None:
    """A taken ticket no longer waits."""
    work.session.execute(
        update(Escalation)
        .where(Escalation.ticket_id == event.ticket_id, Escalation.ended_at.is_(None))
        .values(ended_at=work.now, outcome="taken")
    )


def end_when_over(work: Work, event: TicketResolved | ModeMoved) -> None:
    """Resolved, or moved to the other mode: nobody needs to take it."""
    _open_one(work, event.ticket_id, "moved" if isinstance(event, ModeMoved) else "withdrawn")


def _open_one(work: Work, ticket_id: int, outcome: str, reason: str = "") -> Escalation | None:
    escalation = work.session.scalars(
        select(Escalation).where(Escalation.ticket_id == ticket_id, Escalation.ended_at.is_(None))
    ).one_or_none()
    if escalation is not None:
        escalation.ended_at, escalation.outcome, escalation.answer = work.now, outcome, reason
    return escalation


def _end(work: Work, ticket_id: int, outcome: str, reason: str) -> None:
    escalation = _open_one(work, ticket_id, outcome, reason)
    if escalation is not None:
        work.record(
            f"room:{ticket_id}",
            EscalationEnded(
                ticket_id=ticket_id, escalation_id=escalation.id, tier=escalation.from_tier, outcome=outcome
            ),
        )


def _who_escalated(work: Work, ticket: Ticket) -> int | None:
    return work.session.scalar(
        select(Escalation.by_id)
        .join(Person, Person.id == Escalation.by_id)
        .join(Membership, (Membership.person_id == Person.id) & (Membership.team_id == ticket.team_id))
        .where(
            Escalation.ticket_id == ticket.id,
            Escalation.to_tier == ticket.tier,
            Escalation.outcome == "taken",
            Person.active,
            Person.id != ticket.owner_id,
        )
        .order_by(Escalation.id.desc())
        .limit(1)
    )
