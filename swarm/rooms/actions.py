"""Writes of the swarm: accept, decline, raise a hand, leave, dismiss."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, union

from swarm.events.refusals import NotAllowed, Stale, Unknown, ensure
from swarm.modes import mode_of
from swarm.people.actions import change_rights
from swarm.people.events import PersonDeactivated
from swarm.rooms import rules
from swarm.rooms.asking import is_asked, let_go, settled, works_here
from swarm.rooms.events import (
    AskAccepted,
    AskDeclined,
    ExpertDismissed,
    HandRaised,
    InvitationWithdrawn,
    RoomLeft,
)
from swarm.rooms.models import Invitation, Stay
from swarm.rooms.queries import present_stay, wanted_by_open_asks
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets.actions import admit, expel
from swarm.tickets.events import (
    ModeMoved,
    TicketClosed,
    TicketFellToDutyLead,
    TicketHandedOver,
    TicketReturned,
    TicketTaken,
    TicketTakenOver,
)
from swarm.tickets.models import Ticket
from swarm.tickets.queries import case_for, find

NewOwner = TicketTaken | TicketTakenOver | TicketHandedOver | TicketReturned | TicketFellToDutyLead


def accept(work: Work, invitation_id: int) -> Invitation:
    """Come into the room. Raises `Unknown`, and `Stale` where the ask is over."""
    invitation = _own_invitation(work, invitation_id)
    if invitation.state == "accepted":
        return invitation
    _still_pending(invitation)
    _join(work, invitation.ticket_id, invitation.person_id, "asked", invitation.ask_id)
    # Whoever comes answers everything they were asked about this ticket.
    for waiting in _pending(work, invitation.ticket_id, invitation.person_id):
        waiting.state, waiting.answered_at = "accepted", work.now
        work.record(
            f"room:{waiting.ticket_id}",
            AskAccepted(ticket_id=waiting.ticket_id, ask_id=waiting.ask_id, person_id=waiting.person_id),
        )
        settled(work, waiting)
    return invitation


def decline(work: Work, invitation_id: int, why: str = "") -> Invitation:
    """Cannot help now; the next is asked. Raises `Unknown`, and `Stale` where the ask is over."""
    invitation = _own_invitation(work, invitation_id)
    if invitation.state == "declined":
        return invitation
    _still_pending(invitation)
    invitation.state, invitation.answered_at, invitation.said = "declined", work.now, why
    work.session.flush()
    let_go(work, invitation)
    work.record(
        f"room:{invitation.ticket_id}",
        AskDeclined(
            ticket_id=invitation.ticket_id,
            ask_id=invitation.ask_id,
            invitation_id=invitation.id,
            person_id=invitation.person_id,
        ),
    )
    settled(work, invitation)
    return invitation


def raise_hand(work: Work, ticket_id: int) -> None:
    """Join unasked. Raises `Unknown`, `NotAllowed`."""
    person_id = _person(work)
    ticket = work.hold(Ticket, ticket_id)
    has_skill = bool(wanted_by_open_asks(work.session, ticket_id) & work.actor.skills)
    if ticket is None or not has_skill:
        ticket = find(work.session, work.actor, ticket_id)
    case = case_for(work.session, work.actor, ticket)
    ensure(rules.may_raise_hand(case, mode_of(ticket.mode), has_skill=has_skill))
    for invitation in _pending(work, ticket_id, person_id):
        invitation.state, invitation.answered_at = "accepted", work.now
        settled(work, invitation)
    _join(work, ticket_id, person_id, "hand", None)
    work.record(f"room:{ticket_id}", HandRaised(ticket_id=ticket_id, person_id=person_id))


def leave(work: Work, ticket_id: int) -> None:
    """Go out of the room. Raises `Unknown`, `NotAllowed`."""
    find(work.session, work.actor, ticket_id, lock=True)
    _end_stay(work, ticket_id, _person(work), "left")
    work.record(f"room:{ticket_id}", RoomLeft(ticket_id=ticket_id, person_id=_person(work)))


def dismiss(work: Work, ticket_id: int, person_id: int) -> None:
    """The owner lets somebody go, with thanks. Raises `Unknown`, `NotAllowed`."""
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    ensure(rules.may_dismiss(case_for(work.session, work.actor, ticket)))
    _end_stay(work, ticket_id, person_id, "dismissed")
    work.record(f"room:{ticket_id}", ExpertDismissed(ticket_id=ticket_id, person_id=person_id))


def send_home(work: Work, event: ModeMoved | TicketClosed) -> None:
    """A ticket that became tiered, or was closed, has no swarm."""
    stays = select(Stay).where(Stay.ticket_id == event.ticket_id, Stay.left_at.is_(None)).order_by(Stay.id)
    for stay in work.session.scalars(stays).all():
        _end_stay(work, event.ticket_id, stay.person_id, "moved")


def seat_owner(work: Work, event: NewOwner) -> None:
    """Who owns the ticket is not one of the helpers: their stay, and what was asked of them, end."""
    for invitation in _pending(work, event.ticket_id, event.to_id):
        invitation.state, invitation.answered_at = "withdrawn", work.now
        settled(work, invitation)
        work.record(
            f"room:{event.ticket_id}",
            InvitationWithdrawn(
                ticket_id=event.ticket_id, ask_id=invitation.ask_id, person_id=invitation.person_id
            ),
        )
    if (stay := present_stay(work.session, event.ticket_id, event.to_id)) is not None:
        stay.left_at, stay.left_how = work.now, "owner"
    work.session.flush()
    expel(work, event.ticket_id, [event.to_id])


def withdraw_person(work: Work, event: PersonDeactivated) -> None:
    """A deactivated person is asked nothing and sits in no room."""
    concerned = union(
        select(Invitation.ticket_id).where(
            Invitation.person_id == event.person_id, Invitation.state == "pending"
        ),
        select(Stay.ticket_id).where(Stay.person_id == event.person_id, Stay.left_at.is_(None)),
    )
    held = select(Ticket.id).where(Ticket.id.in_(concerned)).order_by(Ticket.id)
    work.session.execute(held.with_for_update())
    pending = select(Invitation).where(Invitation.person_id == event.person_id, Invitation.state == "pending")
    for invitation in work.session.scalars(pending.order_by(Invitation.id)).all():
        invitation.state, invitation.answered_at = "withdrawn", work.now
        work.session.flush()
        let_go(work, invitation)
        work.record(
            f"room:{invitation.ticket_id}",
            AskDeclined(
                ticket_id=invitation.ticket_id,
                ask_id=invitation.ask_id,
                invitation_id=invitation.id,
                person_id=event.person_id,
            ),
        )
    stays = select(Stay).where(Stay.person_id == event.person_id, Stay.left_at.is_(None)).order_by(Stay.id)
    for stay in work.session.scalars(stays).all():
        _end_stay(work, stay.ticket_id, event.person_id, "deactivated")
        work.record(f"room:{stay.ticket_id}", RoomLeft(ticket_id=stay.ticket_id, person_id=event.person_id))


def _pending(work: Work, ticket_id: int, person_id: int) -> Sequence[Invitation]:
    waiting = select(Invitation).where(
        Invitation.ticket_id == ticket_id,
        Invitation.person_id == person_id,
        Invitation.state == "pending",
    )
    return work.session.scalars(waiting.order_by(Invitation.id)).all()


def _own_invitation(work: Work, invitation_id: int) -> Invitation:
    invitation = work.session.get(Invitation, invitation_id)
    if invitation is None or invitation.person_id != work.actor.person_id:
        raise Unknown(_("There is no such ask, or it is not for you."))
    # Everything about a ticket is serialised by its row.
    work.hold(Ticket, invitation.ticket_id)
    work.session.refresh(invitation)
    return invitation


def _still_pending(invitation: Invitation) -> None:
    if invitation.state != "pending":
        raise Stale(_("This ask is over: nobody waits for your answer any more. Thank you all the same."))


def _join(work: Work, ticket_id: int, person_id: int, how: str, ask_id: int | None) -> None:
    if not works_here(work, person_id):
        raise Unknown(_("There is no such person, or they no longer work here."))
    if present_stay(work.session, ticket_id, person_id) is None:
        work.session.add(
            Stay(ticket_id=ticket_id, person_id=person_id, ask_id=ask_id, how=how, joined_at=work.now)
        )
    admit(work, ticket_id, person_id, "swarm")
    change_rights(work, [person_id])


def _end_stay(work: Work, ticket_id: int, person_id: int, how: str) -> None:
    stay = present_stay(work.session, ticket_id, person_id)
    if stay is None:
        raise NotAllowed(_("They are not in this room."))
    stay.left_at, stay.left_how = work.now, how
    work.session.flush()
    expel(work, ticket_id, [person_id])
    if is_asked(work, ticket_id, person_id):
        admit(work, ticket_id, person_id, "asked")
    change_rights(work, [person_id])


def _person(work: Work) -> int:
    if work.actor.person_id is None:
        raise NotAllowed(_("Only colleagues do this."))
    return work.actor.person_id
