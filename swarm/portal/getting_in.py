"""The start page, signing in and out, the first account, and the demo's one-click sign-in."""

from __future__ import annotations

from typing import Annotated

from markupsafe import Markup
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from swarm.accounts.actions import end_session, key_of
from swarm.accounts.entry import anyone_read, anyone_write, who
from swarm.accounts.passwords import MOST, fits, hash_of, off_the_loop
from swarm.accounts.queries import anybody, person_by_email
from swarm.people.actions import set_profile
from swarm.people.actions import set_up as set_up_first
from swarm.people.models import Person
from swarm.portal.demo_people import demo_people, is_demo
from swarm.portal.entering import DESK, Entered, enter, entered, signed_in, start
from swarm.portal.visitor import address, customer_actor_here
from swarm.store import Work
from swarm.text.language import _, current, ngettext
from swarm.tickets.models import Ticket
from swarm.tickets.queries import visible
from swarm.tickets.words import customer_status_word
from swarm.web.addresses import check_mail
from swarm.web.errors import Invalid, NotFound, Problem, Typed, wants
from swarm.web.forms import Form, Number, OneLine, Secret, read_form
from swarm.web.house import house_of
from swarm.web.limits import Rule
from swarm.web.links import local_path
from swarm.web.render import Render


class SignIn(Form, kw_only=True):
    """Who wants in, and where to."""

    email: Annotated[str, OneLine(254)]
    password: Annotated[str, Secret(MOST)]
    next: Annotated[str, OneLine(2000, min=0)] = ""


class DemoSignIn(Form, kw_only=True):
    """As whom."""

    person: Annotated[int, Number(1)]
    next: Annotated[str, OneLine(2000, min=0)] = ""
    simulated: bool = False
    """Said by simulated people, who make room for visitors."""


class SetUp(Form, kw_only=True):
    """The first administrator."""

    name: Annotated[str, OneLine(100)]
    email: Annotated[str, OneLine(254)]
    password: Annotated[str, Secret(MOST)]
    again: Annotated[str, Secret(MOST)]

    def __post_init__(self) -> None:
        check_mail(self.email)
        if self.password != self.again:
            raise Invalid({"again": _("This is not the same as above. Type both again.")})


async def home(request: Request) -> Response:
    """Staff go to their desk; everybody else finds the two ways on."""
    if (await who(request)).is_staff:
        return RedirectResponse(DESK, 303)
    if not await anyone_read(request, lambda work: anybody(work.session)):
        return RedirectResponse("/set-up", 303)
    house = house_of(request)

    def draw(work: Work) -> Markup:
        customer = customer_actor_here(request, work)
        followed = select(Ticket).where(visible(customer)).order_by(Ticket.updated_at.desc()).limit(20)
        cases = [(case, customer_status_word(case.status)) for case in work.session.scalars(followed)]
        return house.render.html(request, "portal/home.html", {"cases": cases})

    return Render.response(await anyone_read(request, draw))


async def sign_in_page(request: Request) -> Response:
    """The page with the form; in the demo also with people to be."""
    target = local_path(request.query_params.get("next"), DESK)
    if (await who(request)).is_staff:
        return RedirectResponse(target, 303)
    if not await anyone_read(request, lambda work: anybody(work.session)):
        return RedirectResponse("/set-up", 303)
    return await _sign_in_page(request, Typed.blank(next=target))


async def sign_in(request: Request) -> Response:
    """Checks the password and starts a session; says and takes the same where there is no such account."""
    try:
        form = await read_form(request, SignIn)
        try:
            return await _sign_in(request, form)
        except Problem as problem:
            problem.typed = Typed({"email": form.email, "next": form.next}, {}, {}, problem.sentence)
            raise
    except Problem as problem:
        if wants(request) != "page":
            raise
        return await _sign_in_page(request, problem.typed, problem)


async def sign_out(request: Request) -> Response:
    """Ends this session; without one it is over already."""
    house = house_of(request)
    cookie = house.staff_cookie.read(request)
    if cookie is not None:
        await anyone_write(request, lambda work: end_session(work, key_of(cookie)))
    response = RedirectResponse("/sign-in", 303)
    house.staff_cookie.clear(response)
    return response


async def demo_sign_in(request: Request) -> Response:
    """Signs in as one of the demo's people; there is no such door anywhere else."""
    if not house_of(request).settings.demo or not await anyone_read(request, is_demo):
        raise NotFound
    form = await read_form(request, DemoSignIn)

    def do(work: Work) -> Entered:
        person = work.session.get(Person, form.person)
        if not is_demo(work) or person is None or not person.active:
            raise NotFound
        if not form.simulated:
            # A visitor reads what their browser asks for, whoever they are today.
            set_profile(work, person.id, name=person.name, language=current(), timezone=person.timezone)
        return enter(request, work, person, form.next, simulated=form.simulated)

    return entered(request, await anyone_write(request, do))


async def set_up_page(request: Request) -> Response:
    """The page of the first account, until there is one."""
    if await anyone_read(request, lambda work: anybody(work.session)):
        return RedirectResponse("/sign-in", 303)
    return _set_up_page(request, Typed.blank())


async def set_up(request: Request) -> Response:
    """Makes the first account, an administrator's; teams follow from the configuration. Of two, one wins."""
    house = house_of(request)
    try:
        form = await read_form(request, SetUp)
        least = house.settings.passwords.min_length
        try:
            await _limit_guesses(request, address(request))
            long_enough(form.password, least)
            if await anyone_read(request, lambda work: anybody(work.session)):
                return _already_set_up(request)
            secret = await _make_first(request, form)
        except Problem as problem:
            problem.typed = Typed(
                {"name": form.name, "email": form.email}, {}, problem.typed.problems, problem.sentence
            )
            raise
    except Problem as problem:
        if wants(request) != "page":
            raise
        if problem.status == 403:
            return _already_set_up(request)
        return _set_up_page(request, problem.typed, problem)
    return signed_in(request, secret, DESK, current())


async def _sign_in(request: Request, form: SignIn) -> Response:
    house = house_of(request)
    email = form.email.lower()
    await _limit_guesses(request, address(request))
    await _limit_guesses(request, email)

    def look(work: Work) -> tuple[int, str | None] | None:
        person = person_by_email(work.session, email)
        return None if person is None else (person.id, person.password)

    found = await anyone_read(request, look)
    kept = found[1] if found else None
    right = await off_the_loop(house.settings.passwords.at_once, lambda: fits(form.password, kept))
    if found is None or not right:
        raise _wrong()

    def do(work: Work) -> Entered:
        person = work.session.get(Person, found[0])
        if person is None or not person.active or person.password != kept:
            raise _wrong()
        return enter(request, work, person, form.next)

    return entered(request, await anyone_write(request, do))


def _wrong() -> Problem:
    return Problem(401, _("Not signed in"), _("The e-mail address or the password is not right."))


async def _make_first(request: Request, form: SetUp) -> str:
    at_once = house_of(request).settings.passwords.at_once
    hashed = await off_the_loop(at_once, lambda: hash_of(form.password))

    def do(work: Work) -> str:
        person = set_up_first(work, name=form.name, email=form.email, password=hashed, language=current())
        return start(request, work, person)

    return await anyone_write(request, do)


def long_enough(password: str, least: int) -> None:
    """Raise `Invalid` for a password that is too short."""
    if len(password) < least:
        words = ngettext("At least %(num)s character.", "At least %(num)s characters.", least)
        raise Invalid({"password": words})


async def _limit_guesses(request: Request, key: str) -> None:
    house = house_of(request)
    await house.limits.hit(Rule("sign_in", f"{house.settings.limits.sign_in_per_minute}/minute"), key)


async def _sign_in_page(request: Request, form: Typed, problem: Problem | None = None) -> Response:
    house = house_of(request)

    def draw(work: Work) -> Markup:
        cards = demo_people(work) if house.settings.demo and is_demo(work) else ([], [])
        context = {
            "form": form,
            "problem": problem,
            "cards": cards[0],
            "more_cards": cards[1],
            "mail_goes_out": house.settings.mail.goes_out,
        }

        return house.render.html(request, "accounts/sign_in.html", context)

    content = await anyone_read(request, draw)
    return Render.response(content, problem.status if problem else 200, problem.headers if problem else None)


def _set_up_page(request: Request, form: Typed, problem: Problem | None = None) -> Response:
    house = house_of(request)
    context = {"form": form, "problem": problem, "least": house.settings.passwords.min_length, "most": MOST}
    response = house.render.page(request, "accounts/set_up.html", context, problem.status if problem else 200)
    response.headers.update(problem.headers if problem else {})
    return response


def _already_set_up(request: Request) -> Response:
    house = house_of(request)
    sentence = _("swarm is set up already. Sign in, or ask an administrator for an account.")
    problem = Problem(409, _("Somebody was faster"), sentence)
    if wants(request) != "page":
        return house.problems.answer(request, problem)
    return house.render.page(request, "accounts/already_set_up.html", {"problem": problem}, 409)
