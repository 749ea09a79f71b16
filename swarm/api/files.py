"""Files: sent ahead of the message that names them, and fetched by whoever may read that message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from starlette.responses import Response

from swarm.api.doors import Call, Carried, Door, Nothing
from swarm.api.views import View
from swarm.files.kinds import UNKNOWN
from swarm.lanes import files as lanes
from swarm.lanes.files import Into, may_send
from swarm.tickets.attaching import find_file
from swarm.web.errors import Invalid, WrongType
from swarm.web.fields import needed
from swarm.web.forms import Form, Many, OneLine
from swarm.web.uploads import has_files

Token = Annotated[str, OneLine(32, min=32)]


class Ahead(Form):
    """Files without a message yet."""

    files: Annotated[tuple[Token, ...], Many(50)] = ()


class Loose(View):
    """Files that wait for their message."""

    files: list[str]
    """Their tokens, in order: name them in `files` of a message in the same lane, within a day."""


async def send_files(carried: Carried, call: Call[Nothing]) -> Loose:
    """Send files ahead of the message that names them: a multipart/form-data form with parts called files."""
    check = may_send(call.number, call.path["lane"], ahead=True)
    if not has_files(carried.request):
        await carried.read(check)
        raise WrongType
    into = Into(
        check=lambda: carried.read(check),
        write=carried.write,
        lane=call.path["lane"],
        ahead=True,
    )
    sent = await lanes.read_message(carried.request, Ahead, into)
    if not sent.files:
        raise Invalid({"files": needed()})
    return Loose(files=list(sent.files))


async def fetch_file(carried: Carried, call: Call[Nothing]) -> Response:
    """A file as it was sent, for whoever may read its message now."""
    token = call.path["token"]
    return await lanes.download(
        carried.request,
        lambda: carried.read(lambda work: find_file(work.session, work.actor, token)),
        UNKNOWN,
    )


_LANE = "/tickets/{number:int}/lanes/{lane}"
DOORS: Sequence[Door] = (
    Door("POST", f"{_LANE}/files", send_files, "tickets", 201, is_post=True, carries="in"),
    Door("GET", "/files/{token}", fetch_file, carries="out"),
)
