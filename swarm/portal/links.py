"""One-time links: a GET never uses one up, for mail scanners follow links; a POST does."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from swarm.accounts.actions import Checked, check_link
from swarm.accounts.actions import exchange as use_up
from swarm.accounts.entry import anyone_read, anyone_write
from swarm.portal.visitor import address
from swarm.store import Work
from swarm.web.errors import Gone, Problem, wants
from swarm.web.forms import Form, read_form
from swarm.web.house import house_of
from swarm.web.limits import Rule

KEEPS_SECRET = {"Referrer-Policy": "strict-origin"}
"""The address holds a secret. With `no-referrer` browsers send `Origin: null` with the page's own form."""


class Nothing(Form):
    """A form that is only its button."""


async def show(request: Request) -> Response:
    """What the link opens, and the button that opens it; the ticket where this browser did before."""
    house, secret = house_of(request), request.path_params["secret"]
    cookie = house.customer_cookie.read(request)

    def look(work: Work) -> tuple[int, bool]:
        checked: Checked = check_link(work, secret, cookie)
        return checked.link.ticket_id, checked.opened

    try:
        await limit(request)
        number, opened = await anyone_read(request, look)
    except Problem as problem:
        return _refused(request, problem)
    if opened:
        return RedirectResponse(f"/case/{number}", 303, headers=KEEPS_SECRET)
    context = {"number": number, "secret": secret, "follow_days": house.settings.links.follow_days}
    return house.render.page(request, "portal/link.html", context, headers=KEEPS_SECRET)


async def exchange(request: Request) -> Response:
    """Uses the link up: this browser follows the ticket from now on."""
    house, secret = house_of(request), request.path_params["secret"]
    cookie = house.customer_cookie.read(request)
    days = house.settings.links.follow_days
    try:
        await limit(request)
        await read_form(request, Nothing)
        number, kept = await anyone_write(request, lambda work: use_up(work, secret, cookie, days))
    except Problem as problem:
        return _refused(request, problem)
    response = RedirectResponse(f"/case/{number}", 303, headers=KEEPS_SECRET)
    house.customer_cookie.put(response, kept)
    return response


async def limit(request: Request) -> None:
    """At most so many links a minute from one address. Raises `TooMany`."""
    house = house_of(request)
    await house.limits.hit(Rule("link", f"{house.settings.limits.links_per_minute}/minute"), address(request))


def _refused(request: Request, problem: Problem) -> Response:
    house = house_of(request)
    if isinstance(problem, Gone) and wants(request) == "page":
        return house.render.page(
            request, "portal/link_over.html", {"sentence": problem.sentence}, 410, headers=KEEPS_SECRET
        )
    response = house.problems.answer(request, problem)
    response.headers.update(KEEPS_SECRET)
    return response
