"""A guest's page: one room and the customer's lane beside it, of one ticket, and nothing else."""

from __future__ import annotations

import json
import secrets
from typing import Annotated, Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from swarm.accounts.actions import key_of
from swarm.accounts.entry import guest_read, guest_write
from swarm.lanes.files import read_message
from swarm.lanes.queries import tail
from swarm.lanes.views import unsent
from swarm.modes import mode_of
from swarm.people.models import Person
from swarm.people.queries import Face
from swarm.portal.files import Token
from swarm.portal.files_of_guests import into
from swarm.portal.links import Nothing
from swarm.rooms.guests import go
from swarm.rooms.queries import guests_of, in_room
from swarm.store import Work, log
from swarm.tickets.models import Ticket
from swarm.tickets.posting import MOST_LETTERS
from swarm.tickets.posting import post as write
from swarm.tickets.queries import find
from swarm.tickets.turns import Posted
from swarm.tickets.words import customer_status_word
from swarm.web.errors import Forbidden, Invalid, NotFound, Problem, Typed, wants
from swarm.web.fields import needed
from swarm.web.forms import Form, Many, ManyLines, Number, OneLine, read_form, read_query
from swarm.web.house import house_of
from swarm.web.limits import Rule
from swarm.web.render import Render


class Message(Form):
    """What is typed into the composer."""

    client_id: Annotated[str, OneLine(64, min=8)]
    body: Annotated[str, ManyLines(MOST_LETTERS, min=0)] = ""
    files: Annotated[tuple[Token, ...], Many(50)] = ()

    def __post_init__(self) -> None:
        if not self.body and not self.files:
            raise Invalid({"body": needed()})


class Before(Form):
    """Where an older stretch of a lane ends."""

    before: Annotated[int, Number(2)]


async def show(request: Request) -> Response:
    """Both lanes, from one snapshot."""
    return Render.response(await _page(request, None))


async def head(request: Request) -> Response:
    """The head alone, for pages that were told to refresh it."""

    def draw(work: Work) -> Markup:
        return house_of(request).render.html(request, "portal/_guest_head.html", _about(work, _ticket(work)))

    return Render.response(await guest_read(request, draw))


async def older(request: Request) -> Response:
    """What stands before a number in a lane: lines alone for a script, otherwise a page."""
    lane, before = request.path_params["lane"], read_query(request, Before).before
    if lane not in ("lane", "room"):
        raise NotFound
    name = "lanes/older.html" if wants(request) == "piece" else "portal/guest_older.html"

    def draw(work: Work) -> Markup:
        ticket, guest = _ticket(work), work.actor.guest_id
        context = {
            "lane": tail(work.session, f"{lane}:{ticket.id}", "guest", before=before),
            "older_href": f"/guest/{guest}/older/{lane}?before=",
            "audience": "guest",
            "ticket": ticket,
            "number": ticket.id,
            "guest": guest,
            "me": work.actor.key,
        }
        return house_of(request).render.html(request, name, context)

    return Render.response(await guest_read(request, draw))


async def post(request: Request) -> Response:
    """A guest writes in the room."""
    house, guest = house_of(request), request.path_params["guest"]
    rule = Rule("post", f"{house.settings.limits.posts_per_minute}/minute")
    typed = None
    try:
        form = await read_message(request, Message, into(request))
        typed = Typed.blank(body=form.body)
        await house.limits.hit(rule, key_of(house.guest_cookie.numbered(guest).read(request) or ""))

        def do(work: Work) -> Posted:
            return write(work, _ticket(work).id, "room", form.body, form.client_id, files=form.files)

        posted = await guest_write(request, do)
    except Forbidden as problem:
        # Put out between being known and writing.
        raise NotFound from problem
    except Problem as problem:
        if typed is not None or not isinstance(problem, Invalid):
            before = typed or problem.typed
            problem.typed = Typed(before.values, before.chosen, problem.typed.problems, problem.sentence)
        if wants(request) != "page" or problem.status == 404:
            raise
        return Render.response(await _page(request, problem), problem.status, problem.headers)
    if wants(request) == "page":
        return RedirectResponse(f"/guest/{guest}", 303)
    return JSONResponse({"seq": posted.seq}, headers={"Cache-Control": "no-store"})


async def leave(request: Request) -> Response:
    """A guest goes; this browser remembers nothing of it."""
    house = house_of(request)
    await read_form(request, Nothing)
    await guest_write(request, go)
    response = house.render.page(request, "portal/guest_over.html", {"left": True})
    house.guest_cookie.numbered(request.path_params["guest"]).clear(response)
    return response


async def _page(request: Request, problem: Problem | None) -> Markup:
    def draw(work: Work) -> Markup:
        ticket = _ticket(work)
        number, epoch = ticket.id, log.epoch(work.session)
        lane = tail(work.session, f"lane:{number}", "guest")
        room = tail(work.session, f"room:{number}", "guest")
        heads = {one.stream: one.head for one in (lane, room)}
        context = _about(work, ticket) | {
            "lane": lane,
            "room": room,
            "epoch": epoch,
            "live": json.dumps({"epoch": epoch, "streams": heads}, separators=(",", ":")),
            "form": problem.typed if problem else Typed.blank(),
            "client_id": secrets.token_urlsafe(16),
            "most": MOST_LETTERS,
            "pending": unsent(Face(work.actor.key, work.actor.name), work.now),
        }
        return house_of(request).render.html(request, "portal/guest.html", context)

    return await guest_read(request, draw)


def _ticket(work: Work) -> Ticket:
    return find(work.session, work.actor, work.actor.guest_of or 0)


def _about(work: Work, ticket: Ticket) -> dict[str, Any]:
    """What a guest is shown of a ticket beside its lanes: what it is about, and who is at it."""
    owner = work.session.get_one(Person, ticket.owner_id)
    helpers = [Face(one.key, one.name) for one in in_room(work.session, ticket.id)]
    guests = [one.face for one in guests_of(work.session, ticket.id) if one.guest.joined_at is not None]
    return {
        "guest": work.actor.guest_id,
        "me": work.actor.key,
        "number": ticket.id,
        "ticket": ticket,
        "mode": mode_of(ticket.mode),
        "audience": "guest",
        "owner": Face(f"person:{owner.id}", owner.name),
        "people": [*helpers, *guests],
        "status_text": customer_status_word(ticket.status),
    }
