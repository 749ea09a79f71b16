"""What is asked of me: asks that reached me, and open ones on which I may raise a hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from swarm.modes import mode_of
from swarm.people.queries import Face
from swarm.rooms.models import Ask, AskSkill
from swarm.rooms.queries import Waiting, asked_of
from swarm.rooms.rules import may_raise_hand
from swarm.store import Work
from swarm.tickets.cases import cases_for
from swarm.tickets.models import Ticket
from swarm.tickets.queries import visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An ask as the person it is put to sees it."""

    ask_id: int
    ticket_id: int
    asker: str
    hue: int
    question: str
    tried: str
    skills: Sequence[str]
    at: datetime
    invitation_id: int | None
    href: str
    """The case; empty for an open ask on a ticket that only a raised hand opens to them."""
    subject: str

    @property
    def is_mine(self) -> bool:
        """It reached me: somebody waits for my answer."""
        return self.invitation_id is not None


def asked_list(work: Work) -> Sequence[Asked]:
    """Invitations first, then open asks whose rule lets this person in."""
    session, actor = work.session, work.actor
    waiting = asked_of(session, actor)
    tickets = {one.ticket.id: one.ticket for one in waiting}
    cases = cases_for(session, actor, tickets.values())
    wanted = set(
        session.scalars(
            select(Ask.ticket_id)
            .join(AskSkill, AskSkill.ask_id == Ask.id)
            .where(Ask.state == "open", Ask.ticket_id.in_(tickets), AskSkill.skill_id.in_(actor.skills))
        )
    )
    seen = set(session.scalars(select(Ticket.id).where(Ticket.id.in_(tickets), visible(actor))))
    return [
        _asked(one, seen)
        for one in waiting
        if one.invitation is not None
        or may_raise_hand(cases[one.ticket.id], mode_of(one.ticket.mode), has_skill=one.ticket.id in wanted)
    ]


def _asked(one: Waiting, seen: set[int]) -> Asked:
    visible_to_me = one.ticket.id in seen
    return Asked(
        ask_id=one.ask.id,
        ticket_id=one.ticket.id,
        asker=one.asker,
        hue=Face(f"person:{one.ask.asked_by}", one.asker).hue,
        question=one.ask.question,
        tried=one.ask.tried,
        skills=one.skills,
        at=one.invitation.at if one.invitation else one.ask.at,
        invitation_id=one.invitation.id if one.invitation else None,
        href=f"/tickets/{one.ticket.id}" if visible_to_me else "",
        subject=one.ticket.subject if visible_to_me else "",
    )
