"""Files of customers: sent ahead of a message or with it, or with a new ticket, and fetched."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from swarm.accounts.actions import key_of
from swarm.accounts.entry import anyone_write, customer_read, customer_write
from swarm.events.refusals import ensure
from swarm.lanes import files as lanes
from swarm.lanes.files import Into
from swarm.portal.visitor import address, number_of
from swarm.store import Work
from swarm.tickets.attaching import find_file
from swarm.tickets.models import File
from swarm.tickets.posting import may_customer_write
from swarm.tickets.queries import find
from swarm.web.forms import Form, Many, OneLine
from swarm.web.house import house_of
from swarm.web.limits import Rule

Token = Annotated[str, OneLine(32, min=32)]


class Ahead(Form):
    """Files without a message yet."""

    files: Annotated[tuple[Token, ...], Many(50)] = ()


async def send(request: Request) -> Response:
    """Files go ahead, and wait for the message that names them."""
    house = house_of(request)
    often = Rule("files", f"{house.settings.limits.posts_per_minute}/minute")
    await house.limits.hit(often, house.customer_cookie.read(request) or address(request))
    read = await lanes.read_message(request, Ahead, into(request, ahead=True))
    return JSONResponse({"files": read.files}, 201, headers={"Cache-Control": "no-store"})


async def fetch(request: Request) -> Response:
    """A file, to be kept."""
    return await lanes.download(request, lambda: _find(request))


async def picture(request: Request) -> Response:
    """The safe copy of a picture."""
    return await lanes.picture(request, lambda: _find(request))


def into(request: Request, *, ahead: bool = False) -> Into:
    """The customer's own lane."""
    number, days = number_of(request), house_of(request).settings.tickets.reopen_days

    def check(work: Work) -> tuple[str, int | None]:
        ticket = find(work.session, work.actor, number)
        if ahead:
            ensure(may_customer_write(ticket, work.now, days))
        # Each of this browser's tickets may have a customer of its own, as when writing.
        key = work.actor.key if ticket.customer_id is None else f"customer:{ticket.customer_id}"
        return key, number

    return Into(
        check=lambda: customer_read(request, check),
        write=lambda do: customer_write(request, do),
        lane="lane",
        ahead=ahead,
    )


def into_new(request: Request) -> Into:
    """A ticket that is about to be opened, by whoever is at that address."""
    house = house_of(request)
    often = Rule("files_of_new", f"{house.settings.limits.opening_per_minute}/minute")

    async def check() -> tuple[str, int | None]:
        await house.limits.hit(often, address(request))
        return uploader_at(request), None

    return Into(check=check, write=lambda do: anyone_write(request, do), lane="lane")


def uploader_at(request: Request) -> str:
    """What stands for an address, without telling it."""
    return f"address:{key_of(address(request))[:32]}"


async def _find(request: Request) -> File:
    number, token = number_of(request), request.path_params["token"]

    def do(work: Work) -> File:
        # Only what is the customer's lane is looked for, whoever asks.
        actor = replace(work.actor, person_id=None)
        return find_file(work.session, actor, token, number)

    return await customer_read(request, do)
