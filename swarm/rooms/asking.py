"""Asks: opened, passed on to the next, closed; and the invitations they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from swarm.events.refusals import NotAllowed, Stale, Unfit, Unknown, ensure
from swarm.modes import mode_of
from swarm.people.actions import change_rights
from swarm.people.events import SkillRemoved
from swarm.people.models import Person, Skill
from swarm.rooms import rules
from swarm.rooms.events import (
    AskClosed,
    AskExpired,
    AskOpened,
    AskOver,
    AskReached,
    AskSettled,
    HelpAsked,
    PersonInvited,
)
from swarm.rooms.models import Ask, AskSkill, Invitation, InvitationSkill
from swarm.rooms.queries import present_stay
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets.actions import admit, expel
from swarm.tickets.events import (
    ModeMoved,
    TicketResolved,
)
from swarm.tickets.models import Ticket
from swarm.tickets.queries import case_for, find

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
    if not works_here(work, invitee.person_id):
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


def expire(work: Work, minutes: int, limit: int = 100) -> int:
    """Let go of people who were found by skill and did not answer in time; how many were."""
    due = (
        select(Invitation.id, Invitation.ticket_id)
        .where(
            Invitation.state == "pending",
            ~Invitation.named,
            Invitation.at < work.now - timedelta(minutes=minutes),
        )
        .order_by(Invitation.at)
        .limit(limit)
    )
    found = work.session.execute(due).all()
    # Everything about a ticket is serialised by its row.
    held = select(Ticket.id).where(Ticket.id.in_({row.ticket_id for row in found})).order_by(Ticket.id)
    work.session.execute(held.with_for_update())
    expired = 0
    for row in found:
        invitation = work.session.get_one(Invitation, row.id, populate_existing=True)
        if invitation.state != "pending":
            continue
        invitation.state, invitation.answered_at = "expired", work.now
        work.session.flush()
        let_go(work, invitation)
        work.record(
            f"room:{invitation.ticket_id}",
            AskExpired(
                ticket_id=invitation.ticket_id,
                ask_id=invitation.ask_id,
                invitation_id=invitation.id,
                person_id=invitation.person_id,
            ),
        )
        settled(work, invitation)
        expired += 1
    return expired


def keep_what_was_asked(work: Work, event: SkillRemoved) -> None:
    """A skill that was ever asked for stays: asks say what they wanted. Raises `NotAllowed`."""
    wanted = select(AskSkill.ask_id).where(AskSkill.skill_id == event.skill_id)
    if work.session.scalar(wanted.limit(1)) is not None:
        raise NotAllowed(_("Somebody was asked for this before, and asks keep what they wanted."))


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


def _close(work: Work, asked: Ask) -> None:
    if asked.state == "closed":
        return
    asked.state, asked.closed_at = "closed", work.now
    pending = select(Invitation).where(Invitation.ask_id == asked.id, Invitation.state == "pending")
    for invitation in work.session.scalars(pending.order_by(Invitation.id)).all():
        invitation.state, invitation.answered_at = "withdrawn", work.now
        work.session.flush()
        let_go(work, invitation)
        settled(work, invitation)
    work.record(f"room:{asked.ticket_id}", AskClosed(ticket_id=asked.ticket_id, ask_id=asked.id))
    team_id = work.session.get_one(Ticket, asked.ticket_id).team_id
    work.record(f"team:{team_id}", AskOver(ticket_id=asked.ticket_id, ask_id=asked.id))


def let_go(work: Work, invitation: Invitation) -> None:
    """What an invitation gave ends with it, unless they are in the swarm or asked another time."""
    if present_stay(work.session, invitation.ticket_id, invitation.person_id) is not None:
        return
    if not is_asked(work, invitation.ticket_id, invitation.person_id):
        expel(work, invitation.ticket_id, [invitation.person_id])
        change_rights(work, [invitation.person_id])


def is_asked(work: Work, ticket_id: int, person_id: int) -> bool:
    """Whether an ask about this ticket waits for them."""
    waiting = select(Invitation.id).where(
        Invitation.ticket_id == ticket_id, Invitation.person_id == person_id, Invitation.state == "pending"
    )
    return work.session.scalar(waiting.limit(1)) is not None


def works_here(work: Work, person_id: int) -> bool:
    """Whether they have an active account; their row is held."""
    # Held, and not shared: what follows changes the row.
    active = select(Person.active).where(Person.id == person_id).with_for_update(key_share=True)
    return work.session.scalar(active) is True


def settled(work: Work, invitation: Invitation) -> None:
    """Tells them that the ask no longer waits for them."""
    work.record(
        f"person:{invitation.person_id}",
        AskSettled(ticket_id=invitation.ticket_id, invitation_id=invitation.id),
    )
