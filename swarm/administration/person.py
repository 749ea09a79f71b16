"""One colleague: account, teams, skills, and the way in and out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from markupsafe import Markup
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts import tokens
from swarm.accounts.account_links import make_account_link
from swarm.accounts.actions import sign_out_everywhere
from swarm.accounts.entry import staff_read, staff_write
from swarm.accounts.queries import sessions_of
from swarm.accounts.second_step import clear_factors, factors_of
from swarm.accounts.showing import scope_word
from swarm.administration.people import lasts, link_page, places, role_options
from swarm.desk.acting import Nothing, act
from swarm.desk.knowing import MOST_PAIRS, known, pairs
from swarm.desk.sections import page
from swarm.events.refusals import NotAllowed, Unknown, ensure
from swarm.outbound import queue
from swarm.people import administering
from swarm.people.models import Membership, Person, Team
from swarm.people.queries import Face
from swarm.people.rules import may_manage_accounts, may_steer
from swarm.people.words import role_word
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets.models import Ticket
from swarm.tickets.words import availability_word
from swarm.web.addresses import check_mail
from swarm.web.errors import NotFound, Problem, Typed
from swarm.web.forms import Form, Many, OneLine, read_form
from swarm.web.house import house_of
from swarm.web.render import Render

Choices = Annotated[tuple[Annotated[str, OneLine(40, min=0)], ...], Many(MOST_PAIRS)]


class Account(Form):
    """How somebody is called, signs in, and what they may do."""

    name: Annotated[str, OneLine(80)]
    email: Annotated[str, OneLine(254)]
    role: Literal["agent", "specialist", "manager", "administrator"]

    def __post_init__(self) -> None:
        check_mail(self.email)


class Places(Form):
    """The teams somebody works in, and on which tier."""

    places: Choices = ()

    def __post_init__(self) -> None:
        pairs(self.places, "places")


class Skills(Form):
    """What somebody knows, and how well."""

    skills: Choices = ()

    def __post_init__(self) -> None:
        pairs(self.skills, "skills")


async def show(request: Request) -> Response:
    """The page."""
    return Render.response(await _page(request, "", Typed()))


async def account(request: Request) -> Response:
    """Name, address and role."""

    def do(work: Work, form: Account) -> None:
        administering.change_account(work, _number(request), name=form.name, email=form.email, role=form.role)

    return await act(request, "account", Account, do, to=_here(request), again=_again)


async def teams(request: Request) -> Response:
    """Teams and tiers."""

    def do(work: Work, form: Places) -> None:
        administering.place(work, _number(request), pairs(form.places, "places"))

    return await act(request, "places", Places, do, to=_here(request), again=_again)


async def skills(request: Request) -> Response:
    """Skills and levels."""

    def do(work: Work, form: Skills) -> None:
        administering.teach(work, _number(request), pairs(form.skills, "skills"))

    return await act(request, "skills", Skills, do, to=_here(request), again=_again)


async def link(request: Request) -> Response:
    """Another link by which they choose a password; older ones end."""
    await read_form(request, Nothing)

    def do(work: Work) -> tuple[str, str]:
        secret = make_account_link(work, _number(request), lasts(request))
        return work.session.get_one(Person, _number(request)).name, secret

    name, secret = await staff_write(request, do)
    address = house_of(request).links.absolute(f"/account/{secret}")
    return await link_page(request, _number(request), name, address)


async def letter(request: Request) -> Response:
    """The same by mail, to their own address."""
    house = house_of(request)

    def do(work: Work, _form: Nothing) -> None:
        ensure(may_manage_accounts(work.actor))
        if not house.settings.mail.goes_out:
            raise NotAllowed(_("No mail leaves this house: no server is set. Make a link instead."))
        person = _person(work.session, _number(request))
        if not person.active:
            raise Unknown(_("There is no such person, or they no longer work here."))
        queue.put(
            work,
            "account_link",
            about=f"person:{person.id}",
            person_id=person.id,
            hours=house.settings.links.account_hours,
        )

    return await act(request, "access", Nothing, do, to=_here(request), again=_again)


async def end_sessions(request: Request) -> Response:
    """Sign them out everywhere."""

    def do(work: Work, _form: Nothing) -> None:
        _person(work.session, _number(request))
        sign_out_everywhere(work, _number(request))

    return await act(request, "access", Nothing, do, to=_here(request), again=_again)


async def end_token(request: Request) -> Response:
    """A program of theirs gets in no more."""

    def do(work: Work, _form: Nothing) -> None:
        number: int = request.path_params["token"]
        if number > 2**53:
            raise NotFound
        tokens.end_token(work, number, _number(request))

    return await act(request, "access", Nothing, do, to=_here(request), again=_again)


async def clear_second_step(request: Request) -> Response:
    """They lost phone and codes: the password alone lets them in, once more."""

    def do(work: Work, _form: Nothing) -> None:
        clear_factors(work, _number(request))

    return await act(request, "access", Nothing, do, to=_here(request), again=_again)


async def retire(request: Request) -> Response:
    """End their access; their tickets and asks move on in the same step."""

    def do(work: Work, _form: Nothing) -> None:
        administering.retire(work, _number(request))

    return await act(request, "access", Nothing, do, to=_here(request), again=_again)


async def take_back(request: Request) -> Response:
    """Let them in again."""

    def do(work: Work, _form: Nothing) -> None:
        administering.take_back(work, _number(request))

    return await act(request, "access", Nothing, do, to=_here(request), again=_again)


def _number(request: Request) -> int:
    number: int = request.path_params["person"]
    if number > 2**53:
        raise NotFound
    return number


def _here(request: Request) -> str:
    return f"/people/{request.path_params['person']}"


def _person(session: Session, person_id: int) -> Person:
    person = session.get(Person, person_id)
    if person is None:
        raise Unknown(_("There is no such person."))
    return person


async def _again(request: Request, name: str, problem: Problem) -> Response:
    return Render.response(await _page(request, name, problem.typed), problem.status)


async def _page(request: Request, name: str, typed: Typed) -> Markup:
    def draw(work: Work) -> Markup:
        ensure(may_steer(work.actor))
        session, person = work.session, _person(work.session, _number(request))

        def of(form: str, **start: object) -> Typed:
            return typed if form == name else Typed.blank(**start)

        in_teams = [
            f"{team}:{rung}"
            for team, rung in session.execute(
                select(Membership.team_id, Membership.rung).where(Membership.person_id == person.id)
            )
        ]
        context: dict[str, Any] = page(work, "people") | {
            "person": person,
            "hue": Face(f"person:{person.id}", person.name).hue,
            "role": role_word(person.role),
            "availability": availability_word(person.availability),
            "account": of("account", name=person.name, email=person.email, role=person.role),
            "roles": role_options(),
            "places": places(session, typed.chosen.get("places", ()) if name == "places" else in_teams),
            "places_form": of("places"),
            "known": known(session, person.id, typed.chosen.get("skills", ()) if name == "skills" else None),
            "skills_form": of("skills"),
            "access": of("access"),
            "leads": session.scalars(
                select(Team.name).where(Team.duty_lead_id == person.id).order_by(Team.name)
            ).all(),
            "owns": session.scalar(
                select(func.count()).where(Ticket.owner_id == person.id, Ticket.status != "closed")
            ),
            "factors": len(factors_of(session, person.id)),
            "sessions": len(sessions_of(session, person.id, work.now)),
            "tokens": [
                {"row": row, "scopes": [scope_word(one) for one in row.scopes.split()]}
                for row in tokens.tokens_of(session, person.id, work.now)
            ],
            "mail_goes_out": house_of(request).settings.mail.goes_out,
            "letter": queue.last_about(session, f"person:{person.id}"),
            "manages_accounts": bool(may_manage_accounts(work.actor)),
            "is_me": work.actor.person_id == person.id,
        }
        return house_of(request).render.html(request, "administration/person.html", context)

    return await staff_read(request, draw)
