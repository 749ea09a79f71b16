"""One way for every form on a ticket: read it, do it in one transaction, answer with or without script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from swarm.accounts.entry import staff_write
from swarm.lanes.files import Into, read_message
from swarm.store import Work
from swarm.web.errors import NotFound, Problem, SignedOut, wants
from swarm.web.forms import Form, read_form, typed_again

F = TypeVar("F", bound=Form)
Again = Callable[[Request, str, Problem], Awaitable[Response]]
"""Shows the page once more: the request, the form's name, what was wrong with it."""


class Nothing(Form):
    """A form that is only its button."""


async def act(
    request: Request,
    name: str,
    form: type[F],
    do: Callable[[Work, F], Any],
    *,
    to: str | Callable[[Any], str],
    again: Again,
    into: Into | None = None,
) -> Response:
    """Do it and go to the page `to`; refused, the page comes again with what was typed. Raises `Problem`."""
    try:
        read = await (read_form(request, form) if into is None else read_message(request, form, into))
        try:
            result = await staff_write(request, lambda work: do(work, read))
        except Problem as problem:
            problem.typed = replace(typed_again(read, problem.sentence), problems=problem.typed.problems)
            raise
    except (SignedOut, NotFound):
        raise
    except Problem as problem:
        if wants(request) != "page":
            raise
        return await again(request, name, problem)
    return done(request, to if isinstance(to, str) else to(result))


def done(request: Request, to: str) -> Response:
    """The answer when it is done: the page again, or nothing but a hint for the page's pieces."""
    if wants(request) == "page":
        return RedirectResponse(to, 303)
    return Response(status_code=204, headers={"HX-Trigger": "acted"})
