"""My tokens, by which programs act for me: made with the password, shown once, ended with a click."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts import tokens
from swarm.accounts.entry import staff_read, staff_write
from swarm.accounts.showing import scope_word
from swarm.desk.acting import Nothing, act
from swarm.desk.confirming import Confirmed, confirmed
from swarm.desk.frame import frame
from swarm.store import Work
from swarm.text.language import ngettext
from swarm.web.errors import NotFound, Problem, Typed, wants
from swarm.web.forms import Many, Number, OneLine, read_form, typed_again
from swarm.web.house import house_of
from swarm.web.render import Render

HERE = "/me/tokens"
USUAL_DAYS = 90


class NewToken(Confirmed):
    """What it is for, what it may do, and for how long."""

    name: Annotated[str, OneLine(tokens.LONGEST_NAME)]
    days: Annotated[int, Number(1, max(tokens.LASTS))] = USUAL_DAYS
    scopes: Annotated[tuple[Literal["tickets", "teams", "people"], ...], Many(3)] = ()


async def show(request: Request) -> Response:
    """The page."""
    return Render.response(await _page(request, Typed.blank(days=USUAL_DAYS)))


async def make(request: Request) -> Response:
    """A new one; the answer shows its secret, this once."""
    form: NewToken | None = None
    try:
        form = await read_form(request, NewToken)
        await confirmed(request, form)
        name, scopes, days = form.name, form.scopes, form.days

        def do(work: Work) -> str:
            return tokens.make_token(work, work.actor, name=name, scopes=scopes, days=days)

        secret = await staff_write(request, do)
    except (NotFound, Problem) as problem:
        if problem.status == 401 or wants(request) != "page":
            raise
        typed = problem.typed
        if form is not None:
            again = typed_again(form, problem.sentence)
            typed = Typed(again.values, again.chosen, problem.typed.problems, problem.sentence)
        return Render.response(await _page(request, typed), problem.status, problem.headers)
    context = {"secret": secret, "name": form.name, "target": HERE}
    return house_of(request).render.page(request, "accounts/new_token.html", context, 201)


async def end(request: Request) -> Response:
    """One of mine opens nothing any more."""
    number: int = request.path_params["token"]
    if number > 2**53:
        raise NotFound
    return await act(
        request,
        "end",
        Nothing,
        lambda work, _form: tokens.end_token(work, number, _me(work)),
        to=HERE,
        again=_again,
    )


async def end_all(request: Request) -> Response:
    """None of mine opens anything any more."""
    return await act(
        request, "end", Nothing, lambda work, _form: tokens.end_tokens(work, _me(work)), to=HERE, again=_again
    )


async def _again(request: Request, _name: str, problem: Problem) -> Response:
    return Render.response(await _page(request, problem.typed), problem.status, problem.headers)


async def _page(request: Request, form: Typed) -> Markup:
    def draw(work: Work) -> Markup:
        context: dict[str, Any] = frame(work, "me") | {
            "tokens": [
                {"row": row, "scopes": [scope_word(one) for one in row.scopes.split()]}
                for row in tokens.tokens_of(work.session, _me(work), work.now)
            ],
            "scopes": [(one, scope_word(one)) for one in tokens.scopes_of(work.actor)],
            "lasts": [(days, ngettext("%(num)s day", "%(num)s days", days)) for days in tokens.LASTS],
            "address": house_of(request).links.absolute("/api/v1"),
            "form": form,
        }
        return house_of(request).render.html(request, "desk/tokens.html", context)

    return await staff_read(request, draw)


def _me(work: Work) -> int:
    me = work.actor.person_id
    assert me is not None
    return me
