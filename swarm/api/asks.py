"""Asks: who could help, ask, answer, come unasked, go, and what waits for me."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, cast

from swarm.api.doors import Call, Door, Nothing
from swarm.api.tickets import ClientId
from swarm.api.views import Ticket, View, Who, ticket_of, who
from swarm.events.refusals import ensure
from swarm.modes import mode_of
from swarm.people.queries import skills as every_skill
from swarm.rooms import actions, asking, queries
from swarm.rooms.queries import AskedHelp, Invited
from swarm.routing.matching import ask_for_help, propose
from swarm.store import Work
from swarm.tickets.queries import case_for, find
from swarm.web.forms import Form, Many, ManyLines, Number, OneLine

Id = Annotated[int, Number(1)]
Skills = Annotated[tuple[Id, ...], Many(10)]
State = Literal["pending", "accepted", "declined", "withdrawn", "expired"]


class Asked(Form):
    """A call for help: the question, what was tried, and skills or people. `client_id` is yours."""

    question: Annotated[str, OneLine(300)]
    client_id: ClientId
    tried: Annotated[str, ManyLines(4000, min=0)] = ""
    skills: Skills = ()
    people: Skills = ()


class Wanted(Form):
    """What an ask would name."""

    skills: Skills = ()
    people: Skills = ()


class Declined(Form):
    """Why not, if you like."""

    why: Annotated[str, OneLine(300, min=0)] = ""


class Dismissed(Form):
    """Whom."""

    person: Id


class Skill(View):
    """Something people know."""

    id: int
    name: str


class Invitation(View):
    """Somebody an ask reached."""

    id: int
    person: Who
    named: bool
    """By the owner; otherwise found by skill."""
    state: State
    said: str
    skills: list[str]
    """What they were to bring."""
    at: datetime
    answered_at: datetime | None


class Ask(View):
    """A call for help."""

    id: int
    ticket: int
    by: Who
    question: str
    tried: str
    state: Literal["open", "closed"]
    skills: list[Skill]
    invited: list[Invitation]
    at: datetime


class Present(View):
    """Somebody who came to help."""

    person: Who
    skills: list[str]
    since: datetime


class Swarm(View):
    """Who is in a ticket's room now, and what is asked there."""

    owner: Who
    present: list[Present]
    asks: list[Ask]


class Proposed(View):
    """Somebody whom the ask would reach."""

    person: Who
    named: bool
    skills: list[Skill]


class Proposal(View):
    """The people named and the fewest others, and what nobody who is available knows."""

    people: list[Proposed]
    uncovered: list[Skill]


class ToAnswer(View):
    """An ask that waits for you, or one on which you may raise a hand."""

    invitation: int | None
    ask: int
    ticket: int
    subject: str
    by: Who
    question: str
    tried: str
    skills: list[str]
    at: datetime


class AllToAnswer(View):
    """Invitations first, at most a hundred; then open asks, at most a hundred."""

    items: list[ToAnswer]


def show_swarm(work: Work, call: Call[Nothing]) -> Swarm:
    """Who is in the room besides the owner, and the asks that are open."""
    ticket = find(work.session, work.actor, call.number)
    ensure(mode_of(ticket.mode).may_read_room(case_for(work.session, work.actor, ticket)))
    return Swarm(
        owner=who(work, [ticket.owner_id])[ticket.owner_id],
        present=[
            Present(
                person=Who(id=one.stay.person_id, name=one.name),
                skills=list(one.skills),
                since=one.stay.joined_at,
            )
            for one in queries.in_room(work.session, ticket.id)
        ],
        asks=[_ask(one) for one in queries.open_asks_of(work.session, ticket.id)],
    )


def ask(work: Work, call: Call[Asked]) -> Ask:
    """As the owner, call for help; sent again with the same client_id it answers the same ask."""
    sent = call.form
    asked = ask_for_help(
        work,
        call.number,
        question=sent.question,
        tried=sent.tried,
        skill_ids=sent.skills,
        person_ids=sent.people,
        client_id=sent.client_id,
    )
    return _one(work, asked.id)


def propose_people(work: Work, call: Call[Wanted]) -> Proposal:
    """Whom an ask would reach, without asking."""
    ticket = find(work.session, work.actor, call.number)
    ensure(mode_of(ticket.mode).may_ask(case_for(work.session, work.actor, ticket)))
    found = propose(work.session, ticket, call.form.skills, call.form.people)
    names = who(work, {one.person_id for one in found.invitees})
    skills = {skill.id: Skill(id=skill.id, name=skill.name) for skill in every_skill(work.session)}
    return Proposal(
        people=[
            Proposed(
                person=names[one.person_id],
                named=one.named,
                skills=[skills[id_] for id_ in one.skill_ids if id_ in skills],
            )
            for one in found.invitees
            if one.person_id in names
        ],
        uncovered=[skills[id_] for id_ in sorted(found.uncovered) if id_ in skills],
    )


def close_ask(work: Work, call: Call[Nothing]) -> Ask:
    """As the owner, ask nobody any more."""
    return _one(work, asking.close_ask(work, call.path["ask"]).id)


def dismiss(work: Work, call: Call[Dismissed]) -> Ticket:
    """As the owner, let somebody go, with thanks."""
    actions.dismiss(work, call.number, call.form.person)
    return ticket_of(work, find(work.session, work.actor, call.number))


def raise_hand(work: Work, call: Call[Nothing]) -> Ticket:
    """Come into the room unasked."""
    actions.raise_hand(work, call.number)
    return ticket_of(work, find(work.session, work.actor, call.number))


def leave(work: Work, call: Call[Nothing]) -> None:
    """Go out of the room; you may not see the ticket afterwards."""
    actions.leave(work, call.number)


def list_asked(work: Work, call: Call[Nothing]) -> AllToAnswer:
    """What is asked of you, and where you could raise a hand."""
    return AllToAnswer(
        items=[
            ToAnswer(
                invitation=one.invitation.id if one.invitation else None,
                ask=one.ask.id,
                ticket=one.ticket.id,
                subject=one.ticket.subject,
                by=Who(id=one.ask.asked_by, name=one.asker),
                question=one.ask.question,
                tried=one.ask.tried,
                skills=list(one.skills),
                at=one.ask.at,
            )
            for one in queries.asked_of(work.session, work.actor)
        ]
    )


def accept(work: Work, call: Call[Nothing]) -> Ticket:
    """Come into the room you were asked to."""
    invitation = actions.accept(work, call.path["invitation"])
    return ticket_of(work, find(work.session, work.actor, invitation.ticket_id))


def decline(work: Work, call: Call[Declined]) -> None:
    """Cannot help now; the next is asked."""
    actions.decline(work, call.path["invitation"], call.form.why)


def _one(work: Work, ask_id: int) -> Ask:
    work.session.flush()
    return _ask(queries.asks(work.session, [ask_id])[ask_id])


def _ask(one: AskedHelp) -> Ask:
    return Ask(
        id=one.ask.id,
        ticket=one.ask.ticket_id,
        by=Who(id=one.ask.asked_by, name=one.asker),
        question=one.ask.question,
        tried=one.ask.tried,
        state="open" if one.ask.state == "open" else "closed",
        skills=[Skill(id=id_, name=name) for id_, name in one.skills],
        invited=[_invitation(invited) for invited in one.invited],
        at=one.ask.at,
    )


def _invitation(one: Invited) -> Invitation:
    row = one.invitation
    return Invitation(
        id=row.id,
        person=Who(id=row.person_id, name=one.name),
        named=row.named,
        state=cast(State, row.state),
        said=row.said,
        skills=list(one.skills),
        at=row.at,
        answered_at=row.answered_at,
    )


_ONE = "/tickets/{number:int}"
DOORS: Sequence[Door] = (
    Door("GET", f"{_ONE}/swarm", show_swarm),
    Door("POST", f"{_ONE}/asks", ask, "tickets", 201),
    Door("GET", f"{_ONE}/proposal", propose_people),
    Door("POST", f"{_ONE}/hand", raise_hand, "tickets"),
    Door("POST", f"{_ONE}/leaving", leave, "tickets", 204),
    Door("POST", f"{_ONE}/dismissal", dismiss, "tickets"),
    Door("POST", "/asks/{ask:int}/end", close_ask, "tickets"),
    Door("GET", "/asked", list_asked),
    Door("POST", "/invitations/{invitation:int}/acceptance", accept, "tickets"),
    Door("POST", "/invitations/{invitation:int}/refusal", decline, "tickets", 204),
)
