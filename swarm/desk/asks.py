"""Doors of the swarm: ask, accept, decline, raise a hand, leave, dismiss."""

from __future__ import annotations

from typing import Annotated

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts.entry import staff_read
from swarm.desk.acting import Nothing, act
from swarm.desk.lists import asked_again
from swarm.desk.ticket import again, number_of
from swarm.events.refusals import ensure
from swarm.modes import mode_of
from swarm.people.queries import faces
from swarm.people.queries import skills as every_skill
from swarm.rooms import actions, asking
from swarm.routing.matching import ask_for_help, propose
from swarm.store import Work
from swarm.tickets.queries import case_for, find
from swarm.web.errors import NotFound
from swarm.web.forms import Form, Many, ManyLines, Number, OneLine, read_query
from swarm.web.house import house_of
from swarm.web.render import Render

Id = Annotated[int, Number(1)]


class Ask(Form):
    """A structured call for help."""

    question: Annotated[str, OneLine(300)]
    client_id: Annotated[str, OneLine(64, min=8)]
    tried: Annotated[str, ManyLines(4000, min=0)] = ""
    skills: Annotated[tuple[Id, ...], Many(10)] = ()
    people: Annotated[tuple[Id, ...], Many(10)] = ()


class Wanted(Form):
    """Who and what an ask in the making names."""

    skills: Annotated[tuple[Id, ...], Many(10)] = ()
    people: Annotated[tuple[Id, ...], Many(10)] = ()


class Decline(Form):
    """Cannot help now."""

    why: Annotated[str, OneLine(300, min=0)] = ""


class Dismiss(Form):
    """Whom."""

    person: Id


async def ask(request: Request) -> Response:
    """The owner asks for help."""
    number = number_of(request)

    def do(work: Work, form: Ask) -> None:
        ask_for_help(
            work,
            number,
            question=form.question,
            tried=form.tried,
            skill_ids=form.skills,
            person_ids=form.people,
            client_id=form.client_id,
        )

    return await act(request, "ask", Ask, do, to=f"/tickets/{number}", again=again)


async def proposal(request: Request) -> Response:
    """Whom an ask would reach, while it is being written."""
    number = number_of(request)
    form = read_query(request, Wanted)

    def draw(work: Work) -> Markup:
        ticket = find(work.session, work.actor, number)
        ensure(mode_of(ticket.mode).may_ask(case_for(work.session, work.actor, ticket)))
        found = propose(work.session, ticket, form.skills, form.people)
        names = faces(work.session, {f"person:{one.person_id}" for one in found.invitees})
        skills = {skill.id: skill.name for skill in every_skill(work.session)}
        context = {
            "people": [
                (
                    names[key].name,
                    names[key].hue,
                    [skills[id_] for id_ in one.skill_ids],
                    one.named,
                    found.load.get(one.person_id, 0),
                )
                for one in found.invitees
                if (key := f"person:{one.person_id}") in names
            ],
            "uncovered": sorted(skills[id_] for id_ in found.uncovered if id_ in skills),
        }
        return house_of(request).render.html(request, "desk/_proposal.html", context)

    return Render.response(await staff_read(request, draw))


async def accept(request: Request) -> Response:
    """An invited person comes into the room."""
    id_ = _id(request, "invitation")
    return await act(
        request,
        "accept",
        Nothing,
        lambda work, _form: actions.accept(work, id_).ticket_id,
        to=lambda ticket: f"/tickets/{ticket}",
        again=asked_again,
    )


async def decline(request: Request) -> Response:
    """An invited person cannot help now."""
    id_ = _id(request, "invitation")
    return await act(
        request,
        "decline",
        Decline,
        lambda work, form: actions.decline(work, id_, form.why),
        to="/asked",
        again=asked_again,
    )


async def raise_hand(request: Request) -> Response:
    """Somebody comes unasked."""
    number = number_of(request)
    return await act(
        request,
        "raise_hand",
        Nothing,
        lambda work, _form: actions.raise_hand(work, number),
        to=f"/tickets/{number}",
        again=asked_again,
    )


async def leave(request: Request) -> Response:
    """Somebody goes out of the room."""
    number = number_of(request)
    return await act(
        request, "leave", Nothing, lambda work, _form: actions.leave(work, number), to="/asked", again=again
    )


async def dismiss(request: Request) -> Response:
    """The owner lets somebody go."""
    number = number_of(request)
    return await act(
        request,
        "dismiss",
        Dismiss,
        lambda work, form: actions.dismiss(work, number, form.person),
        to=f"/tickets/{number}",
        again=again,
    )


async def close(request: Request) -> Response:
    """The owner needs nobody any more."""
    id_ = _id(request, "ask")
    return await act(
        request,
        "close_ask",
        Nothing,
        lambda work, _form: asking.close_ask(work, id_).ticket_id,
        to=lambda ticket: f"/tickets/{ticket}",
        again=asked_again,
    )


def _id(request: Request, name: str) -> int:
    value: int = request.path_params[name]
    if value > 2**53:
        raise NotFound
    return value
