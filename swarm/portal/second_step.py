"""The second step at the door: a code, a recovery code or a passkey; or the first of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from swarm.accounts import passkeys, second_step
from swarm.accounts.entry import anyone_read, anyone_write
from swarm.accounts.second_step import MINUTES, count_try, factors_of, half_way
from swarm.accounts.showing import in_fours, place_of, square
from swarm.people.models import Person
from swarm.portal.entering import signed_in, start
from swarm.store import Work
from swarm.text.language import _
from swarm.web.errors import Gone, Problem, TooMany, Typed, wants
from swarm.web.forms import Form, OneLine, read_form
from swarm.web.house import house_of
from swarm.web.limits import Rule
from swarm.web.render import Render

NO_GUESSING = Rule("second_step", "10/minute")
"""For each account, whatever browser the guesses come from; five for each right password besides."""
A_DAY = Rule("second_step_day", "100/day")


class Nothing(Form):
    """A form that is only its button."""


class Code(Form):
    """What the app shows, or a recovery code."""

    code: Annotated[str, OneLine(40)]


class Answer(Form):
    """What the browser says of a passkey."""

    answer: Annotated[str, OneLine(passkeys.LONGEST)]


async def show(request: Request) -> Response:
    """The page that asks for it."""
    try:
        return await _page(request, "", None)
    except Gone:
        return RedirectResponse("/sign-in", 303)


async def code(request: Request) -> Response:
    """A code of an app, or a recovery code."""

    async def do() -> Response:
        form = await read_form(request, Code)
        secret = _half_way(request)
        await no_guessing(request)
        return await _in(request, lambda work: second_step.take_code(work, secret, form.code))

    return await _or_again(request, "code", do)


async def options(request: Request) -> Response:
    """What a passkey is to sign, as JSON."""
    await read_form(request, Nothing)
    house, secret = house_of(request), _half_way(request)
    asked = await anyone_write(request, lambda work: passkeys.ask_for_known(work, secret, place_of(house)))
    return Response(asked, media_type="application/json", headers={"Cache-Control": "no-store"})


async def passkey(request: Request) -> Response:
    """What a passkey signed."""

    async def do() -> Response:
        form = await read_form(request, Answer)
        house, secret = house_of(request), _half_way(request)
        await no_guessing(request)
        return await _in(
            request, lambda work: passkeys.take_answer(work, secret, form.answer, place_of(house))
        )

    return await _or_again(request, "passkey", do)


async def add_page(request: Request) -> Response:
    """For who needs a second step and has none: the square for an app."""
    try:
        return await _add_page(request, None)
    except Gone:
        return RedirectResponse("/sign-in", 303)


async def add(request: Request) -> Response:
    """The first code of that app: it counts, and they are in."""
    secret = _half_way(request)
    try:
        form = await read_form(request, Code)
        await no_guessing(request)

        def do(work: Work) -> tuple[str, str, Person, list[str]]:
            row, person = half_way(work, secret, lock=True)
            _nobody_was_faster(work, person)
            codes = list(second_step.confirm_app(work, person.id, form.code, _("App")))
            _person, target = second_step.finish(work, row, person)
            return start(request, work, person), target, person, codes

        cookie, target, person, codes = await anyone_write(request, do)
    except Problem as problem:
        if isinstance(problem, Gone) or wants(request) != "page":
            raise
        return await _add_page(request, problem)
    house = house_of(request)
    context = {"codes": codes, "name": person.name, "target": target}
    response = house.render.page(request, "accounts/recovery_codes.html", context)
    house.staff_cookie.put(response, cookie)
    house.half_way_cookie.clear(response)
    return response


async def no_guessing(request: Request) -> None:
    """Count a guess at this account. Raises `TooMany`, `Gone`."""
    secret = _half_way(request)
    person = await anyone_write(request, lambda work: count_try(work, secret))
    for rule in (NO_GUESSING, A_DAY):
        await house_of(request).limits.hit(rule, f"person:{person}")


async def _in(request: Request, take: second_step.Take) -> Response:
    def do(work: Work) -> tuple[str, str, str]:
        person, target = take(work)
        return start(request, work, person), target, person.language

    return signed_in(request, *await anyone_write(request, do))


async def _or_again(request: Request, name: str, do: Callable[[], Awaitable[Response]]) -> Response:
    try:
        return await do()
    except Problem as problem:
        if wants(request) != "page" or isinstance(problem, TooMany):
            raise
        if isinstance(problem, Gone):
            return RedirectResponse("/sign-in", 303)
        return await _page(request, name, problem)


def _half_way(request: Request) -> str | None:
    return house_of(request).half_way_cookie.read(request)


def _nobody_was_faster(work: Work, person: Person) -> None:
    if factors_of(work.session, person.id):
        raise second_step.SignInOver(_("Your account has a second step already. Sign in again."))


async def _page(request: Request, name: str, problem: Problem | None) -> Response:
    house, secret = house_of(request), _half_way(request)

    def draw(work: Work) -> Markup:
        _row, person = half_way(work, secret)
        kinds = {factor.kind for factor in factors_of(work.session, person.id)}
        if not kinds:
            raise second_step.SignInOver(_("Sign in again."))
        context = {
            "name": person.name,
            "has_app": "totp" in kinds,
            "has_passkey": "passkey" in kinds,
            "form": problem.typed if problem else Typed(),
            "refused": name,
            "minutes": MINUTES,
        }
        return house.render.html(request, "accounts/second_step.html", context)

    html = await anyone_read(request, draw)
    return Render.response(html, problem.status if problem else 200)


async def _add_page(request: Request, problem: Problem | None) -> Response:
    house, secret = house_of(request), _half_way(request)

    def draw(work: Work) -> Markup:
        _row, person = half_way(work, secret)
        _nobody_was_faster(work, person)
        factor = second_step.app_begun(work.session, person.id)
        if factor is None:
            raise second_step.SignInOver(_("Sign in again."))
        context = {
            "name": person.name,
            "square": square(factor, person.email),
            "secret": in_fours(factor.secret),
            "form": problem.typed if problem else Typed(),
        }
        return house.render.html(request, "accounts/add_second_step.html", context)

    html = await anyone_read(request, draw)
    return Render.response(html, problem.status if problem else 200)
