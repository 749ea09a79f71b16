"""Who has a ticket: take, hand over, escalate, return, move to the other mode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from swarm.api.doors import Call, Door
from swarm.api.views import Ticket, ticket_of
from swarm.routing import escalation
from swarm.store import Work
from swarm.tickets import actions, queries
from swarm.web.forms import Form, ManyLines, Number, OneLine

Id = Annotated[int, Number(1)]


class Taken(Form):
    """`version`: of the ownership you acted on; without it, whatever it is."""

    version: Id | None = None


class HandedOver(Form):
    """To whom, and why."""

    to: Id
    reason: Annotated[str, ManyLines(2000)]
    version: Id | None = None


class Escalated(Form):
    """Why, and what the next tier should know."""

    reason: Annotated[str, OneLine(200)]
    note: Annotated[str, ManyLines(5000)]
    version: Id | None = None


class Returned(Form):
    """Why it goes back down."""

    reason: Annotated[str, ManyLines(2000)]
    version: Id | None = None


class Moved(Form):
    """Why it changes its mode."""

    reason: Annotated[str, OneLine(500)]


def take_ticket(work: Work, call: Call[Taken]) -> Ticket:
    """Become its owner: of two, one; the other hears who was faster."""
    return ticket_of(work, actions.take(work, call.number, call.form.version))


def hand_over_ticket(work: Work, call: Call[HandedOver]) -> Ticket:
    """Give it to a named person."""
    sent = call.form
    return ticket_of(work, actions.hand_over(work, call.number, sent.to, sent.reason, sent.version))


def escalate_ticket(work: Work, call: Call[Escalated]) -> Ticket:
    """Ask the next tier to take it; its owner stays until somebody there does."""
    sent = call.form
    escalation.escalate(work, call.number, sent.reason, sent.note, sent.version)
    return ticket_of(work, queries.find(work.session, work.actor, call.number))


def return_ticket(work: Work, call: Call[Returned]) -> Ticket:
    """Send an escalated ticket back down."""
    sent = call.form
    return ticket_of(work, escalation.send_back(work, call.number, sent.reason, sent.version))


def move_ticket(work: Work, call: Call[Moved]) -> Ticket:
    """As a manager, move one ticket to the other mode; it is still counted in the one it was assigned."""
    return ticket_of(work, actions.move_mode(work, call.number, call.form.reason))


_ONE = "/tickets/{number:int}"
DOORS: Sequence[Door] = (
    Door("POST", f"{_ONE}/owner", take_ticket, "tickets"),
    Door("POST", f"{_ONE}/handover", hand_over_ticket, "tickets"),
    Door("POST", f"{_ONE}/escalation", escalate_ticket, "tickets"),
    Door("POST", f"{_ONE}/return", return_ticket, "tickets"),
    Door("POST", f"{_ONE}/mode", move_ticket, "tickets"),
)
