"""Every door's way in: who is asking, checked inside the same transaction as what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Literal, TypeVar

from starlette.requests import Request

from swarm.accounts.actions import note_seen
from swarm.accounts.queries import actor_by_cookie, seen_long_ago
from swarm.events import NOBODY, Actor
from swarm.events.refusals import No, NotAllowed, Stale, Unfit, Unknown
from swarm.store import ReadOnly, Work
from swarm.text.language import _, use
from swarm.text.times import use_zone
from swarm.web.errors import Conflict, Forbidden, Gone, Invalid, NotFound, Problem, SignedOut, Unavailable
from swarm.web.house import house_of

T = TypeVar("T")
R = TypeVar("R")
Do = Callable[[Work], T]
Asks = Literal["staff", "customer", "guest", "guest_of"]
"""Whose cookie counts at a door."""
MOST_ROOMS = 20
"""Guest's cookies of one browser that are looked at where the address names a ticket."""


async def staff_read(request: Request, do: Do[T]) -> T:
    """Run `do` on a snapshot as the colleague who asks. Raises `SignedOut`, and refusals as a `Problem`."""
    return await _run(request, do, write=False, asks="staff")


async def staff_write(request: Request, do: Do[T]) -> T:
    """Run `do` in a transaction as the colleague who asks. Raises like `staff_read`."""
    return await _run(request, do, write=True, asks="staff")


async def customer_read(request: Request, do: Do[T]) -> T:
    """Run `do` on a snapshot as the customer whose cookie this is. Raises like `staff_read`."""
    return await _run(request, do, write=False, asks="customer")


async def customer_write(request: Request, do: Do[T]) -> T:
    """Run `do` in a transaction as the customer whose cookie this is. Raises like `staff_read`."""
    return await _run(request, do, write=True, asks="customer")


async def guest_read(request: Request, do: Do[T]) -> T:
    """Run `do` on a snapshot as the guest in the address. Raises `NotFound`, as for what never was."""
    return await _run(request, do, write=False, asks="guest")


async def guest_write(request: Request, do: Do[T]) -> T:
    """Run `do` in a transaction as the guest in the address. Raises like `guest_read`."""
    return await _run(request, do, write=True, asks="guest")


async def guest_of_read(request: Request, do: Do[T]) -> T:
    """Run `do` on a snapshot as the guest this browser is of the ticket in the address. Like `guest_read`."""
    return await _run(request, do, write=False, asks="guest_of")


async def anyone_read(request: Request, do: Do[T]) -> T:
    """Run `do` on a snapshot as nobody in particular."""
    return await _refusing(request, lambda work: do(work), write=False)


async def anyone_write(request: Request, do: Do[T]) -> T:
    """Run `do` in a transaction as nobody in particular."""
    return await _refusing(request, lambda work: do(work), write=True)


async def who(request: Request) -> Actor:
    """The colleague who asks, or `NOBODY`."""
    cookie = house_of(request).staff_cookie.read(request)
    if cookie is None:
        return NOBODY
    return await house_of(request).store.read(
        NOBODY, lambda work: actor_by_cookie(work.session, cookie, work.now)
    )


def _cookies(request: Request, asks: Asks) -> Sequence[str | None]:
    house = house_of(request)
    match asks:
        case "staff":
            return [house.staff_cookie.read(request)]
        case "customer":
            return [house.customer_cookie.read(request)]
        case "guest":
            return [house.guest_cookie.numbered(request.path_params["guest"]).read(request)]
        case "guest_of":
            return house.guest_cookie.every(request, MOST_ROOMS)


def _actor(work: Work, request: Request, asks: Asks, cookies: Sequence[str | None]) -> Actor:
    actors = [actor_by_cookie(work.session, cookie, work.now) for cookie in cookies]
    if asks == "guest_of":
        actors = [one for one in actors if one.guest_of == request.path_params["number"]]
    return actors[0] if actors else NOBODY


def _ensure_known(request: Request, actor: Actor, asks: Asks) -> None:
    match asks:
        case "staff" if actor.person_id is None:
            raise SignedOut
        case "customer" if actor.customer_id is None:
            raise SignedOut(_("Open the link you were given once more, or ask us for a new one."))
        case "guest" if actor.guest_id is None or actor.guest_id != request.path_params["guest"]:
            raise NotFound
        case "guest_of" if actor.guest_id is None:
            raise NotFound


async def _run(request: Request, do: Do[T], *, write: bool, asks: Asks) -> T:
    house, cookies = house_of(request), _cookies(request, asks)
    stale: list[str] = []

    def as_actor(work: Work, do: Do[R]) -> R:
        actor = _actor(work, request, asks, cookies)
        _ensure_known(request, actor, asks)
        if asks == "staff" and seen_long_ago(work.session, actor.session, work.now):
            stale.append(actor.session)
        work.actor = actor
        with use(actor.language), use_zone(actor.timezone):
            return do(work)

    try:
        result = await _refusing(request, lambda work: as_actor(work, do), write=write)
    except Unavailable:
        # Nobody looked yet who asks: whoever is signed out is told that, others why, in their language.
        writing = house.store.writing
        await _refusing(request, lambda work: as_actor(work, lambda _work: writing.check()), write=False)
        raise
    if stale:
        with suppress(ReadOnly):
            await house.store.write(NOBODY, lambda work: note_seen(work, stale[0]))
    return result


async def _refusing(request: Request, do: Do[T], *, write: bool) -> T:
    store = house_of(request).store
    try:
        return await (store.write if write else store.read)(NOBODY, do)
    except No as no:
        raise problem_for(no) from no


def problem_for(no: No) -> Problem:
    """The answer over HTTP for an action that did nothing."""
    match no:
        case Unknown():
            return NotFound(no.sentence)
        case NotAllowed():
            return Forbidden(no.sentence)
        case ReadOnly():
            return Unavailable(no.sentence, no.after)
        case Stale():
            return Conflict(no.sentence)
        case Unfit(field=""):
            return Problem(422, _("That does not fit"), no.sentence)
        case Unfit():
            return Invalid({no.field: no.sentence})
        case _other:
            return Gone(no.sentence)
