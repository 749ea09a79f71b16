"""My own page: name, availability, skills, language, password, sessions."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal, cast
from zoneinfo import available_timezones

from babel import Locale
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts.actions import set_password, sign_out_everywhere
from swarm.accounts.entry import staff_read, staff_write
from swarm.accounts.passwords import MOST, fits, hash_of, off_the_loop
from swarm.accounts.queries import sessions_of
from swarm.accounts.second_step import factors_of
from swarm.accounts.tokens import tokens_of
from swarm.desk.acting import Nothing, act, done
from swarm.desk.frame import AVAILABILITIES, frame
from swarm.desk.knowing import MOST_PAIRS, known, pairs
from swarm.events.refusals import Stale
from swarm.people import actions
from swarm.people.administering import teach
from swarm.people.models import LETTERS, Person
from swarm.store import Work
from swarm.text.language import LANGUAGES, _, ngettext
from swarm.tickets.words import availability_word
from swarm.web.errors import Invalid, Problem, Typed, wants
from swarm.web.forms import Form, Many, OneLine, Secret, read_form
from swarm.web.house import house_of
from swarm.web.language import remember
from swarm.web.limits import Rule
from swarm.web.render import Render


class Availability(Form):
    """Whether I can be asked."""

    availability: Literal["available", "busy", "away"]


class Skills(Form):
    """What I know, and how well."""

    skills: Annotated[tuple[Annotated[str, OneLine(40, min=0)], ...], Many(MOST_PAIRS)] = ()

    def __post_init__(self) -> None:
        pairs(self.skills, "skills")


class Letters(Form):
    """What I get mail about while I am not here."""

    letters: Annotated[tuple[Literal["asks", "given", "answers"], ...], Many(len(LETTERS))] = ()


class Profile(Form):
    """How I am called, and how I read."""

    name: Annotated[str, OneLine(80)]
    language: Annotated[str, OneLine(20)]
    timezone: Annotated[str, OneLine(60)]

    def __post_init__(self) -> None:
        problems = {}
        if self.language not in LANGUAGES:
            problems["language"] = _("Choose one of the offered.")
        if self.timezone not in zones():
            problems["timezone"] = _("There is no such time zone.")
        if problems:
            raise Invalid(problems)


class Password(Form):
    """A new password, and the one that still holds."""

    current: Annotated[str, Secret(MOST)]
    password: Annotated[str, Secret(MOST)]
    again: Annotated[str, Secret(MOST)]

    def __post_init__(self) -> None:
        if self.password != self.again:
            raise Invalid({"again": _("This is not the same as above.")})


async def show(request: Request) -> Response:
    """The page."""
    return Render.response(await _page(request, "", Typed()))


async def again(request: Request, form: str, problem: Problem) -> Response:
    """The page once more, because a form on it was refused."""
    return Render.response(await _page(request, form, problem.typed), problem.status)


async def availability(request: Request) -> Response:
    """I can be asked now, or not."""
    return await act(
        request,
        "availability",
        Availability,
        lambda work, form: actions.set_availability(work, _me(work), form.availability),
        to="/me",
        again=again,
    )


async def skills(request: Request) -> Response:
    """What I know; asks find me by it."""
    return await act(
        request,
        "skills",
        Skills,
        lambda work, form: teach(work, _me(work), pairs(form.skills, "skills")),
        to="/me",
        again=again,
    )


async def letters(request: Request) -> Response:
    """What I get mail about while I am not here."""
    return await act(
        request,
        "letters",
        Letters,
        lambda work, form: actions.set_letters(work, _me(work), form.letters),
        to="/me",
        again=again,
    )


async def profile(request: Request) -> Response:
    """How I am called, and how I read."""

    chosen = ""

    def do(work: Work, form: Profile) -> None:
        nonlocal chosen
        actions.set_profile(work, _me(work), name=form.name, language=form.language, timezone=form.timezone)
        chosen = form.language

    response = await act(request, "profile", Profile, do, to="/me", again=again)
    remember(response, chosen, secure=house_of(request).staff_cookie.secure)
    return response


async def password(request: Request) -> Response:
    """Another password; every other session of mine ends with the old one."""
    try:
        form = await read_form(request, Password)
        await _change_password(request, form)
    except Invalid as problem:
        if wants(request) != "page":
            raise
        return await again(request, "password", problem)
    return done(request, "/me")


async def end_sessions(request: Request) -> Response:
    """Sign out everywhere else."""
    return await act(
        request,
        "sessions",
        Nothing,
        lambda work, _form: sign_out_everywhere(work, _me(work)),
        to="/me",
        again=again,
    )


async def _change_password(request: Request, form: Password) -> None:
    house = house_of(request)
    at_once, least = house.settings.passwords.at_once, house.settings.passwords.min_length
    me, kept = await staff_read(
        request, lambda work: (_me(work), work.session.get_one(Person, _me(work)).password)
    )
    rule = Rule("own_password", f"{house.settings.limits.sign_in_per_minute}/minute")
    await house.limits.hit(rule, f"person:{me}")
    if len(form.password) < least:
        raise Invalid(
            {
                "password": ngettext(
                    "A password has at least %(num)s character.",
                    "A password has at least %(num)s characters.",
                    least,
                )
            }
        )
    if not await off_the_loop(at_once, lambda: fits(form.current, kept)):
        raise Invalid({"current": _("This is not your password.")})
    hashed = await off_the_loop(at_once, lambda: hash_of(form.password))

    def change(work: Work) -> None:
        person = work.session.get_one(Person, _me(work), with_for_update=True)
        if person.password != kept:
            raise Stale(_("Your password was changed elsewhere in the meantime. Nothing was changed here."))
        # Programs would stand still: the page says so, and ends them on request.
        set_password(work, me, hashed, but=[work.actor.session], tokens_stay=True)

    await staff_write(request, change)


async def _page(request: Request, name: str, typed: Typed) -> Markup:
    def draw(work: Work) -> Markup:
        person = work.session.get_one(Person, _me(work))
        held = sessions_of(work.session, person.id, work.now)

        def of(form: str, **start: object) -> Typed:
            return typed if form == name else Typed.blank(**start)

        context: dict[str, Any] = frame(work, "me") | {
            "email": person.email,
            "known": known(work.session, person.id, typed.chosen.get("skills") if name == "skills" else None),
            "choices_of_availability": [(key, availability_word(key), _hint(key)) for key in AVAILABILITIES],
            "languages": [(code, Locale.parse(code).get_display_name(code) or code) for code in LANGUAGES],
            "zones": [(zone, zone.replace("_", " ")) for zone in zones()],
            "profile": of("profile", name=person.name, language=person.language, timezone=person.timezone),
            "availability": of("availability", availability=person.availability),
            "skills": of("skills"),
            "letters": of("letters", letters=person.letters),
            "choices_of_letters": [
                ("asks", _("somebody asks for my help")),
                ("given", _("a ticket was given to me")),
                ("answers", _("a customer answered on a ticket of mine")),
            ],
            "mail_goes_out": house_of(request).settings.mail.goes_out,
            "password": of("password"),
            "has_second_step": bool(factors_of(work.session, person.id)),
            "tokens": len(tokens_of(work.session, person.id, work.now)),
            "sessions": [
                {"here": row.key == work.actor.session, "since": row.created_at, "seen": row.seen_at}
                for row in held
            ],
            "least": house_of(request).settings.passwords.min_length,
        }
        return house_of(request).render.html(request, "desk/me.html", context)

    return await staff_read(request, draw)


@lru_cache
def zones() -> tuple[str, ...]:
    """Time zones by area and place (IANA), and UTC."""
    areas = {
        *("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
    }
    return ("UTC", *sorted(zone for zone in available_timezones() if zone.partition("/")[0] in areas))


def _hint(availability: str) -> str:
    return {
        "available": _("Asks reach you."),
        "busy": _("Only somebody who names you reaches you."),
        "away": _("Like busy; colleagues see that you are not there."),
    }[availability]


def _me(work: Work) -> int:
    return cast(int, work.actor.person_id)
