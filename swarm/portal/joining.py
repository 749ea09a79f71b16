"""A guest's one-time link: a GET shows who invites, a POST comes into the room."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from swarm.accounts.entry import anyone_read, anyone_write
from swarm.portal.links import KEEPS_SECRET, Nothing, limit
from swarm.rooms.guests import check_guest_link, join
from swarm.store import Work
from swarm.web.errors import Gone, Problem, wants
from swarm.web.forms import read_form
from swarm.web.house import house_of


async def show(request: Request) -> Response:
    """Who invites whom, and the button that comes in; nothing of what it is about."""
    house, secret = house_of(request), request.path_params["secret"]

    def look(work: Work) -> dict[str, Any]:
        guest, host = check_guest_link(work, secret)
        return {"name": guest.name, "host": host, "secret": secret, "days": house.settings.guests.days}

    try:
        await limit(request)
        context = await anyone_read(request, look)
    except Problem as problem:
        return _refused(request, problem)
    return house.render.page(request, "portal/join.html", context, headers=KEEPS_SECRET)


async def exchange(request: Request) -> Response:
    """Uses the link up: this browser is in the room from now on."""
    house, secret = house_of(request), request.path_params["secret"]
    lasts = timedelta(days=house.settings.guests.days)
    try:
        await limit(request)
        await read_form(request, Nothing)
        guest, cookie = await anyone_write(request, lambda work: join(work, secret, lasts))
    except Problem as problem:
        return _refused(request, problem)
    response = RedirectResponse(f"/guest/{guest}", 303, headers=KEEPS_SECRET)
    house.guest_cookie.numbered(guest).put(response, cookie)
    return response


def _refused(request: Request, problem: Problem) -> Response:
    house = house_of(request)
    if isinstance(problem, Gone) and wants(request) == "page":
        return house.render.page(
            request, "portal/join_over.html", {"sentence": problem.sentence}, 410, headers=KEEPS_SECRET
        )
    response = house.problems.answer(request, problem)
    response.headers.update(KEEPS_SECRET)
    return response
