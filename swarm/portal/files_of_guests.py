"""Files of guests: sent with what they write in the room, and fetched from both lanes of their ticket.

Lines are drawn once for all guests, so what they link to names the ticket: whichever of this browser's
cookies is of a guest of it counts there.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from swarm.accounts.actions import key_of
from swarm.accounts.entry import guest_of_read, guest_read, guest_write
from swarm.events.refusals import ensure
from swarm.lanes import files as lanes
from swarm.lanes.files import Into
from swarm.modes import mode_of
from swarm.portal.files import Ahead
from swarm.portal.visitor import number_of
from swarm.store import Work
from swarm.tickets import rules
from swarm.tickets.attaching import find_file
from swarm.tickets.models import File
from swarm.tickets.queries import case_for, find
from swarm.web.house import house_of
from swarm.web.limits import Rule


async def send(request: Request) -> Response:
    """Files go ahead, and wait for the message that names them."""
    house = house_of(request)
    often = Rule("files", f"{house.settings.limits.posts_per_minute}/minute")
    cookie = house.guest_cookie.numbered(request.path_params["guest"]).read(request)
    await house.limits.hit(often, key_of(cookie or ""))
    read = await lanes.read_message(request, Ahead, into(request, ahead=True))
    return JSONResponse({"files": read.files}, 201, headers={"Cache-Control": "no-store"})


async def fetch(request: Request) -> Response:
    """A file, to be kept."""
    return await lanes.download(request, lambda: _find(request))


async def picture(request: Request) -> Response:
    """The safe copy of a picture."""
    return await lanes.picture(request, lambda: _find(request))


def into(request: Request, *, ahead: bool = False) -> Into:
    """The room of the ticket this guest was invited to."""

    def check(work: Work) -> tuple[str, int | None]:
        ticket = find(work.session, work.actor, work.actor.guest_of or 0)
        if ahead:
            ensure(rules.may_write_room(case_for(work.session, work.actor, ticket), mode_of(ticket.mode)))
        return work.actor.key, ticket.id

    return Into(
        check=lambda: guest_read(request, check),
        write=lambda do: guest_write(request, do),
        lane="room",
        ahead=ahead,
    )


async def _find(request: Request) -> File:
    number, token = number_of(request), request.path_params["token"]
    return await guest_of_read(request, lambda work: find_file(work.session, work.actor, token, number))
