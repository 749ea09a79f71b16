"""Doors of guests for colleagues: invite one, end their access."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from swarm.desk.acting import act
from swarm.desk.ticket import again, number_of
from swarm.events.refusals import Unfit
from swarm.rooms.guests import invite_guest
from swarm.rooms.guests import withdraw as put_out
from swarm.store import Work
from swarm.text.language import _
from swarm.web.addresses import check_mail
from swarm.web.forms import Form, Number, OneLine
from swarm.web.house import house_of
from swarm.web.render import Render


class Invite(Form):
    """Who is to come, and where their link is sent."""

    name: Annotated[str, OneLine(80)]
    email: Annotated[str, OneLine(254, min=0)] = ""

    def __post_init__(self) -> None:
        if self.email:
            check_mail(self.email)


class Withdraw(Form):
    """Whose access ends."""

    guest: Annotated[int, Number(1)]


async def invite(request: Request) -> Response:
    """A link into the room: shown once, or sent."""
    number, house = number_of(request), house_of(request)
    hours = house.settings.guests.link_hours
    made: list[Markup] = []

    def do(work: Work, form: Invite) -> None:
        if form.email and not house.settings.mail.goes_out:
            raise Unfit(_("No mail leaves this house: no server is set. Pass the link on yourself."), "email")
        _guest, secret = invite_guest(work, number, form.name, timedelta(hours=hours), form.email)
        context = {
            "name": form.name,
            "email": form.email,
            "link": "" if form.email else house.links.absolute(f"/join/{secret}"),
            "number": number,
            "hours": hours,
            "days": house.settings.guests.days,
        }
        made.append(house.render.html(request, "desk/guest_link.html", context))

    answer = await act(request, "invite_guest", Invite, do, to=f"/tickets/{number}", again=again)
    return answer if answer.status_code >= 400 else Render.response(made[-1])


async def withdraw(request: Request) -> Response:
    """A guest is out, or a link that nobody used opens nothing."""
    number = number_of(request)
    return await act(
        request,
        "withdraw_guest",
        Withdraw,
        lambda work, form: put_out(work, number, form.guest),
        to=f"/tickets/{number}",
        again=again,
    )
