"""Everybody who works here, and a new account."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from babel import Locale
from markupsafe import Markup
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts.entry import staff_read, staff_write
from swarm.accounts.hiring import NewColleague, hire_and_let_in
from swarm.accounts.models import SessionRow
from swarm.desk.acting import done
from swarm.desk.knowing import MOST_PAIRS, pairs
from swarm.desk.sections import page
from swarm.events.refusals import ensure
from swarm.people.models import Membership, Person, Team, Tier
from swarm.people.queries import Face, Sought, people_page, teams
from swarm.people.rules import may_manage_accounts, may_steer
from swarm.people.words import role_hint, role_word
from swarm.store import Work, paging
from swarm.text.language import LANGUAGES, _
from swarm.tickets.words import availability_word
from swarm.web.addresses import check_mail
from swarm.web.errors import Invalid, NotFound, Typed, wants
from swarm.web.forms import Form, Many, Number, OneLine, read_form, read_query
from swarm.web.house import house_of
from swarm.web.render import Render

PAGE = 50
ROLES = ("agent", "specialist", "manager", "administrator")


class Filter(Form):
    """What the list is narrowed to."""

    q: Annotated[str, OneLine(200, min=0)] = ""
    team: Annotated[int, Number(1)] | None = None
    state: Literal["", "here", "gone"] = ""
    after: Annotated[str, OneLine(500, min=0)] = ""


class Hired(Form):
    """A new colleague."""

    name: Annotated[str, OneLine(80)]
    email: Annotated[str, OneLine(254)]
    role: Literal["agent", "specialist", "manager", "administrator"] = "agent"
    language: Annotated[str, OneLine(20)] = LANGUAGES[0]
    places: Annotated[tuple[Annotated[str, OneLine(40, min=0)], ...], Many(MOST_PAIRS)] = ()

    def __post_init__(self) -> None:
        check_mail(self.email)
        if self.language not in LANGUAGES:
            raise Invalid({"language": _("Choose one of the offered.")})
        pairs(self.places, "places")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """A colleague as the list shows them."""

    id: int
    name: str
    email: str
    hue: int
    role: str
    teams: str
    availability: str
    active: bool
    has_password: bool
    seen: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """A team as somebody may be put into it: pairs of value and words, the first for not at all."""

    team_id: int
    name: str
    options: Sequence[tuple[str, str]]
    chosen: str


async def show(request: Request) -> Response:
    """The list."""
    form = read_query(request, Filter)

    def draw(work: Work) -> Markup:
        ensure(may_steer(work.actor))
        try:
            sought = Sought(words=form.q, team=form.team, gone=form.state == "gone")
            found = people_page(work.session, sought, form.after, PAGE)
        except paging.BadCursor:
            raise NotFound from None
        context: dict[str, Any] = page(work, "people") | {
            "rows": _rows(work.session, found.rows),
            "after": _href(form, found.next) if found.next else "",
            "filter": form,
            "teams": [(team.id, team.name) for team in teams(work.session)],
            "may_hire": bool(may_manage_accounts(work.actor)),
        }
        return house_of(request).render.html(request, "administration/people.html", context)

    return Render.response(await staff_read(request, draw))


async def new(request: Request) -> Response:
    """The form for a new account."""
    return Render.response(await _new_page(request, Typed.blank(role="agent", language=LANGUAGES[0])))


async def add(request: Request) -> Response:
    """A new account, and the link by which its owner chooses a password."""
    house = house_of(request)
    try:
        form = await read_form(request, Hired)

        def do(work: Work) -> tuple[int, str, str]:
            new = NewColleague(
                name=form.name,
                email=form.email,
                role=form.role,
                language=form.language,
                rungs=pairs(form.places, "places"),
            )
            hours, by_mail = house.settings.links.account_hours, house.settings.mail.goes_out
            person, secret = hire_and_let_in(work, new, hours=hours, by_mail=by_mail)
            return person.id, person.name, secret

        try:
            made = await staff_write(request, do)
        except Invalid as problem:
            values = {name: getattr(form, name) for name in ("name", "email", "role", "language")}
            problem.typed = Typed(values, {"places": form.places}, problem.typed.problems, problem.sentence)
            raise
    except Invalid as problem:
        if wants(request) != "page":
            raise
        return Render.response(await _new_page(request, problem.typed), problem.status)
    person_id, name, secret = made
    if not secret:
        return done(request, f"/people/{person_id}")
    return await link_page(request, person_id, name, house.links.absolute(f"/account/{secret}"))


def lasts(request: Request) -> timedelta:
    """How long a link into an account works."""
    return timedelta(hours=house_of(request).settings.links.account_hours)


async def link_page(request: Request, person_id: int, name: str, link: str) -> Response:
    """The page that shows a link, this once."""

    def draw(work: Work) -> Markup:
        context: dict[str, Any] = page(work, "people") | {
            "person": person_id,
            "name": name,
            "link": link,
            "hours": house_of(request).settings.links.account_hours,
        }
        return house_of(request).render.html(request, "administration/link.html", context)

    return Render.response(await staff_read(request, draw), 201)


def places(session: Session, chosen: Collection[str]) -> list[Place]:
    """Every team, with its tiers to choose from."""
    tiers: dict[int, list[Tier]] = {}
    for tier in session.scalars(select(Tier).order_by(Tier.team_id, Tier.rung)):
        tiers.setdefault(tier.team_id, []).append(tier)
    found = []
    for team in teams(session):
        rungs = [(tier.rung, tier.name) for tier in tiers.get(team.id, [])] or [(1, _("In it"))]
        options = [("", _("Not in it")), *((f"{team.id}:{rung}", name) for rung, name in rungs)]
        here = next((value for value, _name in options if value and value in chosen), "")
        found.append(Place(team.id, team.name, options, here))
    return found


def role_options() -> list[tuple[str, str, str]]:
    """Roles to choose from: key, word, and what it may do."""
    return [(role, role_word(role), role_hint(role)) for role in ROLES]


def language_options() -> list[tuple[str, str]]:
    """Languages of the pages, each in itself."""
    return [(code, Locale.parse(code).get_display_name(code) or code) for code in LANGUAGES]


async def _new_page(request: Request, form: Typed) -> Markup:
    def draw(work: Work) -> Markup:
        ensure(may_manage_accounts(work.actor))
        context: dict[str, Any] = page(work, "people") | {
            "form": form,
            "mail_goes_out": house_of(request).settings.mail.goes_out,
            "roles": role_options(),
            "languages": language_options(),
            "places": places(work.session, form.chosen.get("places", ())),
        }
        return house_of(request).render.html(request, "administration/new_person.html", context)

    return await staff_read(request, draw)


def _href(form: Filter, after: str) -> str:
    narrowed = {"q": form.q, "team": form.team, "state": form.state, "after": after}
    return f"/people?{urlencode({name: value for name, value in narrowed.items() if value})}"


def _rows(session: Session, found: Sequence[Person]) -> list[PersonRow]:
    ids = [person.id for person in found]
    in_teams: dict[int, list[str]] = {}
    memberships = (
        select(Membership.person_id, Team.name)
        .join(Team, Team.id == Membership.team_id)
        .where(Membership.person_id.in_(ids))
        .order_by(Team.name)
    )
    for person_id, name in session.execute(memberships):
        in_teams.setdefault(person_id, []).append(name)
    seen = dict(
        session.execute(
            select(SessionRow.person_id, func.max(SessionRow.seen_at))
            .where(SessionRow.person_id.in_(ids), SessionRow.token_id.is_(None))
            .group_by(SessionRow.person_id)
        ).all()
    )
    return [
        PersonRow(
            id=person.id,
            name=person.name,
            email=person.email,
            hue=Face(f"person:{person.id}", person.name).hue,
            role=role_word(person.role),
            teams=" · ".join(in_teams.get(person.id, [])),
            availability=availability_word(person.availability),
            active=person.active,
            has_password=person.password is not None,
            seen=seen.get(person.id),
        )
        for person in found
    ]
