"""Writes of the swarm: ask, accept, decline, raise a hand, leave, dismiss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, union

from swarm.events.refusals import NotAllowed, Stale, Unfit, Unknown, ensure
from swarm.modes import mode_of
from swarm.people.actions import change_rights
from swarm.people.events import PersonDeactivated
from swarm.people.models import Person, Skill
from swarm.rooms import rules
from swarm.rooms.events import (
    AskAccepted,
    AskClosed,
    AskDeclined,
    AskOpened,
    AskOver,
    AskReached,
    AskSettled,
    ExpertDismissed,
    HandRaised,
    HelpAsked,
    InvitationWithdrawn,
    PersonInvited,
    RoomLeft,
)
from swarm.rooms.models import Ask, AskSkill, Invitation, InvitationSkill, Stay
from swarm.rooms.queries import present_stay, wanted_by_open_asks
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets.actions import admit, expel
from swarm.tickets.events import (
    ModeMoved,
    TicketClosed,
    TicketFellToDutyLead,
    TicketHandedOver,
    TicketResolved,
    TicketReturned,
    TicketTaken,
    TicketTakenOver,
)
from swarm.tickets.models import Ticket
from swarm.tickets.queries import case_for, find

NewOwner = TicketTaken | TicketTakenOver | TicketHandedOver | TicketReturned | TicketFellToDutyLead
MOST_SKILLS = 10
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Invitee:
    """Somebody an ask should reach, and the wanted skills they bring."""

    person_id: int
    named: bool
    skill_ids: Sequence[int] = ()


def ask(
    work: Work,
    ticket_id: int,
    *,
    question: str,
    tried: str,
    skill_ids: Sequence[int],
    invitees: Sequence[Invitee],
    client_id: str,
) -> Ask:
    """Call for help: the question, what was tried, and who is reached.

    Raises `Unknown`, `NotAllowed`, `Unfit`, and `Stale` where the client id stands for another ask.
    """
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    if (earlier := earlier_ask(work, ticket_id, question, client_id)) is not None:
        return earlier
    ensure(mode_of(ticket.mode).may_ask(case_for(work.session, work.actor, ticket)))
    if len(set(skill_ids)) > MOST_SKILLS:
        raise Unfit(_("An ask names at most %(most)s skills.") % {"most": MOST_SKILLS}, "skills")
    if sum(invitee.named for invitee in invitees) > MOST_NAMED:
        raise Unfit(_("An ask names at most %(most)s people.") % {"most": MOST_NAMED}, "people")
    if not skill_ids and not invitees:
        raise Unfit(_("Say which skills you need, or name somebody."), "skills")
    # In order of id, so that two asks for the same people wait for each other instead of stopping each other.
    people = select(Person.id).where(Person.id.in_([invitee.person_id for invitee in invitees]))
    work.session.execute(people.order_by(Person.id).with_for_update(key_share=True))
    known = set(work.session.scalars(select(Skill.id).where(Skill.id.in_(skill_ids))))
    if known != set(skill_ids):
        raise Unfit(_("There is no such skill."), "skills")
    new = Ask(
        ticket_id=ticket_id,
        asked_by=ticket.owner_id,
        question=question,
        tried=tried,
        client_id=client_id,
        at=work.now,
    )
    work.session.add(new)
    work.session.flush()
    work.session.add_all(AskSkill(ask_id=new.id, skill_id=skill) for skill in sorted(known))
    ticket.updated_at = work.now
    work.record(f"room:{ticket_id}", HelpAsked(ticket_id=ticket_id, ask_id=new.id))
    work.record(f"team:{ticket.team_id}", AskOpened(ticket_id=ticket_id, ask_id=new.id))
    for invitee in invitees:
        invite(work, new, invitee, announce=False)
    return new


def invite(work: Work, ask: Ask, invitee: Invitee, *, announce: bool = True) -> None:
    """Let an open ask reach one more person. Raises `Unfit` for somebody who left or owns the ticket."""
    if not _works_here(work, invitee.person_id):
        raise Unfit(_("There is no such person, or they no longer work here."), "people")
    if invitee.person_id == ask.asked_by:
        raise Unfit(_("You cannot ask yourself."), "people")
    invitation = Invitation(
        ask_id=ask.id,
        ticket_id=ask.ticket_id,
        person_id=invitee.person_id,
        named=invitee.named,
        at=work.now,
    )
    work.session.add(invitation)
    work.session.flush()
    work.session.add_all(
        InvitationSkill(invitation_id=invitation.id, skill_id=skill) for skill in invitee.skill_ids
    )
    admit(work, ask.ticket_id, invitee.person_id, "asked")
    change_rights(work, [invitee.person_id])
    work.record(
        f"person:{invitee.person_id}",
        AskReached(ticket_id=ask.ticket_id, ask_id=ask.id, invitation_id=invitation.id),
    )
    if announce:
        work.record(
            f"room:{ask.ticket_id}",
            PersonInvited(ticket_id=ask.ticket_id, ask_id=ask.id, person_id=invitee.person_id),
        )


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
        _settled(work, waiting)
    return invitation


def decline(work: Work, invitation_id: int, why: str = "") -> Invitation:
    """Cannot help now; the next is asked. Raises `Unknown`, and `Stale` where the ask is over."""
    invitation = _own_invitation(work, invitation_id)
    if invitation.state == "declined":
        return invitation
    _still_pending(invitation)
    invitation.state, invitation.answered_at, invitation.said = "declined", work.now, why
    work.session.flush()
    _let_go(work, invitation)
    work.record(
        f"room:{invitation.ticket_id}",
        AskDeclined(
            ticket_id=invitation.ticket_id,
            ask_id=invitation.ask_id,
            invitation_id=invitation.id,
            person_id=invitation.person_id,
        ),
    )
    _settled(work, invitation)
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
        _settled(work, invitation)
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


def close_ask(work: Work, ask_id: int) -> Ask:
    """The owner needs nobody any more. Raises `Unknown`, `NotAllowed`."""
    asked = work.session.get(Ask, ask_id)
    if asked is None:
        raise Unknown(_("There is no such ask."))
    ticket = find(work.session, work.actor, asked.ticket_id, lock=True)
    ensure(rules.may_dismiss(case_for(work.session, work.actor, ticket)))
    _close(work, asked)
    return asked


def close_asks(work: Work, event: TicketResolved | ModeMoved) -> None:
    """Nobody needs to come any more; who is in the swarm stays to the end of the talk."""
    open_asks = select(Ask).where(Ask.ticket_id == event.ticket_id, Ask.state == "open").order_by(Ask.id)
    for asked in work.session.scalars(open_asks).all():
        _close(work, asked)


def send_home(work: Work, event: ModeMoved | TicketClosed) -> None:
    """A ticket that became tiered, or was closed, has no swarm."""
    stays = select(Stay).where(Stay.ticket_id == event.ticket_id, Stay.left_at.is_(None)).order_by(Stay.id)
    for stay in work.session.scalars(stays).all():
        _end_stay(work, event.ticket_id, stay.person_id, "moved")


def seat_owner(work: Work, event: NewOwner) -> None:
    """Who owns the ticket is not one of the helpers: their stay, and what was asked of them, end."""
    for invitation in _pending(work, event.ticket_id, event.to_id):
        invitation.state, invitation.answered_at = "withdrawn", work.now
        _settled(work, invitation)
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
        _let_go(work, invitation)
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


def earlier_ask(work: Work, ticket_id: int, question: str, client_id: str) -> Ask | None:
    """The ask that was made of this form before. Raises `Stale` where it was another."""
    earlier = work.session.scalars(select(Ask).where(Ask.client_id == client_id)).one_or_none()
    if earlier is None:
        return None
    if (earlier.ticket_id, earlier.asked_by, earlier.question) != (
        ticket_id,
        work.actor.person_id,
        question,
    ):
        raise Stale(_("This ask was sent before with another question."))
    return earlier


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
    if not _works_here(work, person_id):
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
    if _is_asked(work, ticket_id, person_id):
        admit(work, ticket_id, person_id, "asked")
    change_rights(work, [person_id])


def _close(work: Work, asked: Ask) -> None:
    if asked.state == "closed":
        return
    asked.state, asked.closed_at = "closed", work.now
    pending = select(Invitation).where(Invitation.ask_id == asked.id, Invitation.state == "pending")
    for invitation in work.session.scalars(pending.order_by(Invitation.id)).all():
        invitation.state, invitation.answered_at = "withdrawn", work.now
        work.session.flush()
        _let_go(work, invitation)
        _settled(work, invitation)
    work.record(f"room:{asked.ticket_id}", AskClosed(ticket_id=asked.ticket_id, ask_id=asked.id))
    team_id = work.session.get_one(Ticket, asked.ticket_id).team_id
    work.record(f"team:{team_id}", AskOver(ticket_id=asked.ticket_id, ask_id=asked.id))


def _let_go(work: Work, invitation: Invitation) -> None:
    """What an invitation gave ends with it, unless they are in the swarm or asked another time."""
    if present_stay(work.session, invitation.ticket_id, invitation.person_id) is not None:
        return
    if not _is_asked(work, invitation.ticket_id, invitation.person_id):
        expel(work, invitation.ticket_id, [invitation.person_id])
        change_rights(work, [invitation.person_id])


def _is_asked(work: Work, ticket_id: int, person_id: int) -> bool:
    waiting = select(Invitation.id).where(
        Invitation.ticket_id == ticket_id, Invitation.person_id == person_id, Invitation.state == "pending"
    )
    return work.session.scalar(waiting.limit(1)) is not None


def _works_here(work: Work, person_id: int) -> bool:
    # Held, and not shared: what follows changes the row.
    active = select(Person.active).where(Person.id == person_id).with_for_update(key_share=True)
    return work.session.scalar(active) is True


def _settled(work: Work, invitation: Invitation) -> None:
    work.record(
        f"person:{invitation.person_id}",
        AskSettled(ticket_id=invitation.ticket_id, invitation_id=invitation.id),
    )


def _person(work: Work) -> int:
    if work.actor.person_id is None:
        raise NotAllowed(_("Only colleagues do this."))
    return work.actor.person_id
