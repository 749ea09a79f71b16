"""Doors that change who has a ticket: take, hand over, escalate, return, move to the other mode."""

from __future__ import annotations

from typing import Annotated

from starlette.requests import Request
from starlette.responses import Response

from swarm.desk.acting import act
from swarm.desk.ticket import again, number_of
from swarm.routing import escalation
from swarm.tickets import actions
from swarm.web.forms import Form, ManyLines, Number, OneLine

Seen = Annotated[int, Number(1)]
"""The version of the ownership that the person acted on."""


class Take(Form):
    """Become the owner."""

    seen: Seen


class HandOver(Form):
    """Give it to a named person."""

    to: Annotated[int, Number(1)]
    reason: Annotated[str, ManyLines(2000)]
    seen: Seen


class Escalate(Form):
    """Ask the next tier."""

    reason: Annotated[str, OneLine(200)]
    note: Annotated[str, ManyLines(5000)]
    seen: Seen


class SendBack(Form):
    """Return it to the tier below."""

    reason: Annotated[str, ManyLines(2000)]
    seen: Seen


class Move(Form):
    """To the other mode."""

    reason: Annotated[str, OneLine(500)]


async def take(request: Request) -> Response:
    """Somebody becomes the owner."""
    number = number_of(request)
    return await act(
        request,
        "take",
        Take,
        lambda work, form: actions.take(work, number, form.seen),
        to=f"/tickets/{number}",
        again=again,
    )


async def hand_over(request: Request) -> Response:
    """The owner gives it to a named person."""
    number = number_of(request)
    return await act(
        request,
        "hand_over",
        HandOver,
        lambda work, form: actions.hand_over(work, number, form.to, form.reason, form.seen),
        to=f"/tickets/{number}",
        again=again,
    )


async def escalate(request: Request) -> Response:
    """The next tier is asked to take it."""
    number = number_of(request)
    return await act(
        request,
        "escalate",
        Escalate,
        lambda work, form: escalation.escalate(work, number, form.reason, form.note, form.seen),
        to=f"/tickets/{number}",
        again=again,
    )


async def send_back(request: Request) -> Response:
    """It goes back down."""
    number = number_of(request)
    return await act(
        request,
        "send_back",
        SendBack,
        lambda work, form: escalation.send_back(work, number, form.reason, form.seen),
        to=f"/tickets/{number}",
        again=again,
    )


async def move_mode(request: Request) -> Response:
    """A manager moves this ticket to the other mode."""
    number = number_of(request)
    return await act(
        request,
        "move_mode",
        Move,
        lambda work, form: actions.move_mode(work, number, form.reason),
        to=f"/tickets/{number}",
        again=again,
    )
