"""Writes: one verb a thing people do to a ticket."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Literal

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from swarm.events import SYSTEM
from swarm.events.refusals import NotAllowed, Unfit, ensure
from swarm.modes import mode_of, other_than
from swarm.people.events import DutyLeadNamed, PersonDeactivated
from swarm.people.queries import person_actor
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets import rules
from swarm.tickets.events import (
    AnswerMarked,
    AnswerUnmarked,
    DetailsChanged,
    ModeMoved,
    TicketClosed,
    TicketFellToDutyLead,
    TicketHandedOver,
    TicketHeld,
    TicketMoved,
    TicketQueued,
    TicketReopened,
    TicketResolved,
    TicketResumed,
    TicketTaken,
    TicketTakenOver,
    TicketWaiting,
)
from swarm.tickets.models import Admission, Message, Read, Ticket, TicketTag
from swarm.tickets.opening import PRIORITIES, tag
from swarm.tickets.ownership import Change, change_owner, duty_lead_of, faster, tell_queue
from swarm.tickets.queries import ACTIVE, case_for, find, tags_of
from swarm.tickets.words import LANGUAGES

Pace = Literal["open", "waiting", "on_hold"]


def take(work: Work, ticket_id: int, seen: int | None = None) -> Ticket:
    """Become the owner; `seen` is the version of the ownership the person acted on.

    Raises `Unknown`, `NotAllowed`, `Stale`.
    """
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    if ticket.owner_id == work.actor.person_id and ticket.queued_for is None:
        return ticket
    if seen is not None and seen != ticket.owner_version:
        raise faster(work, ticket_id)
    case, mode = case_for(work.session, work.actor, ticket), mode_of(ticket.mode)
    ensure(rules.may_take(case, mode))
    to_id = _person(work)
    by_right = bool(mode.may_take(case))
    event = (TicketTaken if by_right else TicketTakenOver)(
        ticket_id=ticket_id, from_id=ticket.owner_id, to_id=to_id
    )
    change_owner(
        work,
        ticket,
        Change(
            to_id=to_id,
            how="taken" if by_right else "taken_over",
            event=event,
            tier=mode.tier_after_taking(case),
        ),
    )
    return ticket


def hand_over(work: Work, ticket_id: int, to_id: int, reason: str, seen: int | None = None) -> Ticket:
    """Give the ticket to a named person. Raises `Unknown`, `NotAllowed`, `Stale`, `Unfit`."""
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    if seen is not None and seen != ticket.owner_version:
        raise faster(work, ticket_id)
    case, mode = case_for(work.session, work.actor, ticket), mode_of(ticket.mode)
    ensure(rules.may_hand_over(case, mode))
    if to_id == ticket.owner_id:
        raise Unfit(_("They own this ticket already."), "to")
    ensure(mode.may_receive(case_for(work.session, person_actor(work.session, to_id), ticket)))
    change_owner(
        work,
        ticket,
        Change(
            to_id=to_id,
            how="handed_over",
            event=TicketHandedOver(ticket_id=ticket_id, from_id=ticket.owner_id, to_id=to_id),
            reason=reason,
            queued_for=None if case.is_unclaimed else ticket.queued_for,
        ),
    )
    return ticket


def set_pace(work: Work, ticket_id: int, pace: Pace) -> Ticket:
    """Go on, wait for the customer, or put on hold. Raises `Unknown`, `NotAllowed`."""
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    ensure(rules.may_hold(case_for(work.session, work.actor, ticket)))
    if ticket.status != pace:
        ticket.status, ticket.updated_at = pace, work.now
        event = {"open": TicketResumed, "waiting": TicketWaiting, "on_hold": TicketHeld}[pace]
        work.record(f"lane:{ticket_id}", event(ticket_id=ticket_id))
        _tell_owner(work, ticket)
    return ticket


def resolve(work: Work, ticket_id: int) -> Ticket:
    """Hold it for solved; asks and escalations end with it. Raises `Unknown`, `NotAllowed`."""
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    ensure(rules.may_resolve(case_for(work.session, work.actor, ticket)))
    queued = ticket.queued_for
    ticket.status, ticket.resolved_at, ticket.updated_at = "resolved", work.now, work.now
    ticket.queued_for = ticket.queued_at = None
    work.session.flush()
    work.record(f"lane:{ticket_id}", TicketResolved(ticket_id=ticket_id))
    tell_queue(work, ticket, queued)
    _tell_owner(work, ticket)
    return ticket


def reopen(work: Work, ticket_id: int) -> Ticket:
    """Open a resolved ticket again. Raises `Unknown`, `NotAllowed`."""
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    ensure(rules.may_reopen(case_for(work.session, work.actor, ticket)))
    ticket.status, ticket.resolved_at, ticket.updated_at = "open", None, work.now
    work.record(f"lane:{ticket_id}", TicketReopened(ticket_id=ticket_id))
    _tell_owner(work, ticket)
    return ticket


def mark_answer(work: Work, ticket_id: int, message_id: int) -> Ticket:
    """Say which message of the room solved it. Raises `Unknown`, `NotAllowed`, `Unfit`."""
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    ensure(rules.may_mark_answer(case_for(work.session, work.actor, ticket)))
    message = work.session.get(Message, message_id)
    if message is None or (message.ticket_id, message.lane) != (ticket_id, "room"):
        raise Unfit(_("The answer is a message of this ticket’s room."), "message")
    if ticket.answer_id != message_id:
        before, ticket.answer_id, ticket.updated_at = ticket.answer_id, message_id, work.now
        work.record(
            f"room:{ticket_id}",
            AnswerMarked(ticket_id=ticket_id, message_id=message_id, before_id=before),
        )
    return ticket


def unmark_answer(work: Work, ticket_id: int) -> Ticket:
    """No message solved it after all. Raises `Unknown`, `NotAllowed`."""
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    ensure(rules.may_mark_answer(case_for(work.session, work.actor, ticket)))
    if (before := ticket.answer_id) is not None:
        ticket.answer_id, ticket.updated_at = None, work.now
        work.record(f"room:{ticket_id}", AnswerUnmarked(ticket_id=ticket_id, before_id=before))
    return ticket


def change_details(
    work: Work, ticket_id: int, *, priority: int, category: str, language: str, tags: Sequence[str]
) -> Ticket:
    """Priority, category, language and tags. Raises `Unknown`, `NotAllowed`, `Unfit`."""
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    ensure(rules.may_change_details(case_for(work.session, work.actor, ticket)))
    if not 0 <= priority < len(PRIORITIES):
        raise Unfit(_("There is no such priority."), "priority")
    if language not in (*LANGUAGES, ticket.language):
        raise Unfit(_("Choose one of the offered languages."), "language")
    words = sorted({word.strip().lower() for word in tags if word.strip()})
    changed = []
    if ticket.priority != priority:
        changed.append("priority")
    if ticket.category != category:
        changed.append("category")
    if ticket.language != language:
        changed.append("language")
    if list(tags_of(work.session, [ticket_id])[ticket_id]) != words:
        changed.append("tags")
        work.session.execute(delete(TicketTag).where(TicketTag.ticket_id == ticket_id))
        tag(work, ticket_id, words)
    if changed:
        ticket.priority, ticket.category, ticket.language = priority, category, language
        ticket.updated_at = work.now
        work.record(f"room:{ticket_id}", DetailsChanged(ticket_id=ticket_id, what=",".join(changed)))
        _tell_owner(work, ticket)
        if ticket.queued_for is not None:
            # Its place in the queue may be another.
            work.record(f"team:{ticket.team_id}", TicketQueued(ticket_id=ticket_id, tier=ticket.queued_for))
    return ticket


def move_mode(work: Work, ticket_id: int, reason: str) -> Ticket:
    """Move one ticket to the other mode; asks and escalations end with it. Raises `Unknown`, `NotAllowed`."""
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    case = case_for(work.session, work.actor, ticket)
    ensure(rules.may_move_mode(case))
    mode, queued = other_than(ticket.mode), ticket.queued_for
    ticket.mode, ticket.updated_at = mode.key, work.now
    ticket.queued_for = mode.waits_without_owner(ticket.tier) if case.is_unclaimed else None
    ticket.queued_at = ticket.queued_at if case.is_unclaimed else None
    work.session.flush()
    work.record(f"room:{ticket_id}", ModeMoved(ticket_id=ticket_id, mode=mode.key, reason=reason))
    tell_queue(work, ticket, queued)
    return ticket


def mark_read(work: Work, stream: str, seq: int) -> None:
    """Note how far a person has read; never goes back."""
    dialect = postgresql if work.session.get_bind().dialect.name == "postgresql" else sqlite
    new = dialect.insert(Read).values(person_id=_person(work), stream=stream, seq=seq)
    work.session.execute(
        new.on_conflict_do_update(
            index_elements=[Read.person_id, Read.stream], set_={"seq": seq}, where=Read.seq < seq
        )
    )


def admit(work: Work, ticket_id: int, person_id: int, standing: Literal["asked", "swarm"]) -> None:
    """Let a person from outside the team see the case."""
    admission = work.session.get(Admission, (ticket_id, person_id))
    if admission is None:
        work.session.add(
            Admission(ticket_id=ticket_id, person_id=person_id, standing=standing, since=work.now)
        )
    elif admission.standing != "swarm":
        admission.standing = standing
    work.session.flush()


def expel(work: Work, ticket_id: int, person_ids: Collection[int]) -> None:
    """End what an admission gave."""
    work.session.execute(
        delete(Admission).where(Admission.ticket_id == ticket_id, Admission.person_id.in_(person_ids))
    )


def close_resolved(work: Work, reopen_days: int, limit: int = 100) -> int:
    """Close tickets whose time to be reopened is over; how many were."""
    due = work.now - timedelta(days=reopen_days)
    tickets = work.session.scalars(
        select(Ticket)
        .where(Ticket.status == "resolved", Ticket.resolved_at < due)
        .order_by(Ticket.resolved_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for ticket in tickets:
        ticket.status = "closed"
        work.record(f"lane:{ticket.id}", TicketClosed(ticket_id=ticket.id), by=SYSTEM)
    return len(tickets)


def leave_to_duty_leads(work: Work, event: PersonDeactivated) -> None:
    """Whatever a deactivated person owned falls to the duty leads and waits to be taken."""
    owned = select(Ticket).where(Ticket.owner_id == event.person_id, Ticket.status != "closed")
    for ticket in work.session.scalars(owned.order_by(Ticket.id).with_for_update()).all():
        queued = ticket.queued_for
        if ticket.status in ACTIVE and queued is None:
            queued = mode_of(ticket.mode).waits_without_owner(ticket.tier)
        _fall(work, ticket, event.person_id, queued)


def follow_duty_lead(work: Work, event: DutyLeadNamed) -> None:
    """What nobody has taken belongs to the new duty lead."""
    waiting = select(Ticket).where(
        Ticket.team_id == event.team_id,
        Ticket.owner_id == event.from_id,
        or_(Ticket.queued_for == 0, Ticket.queued_for == Ticket.tier),
    )
    for ticket in work.session.scalars(waiting.order_by(Ticket.id).with_for_update()).all():
        _fall(work, ticket, event.from_id, ticket.queued_for, event.to_id)


def _fall(work: Work, ticket: Ticket, from_id: int, queued_for: int | None, to_id: int | None = None) -> None:
    lead = to_id or duty_lead_of(work, ticket)
    change_owner(
        work,
        ticket,
        Change(
            to_id=lead,
            how="fell_to_duty_lead",
            event=TicketFellToDutyLead(ticket_id=ticket.id, from_id=from_id, to_id=lead),
            queued_for=queued_for,
        ),
    )


def _tell_owner(work: Work, ticket: Ticket) -> None:
    work.record(f"person:{ticket.owner_id}", TicketMoved(ticket_id=ticket.id))


def _person(work: Work) -> int:
    if work.actor.person_id is None:
        raise NotAllowed(_("Only colleagues do this."))
    return work.actor.person_id
