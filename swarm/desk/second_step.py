"""My second step: apps, passkeys and recovery codes; every change asks for the password once more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts import passkeys, second_step
from swarm.accounts.actions import end_sessions_of
from swarm.accounts.entry import staff_read, staff_write
from swarm.accounts.showing import in_fours, place_of, square
from swarm.desk.acting import done
from swarm.desk.confirming import Confirmed, confirmed, limit
from swarm.desk.frame import frame
from swarm.events.refusals import Stale
from swarm.people.models import Person
from swarm.store import Work
from swarm.text.language import _
from swarm.web.errors import Problem, SignedOut, Typed, wants
from swarm.web.forms import Form, Number, OneLine, read_form
from swarm.web.house import house_of
from swarm.web.render import Render

T = TypeVar("T")
HERE = "/me/second-step"


class Removed(Confirmed):
    """Which one goes."""

    factor: Annotated[int, Number(1)]


class FirstCode(Form):
    """What the new app shows, and what it is called."""

    code: Annotated[str, OneLine(40)]
    name: Annotated[str, OneLine(60)]


class NewPasskey(Form):
    """What the browser says of a new passkey, and what it is called."""

    answer: Annotated[str, OneLine(passkeys.LONGEST)]
    name: Annotated[str, OneLine(60)]


async def show(request: Request) -> Response:
    """The page."""
    return Render.response(await _page(request, "", Typed()))


async def new_app(request: Request) -> Response:
    """A secret for an app, shown until its first code was typed."""

    async def do() -> Response:
        await confirmed(request, await read_form(request, Confirmed))
        await staff_write(request, lambda work: second_step.new_app(work, _me(work)))
        return done(request, f"{HERE}#new-app")

    return await _or_again(request, "app", do)


async def confirm_app(request: Request) -> Response:
    """The first code: the app counts from now on."""

    async def do() -> Response:
        form = await read_form(request, FirstCode)
        await limit(request)
        return await _added(
            request, lambda work: second_step.confirm_app(work, _me(work), form.code, form.name)
        )

    return await _or_again(request, "confirm", do)


async def passkey_options(request: Request) -> Response:
    """What the browser makes a passkey of, as JSON."""
    await confirmed(request, await read_form(request, Confirmed))
    place = place_of(house_of(request))
    made = await staff_write(request, lambda work: passkeys.ask_for_new(work, _me(work), place))
    return Response(made, media_type="application/json", headers={"Cache-Control": "no-store"})


async def new_passkey(request: Request) -> Response:
    """A passkey that the browser made."""

    async def do() -> Response:
        form = await read_form(request, NewPasskey)
        place = place_of(house_of(request))
        return await _added(
            request, lambda work: passkeys.keep_new(work, _me(work), form.answer, form.name, place)
        )

    return await _or_again(request, "passkey", do)


async def remove(request: Request) -> Response:
    """An app or passkey of mine opens nothing any more."""

    async def do() -> Response:
        form = await read_form(request, Removed)
        await confirmed(request, form)
        await staff_write(request, lambda work: second_step.remove_factor(work, _me(work), form.factor))
        return done(request, HERE)

    return await _or_again(request, "remove", do)


async def new_codes(request: Request) -> Response:
    """Recovery codes instead of the older ones."""

    async def do() -> Response:
        await confirmed(request, await read_form(request, Confirmed))

        def make(work: Work) -> Sequence[str]:
            if not second_step.factors_of(work.session, _me(work)):
                raise Stale(_("Add a second step first."))
            return second_step.new_codes(work, _me(work))

        return _codes(request, await staff_write(request, make))

    return await _or_again(request, "codes", do)


async def _added(request: Request, add: Callable[[Work], Sequence[str]]) -> Response:
    def do(work: Work) -> Sequence[str]:
        codes = add(work)
        # Whoever else was in without it comes in again with it.
        end_sessions_of(work, _me(work), but=[work.actor.session])
        return codes

    codes = await staff_write(request, do)
    return _codes(request, codes) if codes else done(request, HERE)


def _codes(request: Request, codes: Sequence[str]) -> Response:
    context = {"codes": list(codes), "target": HERE}
    return house_of(request).render.page(request, "accounts/recovery_codes.html", context)


async def _or_again(request: Request, name: str, do: Callable[[], Any]) -> Response:
    try:
        answer: Response = await do()
        return answer
    except SignedOut:
        raise
    except Problem as problem:
        if wants(request) != "page":
            raise
        return Render.response(await _page(request, name, problem.typed), problem.status, problem.headers)


async def _page(request: Request, name: str, typed: Typed) -> Markup:
    def draw(work: Work) -> Markup:
        session, me = work.session, _me(work)
        person = session.get_one(Person, me)
        begun = second_step.app_begun(session, me)
        context: dict[str, Any] = frame(work, "me") | {
            "email": person.email,
            "factors": second_step.factors_of(session, me),
            "codes_left": second_step.codes_left(session, me),
            "needed": person.role in second_step.roles_that_need_it(session),
            "square": square(begun, person.email) if begun else "",
            "secret": in_fours(begun.secret) if begun else "",
            "refused": name,
            "form": typed,
        }
        return house_of(request).render.html(request, "desk/second_step.html", context)

    return await staff_read(request, draw)


def _me(work: Work) -> int:
    me = work.actor.person_id
    assert me is not None
    return me
