"""Files at the desk: sent ahead of a message or with it, and fetched."""

from __future__ import annotations

from typing import Annotated

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from swarm.accounts.actions import key_of
from swarm.accounts.entry import staff_read, staff_write
from swarm.desk.ticket import LaneName, lane_of, number_of
from swarm.lanes import files as lanes
from swarm.lanes.files import Into
from swarm.tickets.attaching import find_file
from swarm.tickets.models import File
from swarm.web.forms import Form, Many, OneLine
from swarm.web.house import house_of
from swarm.web.limits import Rule

Token = Annotated[str, OneLine(32, min=32)]


class Ahead(Form):
    """Files without a message yet."""

    files: Annotated[tuple[Token, ...], Many(50)] = ()


async def send(request: Request) -> Response:
    """Files go ahead, and wait for the message that names them."""
    number, lane = number_of(request), lane_of(request)
    house = house_of(request)
    often = Rule("files", f"{house.settings.limits.posts_per_minute}/minute")
    await house.limits.hit(often, key_of(house.staff_cookie.read(request) or ""))
    read = await lanes.read_message(request, Ahead, into(request, number, lane, ahead=True))
    return JSONResponse({"files": read.files}, 201, headers={"Cache-Control": "no-store"})


async def fetch(request: Request) -> Response:
    """A file, to be kept."""
    return await lanes.download(request, lambda: _find(request))


async def picture(request: Request) -> Response:
    """The safe copy of a picture."""
    return await lanes.picture(request, lambda: _find(request))


def into(request: Request, number: int, lane: LaneName, *, ahead: bool = False) -> Into:
    """A lane of a ticket this colleague sees."""
    check = lanes.may_send(number, lane, ahead=ahead)
    return Into(
        check=lambda: staff_read(request, check),
        write=lambda do: staff_write(request, do),
        lane=lane,
        ahead=ahead,
    )


def into_new(request: Request) -> Into:
    """A ticket that is about to be opened."""
    return Into(
        check=lambda: staff_read(request, lambda work: (work.actor.key, None)),
        write=lambda do: staff_write(request, do),
        lane="lane",
    )


async def _find(request: Request) -> File:
    token = request.path_params["token"]
    return await staff_read(request, lambda work: find_file(work.session, work.actor, token))
