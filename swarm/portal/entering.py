"""From a right password, or what stands for it, to a session: at once or by way of the second step."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from swarm.accounts.actions import end_session, key_of, start_session
from swarm.accounts.events import SignedIn
from swarm.accounts.second_step import Step, begin, new_app, step_of
from swarm.people.models import Person
from swarm.people.queries import actor_of
from swarm.store import Work
from swarm.web.house import house_of
from swarm.web.language import remember
from swarm.web.links import local_path

DESK = "/mine"
WAYS: dict[Step, str] = {"ask": "/sign-in/second", "add": "/sign-in/add"}


@dataclass(frozen=True, slots=True)
class Entered:
    """A cookie's secret, what it still waits for, and where to."""

    secret: str
    step: Step
    target: str
    language: str


def enter(request: Request, work: Work, person: Person, target: str, *, simulated: bool = False) -> Entered:
    """Let in whom the password let in, as far as it does."""
    target = local_path(target, DESK)
    step = step_of(work.session, person)
    if step == "add":
        new_app(work, person.id)
    if step != "none":
        return Entered(begin(work, person.id, target), step, target, person.language)
    return Entered(start(request, work, person, simulated=simulated), step, target, person.language)


def start(request: Request, work: Work, person: Person, *, simulated: bool = False) -> str:
    """A session nobody had before; the one this browser brought ends."""
    house = house_of(request)
    before = house.staff_cookie.read(request)
    if before is not None:
        end_session(work, key_of(before))
    times = house.settings.sessions
    work.actor = actor_of(work.session, person)
    work.record(f"person:{person.id}", SignedIn(person_id=person.id))
    return start_session(work, person.id, days=times.days, idle_hours=times.idle_hours, simulated=simulated)


def entered(request: Request, found: Entered) -> Response:
    """On to the desk, or to the second step."""
    if found.step != "none":
        response = RedirectResponse(WAYS[found.step], 303)
        house_of(request).half_way_cookie.put(response, found.secret)
        return response
    return signed_in(request, found.secret, found.target, found.language)


def signed_in(request: Request, secret: str, target: str, language: str) -> Response:
    """On to the desk, with the session's cookie, in the person's language."""
    house = house_of(request)
    response = RedirectResponse(local_path(target, DESK), 303)
    house.staff_cookie.put(response, secret)
    remember(response, language, secure=house.staff_cookie.secure)
    if house.half_way_cookie.read(request) is not None:
        house.half_way_cookie.clear(response)
    return response
