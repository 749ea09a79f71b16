"""A forgotten password: a link goes to the address, if there is such an account; nobody learns which."""

from __future__ import annotations

from typing import Annotated

from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts.entry import anyone_write
from swarm.outbound import queue
from swarm.portal.visitor import address
from swarm.web.addresses import check_mail
from swarm.web.errors import Invalid, NotFound, Problem, Typed, wants
from swarm.web.forms import Form, OneLine, read_form
from swarm.web.house import house_of
from swarm.web.limits import Rule

FOR_ONE = Rule("forgotten", "3/hour")
"""Letters to one address, whoever asks for them."""


class Forgotten(Form):
    """Whose password."""

    email: Annotated[str, OneLine(254)]

    def __post_init__(self) -> None:
        check_mail(self.email)


async def show(request: Request) -> Response:
    """The form, where mail goes out at all."""
    _only_with_mail(request)
    return _page(request, Typed.blank(), None)


async def ask(request: Request) -> Response:
    """A letter is put in for any address, and dropped where it finds no account: both take as long."""
    _only_with_mail(request)
    house = house_of(request)
    try:
        form = await read_form(request, Forgotten)
        per_minute = house.settings.limits.sign_in_per_minute
        await house.limits.hit(Rule("forgotten_here", f"{per_minute}/minute"), address(request))
        await house.limits.hit(FOR_ONE, form.email.lower())
    except Invalid as problem:
        if wants(request) != "page":
            raise
        return _page(request, problem.typed, problem)
    hours = house.settings.links.account_hours
    await anyone_write(
        request, lambda work: queue.put(work, "forgotten", email=form.email.lower(), hours=hours)
    )
    return house.render.page(request, "accounts/forgotten_sent.html", {"email": form.email, "hours": hours})


def _only_with_mail(request: Request) -> None:
    if not house_of(request).settings.mail.goes_out:
        raise NotFound


def _page(request: Request, form: Typed, problem: Problem | None) -> Response:
    return house_of(request).render.page(
        request, "accounts/forgotten.html", {"form": form}, problem.status if problem else 200
    )
