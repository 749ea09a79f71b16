"""Links into an account: a GET shows whose it is, a POST chooses the password and signs in."""

from __future__ import annotations

from typing import Annotated

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts.account_links import check_account_link, use_account_link
from swarm.accounts.entry import anyone_read, anyone_write
from swarm.accounts.passwords import MOST, hash_of, off_the_loop
from swarm.portal.entering import DESK, Entered, enter, entered
from swarm.portal.getting_in import long_enough
from swarm.portal.links import KEEPS_SECRET, limit
from swarm.store import Work
from swarm.text.language import _
from swarm.web.errors import Gone, Invalid, Problem, Typed, wants
from swarm.web.forms import Form, Secret, read_form
from swarm.web.house import house_of
from swarm.web.render import Render


class Chosen(Form):
    """A password, typed twice."""

    password: Annotated[str, Secret(MOST)]
    again: Annotated[str, Secret(MOST)]

    def __post_init__(self) -> None:
        if self.password != self.again:
            raise Invalid({"again": _("This is not the same as above. Type both again.")})


async def show(request: Request) -> Response:
    """Whose account the link opens, and the form that opens it."""
    try:
        await limit(request)
        return await _page(request, Typed.blank())
    except Problem as problem:
        return _refused(request, problem)


async def choose(request: Request) -> Response:
    """Sets the password, once, and signs in."""
    house, secret = house_of(request), request.path_params["secret"]
    try:
        await limit(request)
        # Before the password is hashed: who has no link costs nothing.
        await anyone_read(request, lambda work: check_account_link(work, secret))
        try:
            form = await read_form(request, Chosen)
            long_enough(form.password, house.settings.passwords.min_length)
        except Invalid as problem:
            if wants(request) != "page":
                raise
            return await _page(request, problem.typed, problem)
        hashed = await off_the_loop(house.settings.passwords.at_once, lambda: hash_of(form.password))

        def do(work: Work) -> Entered:
            return enter(request, work, use_account_link(work, secret, hashed), DESK)

        response = entered(request, await anyone_write(request, do))
    except Problem as problem:
        return _refused(request, problem)
    response.headers.update(KEEPS_SECRET)
    return response


async def _page(request: Request, form: Typed, problem: Problem | None = None) -> Response:
    house, secret = house_of(request), request.path_params["secret"]

    def draw(work: Work) -> Markup:
        link, person = check_account_link(work, secret)
        context = {
            "name": person.name,
            "email": person.email,
            "invited": link.purpose == "invitation",
            "secret": secret,
            "form": form,
            "least": house.settings.passwords.min_length,
            "most": MOST,
        }
        return house.render.html(request, "accounts/account_link.html", context)

    html = await anyone_read(request, draw)
    return Render.response(html, problem.status if problem else 200, KEEPS_SECRET)


def _refused(request: Request, problem: Problem) -> Response:
    house = house_of(request)
    if isinstance(problem, Gone) and wants(request) == "page":
        context = {"sentence": problem.sentence}
        return house.render.page(request, "accounts/account_link_over.html", context, 410, KEEPS_SECRET)
    response = house.problems.answer(request, problem)
    response.headers.update(KEEPS_SECRET)
    return response
