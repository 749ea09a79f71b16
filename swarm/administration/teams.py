"""A new team, and what a team is called, who leads it, and its tiers."""

from __future__ import annotations

from typing import Annotated, Any

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts.entry import staff_read
from swarm.desk.acting import act
from swarm.desk.sections import page
from swarm.events.refusals import ensure
from swarm.people.administering import found_team, settle_team
from swarm.people.models import Person
from swarm.people.queries import members, team_by_key, tiers_of
from swarm.people.rules import may_steer
from swarm.store import Work
from swarm.text.language import _
from swarm.web.errors import Invalid, Problem, Typed
from swarm.web.forms import Form, Many, Number, OneLine
from swarm.web.house import house_of
from swarm.web.render import Render

MOST_TIERS = 9
EMPTY_TIERS = 2
"""Fields for more tiers than there are."""


class Settled(Form):
    """A team as the form has it; empty tiers are left out."""

    name: Annotated[str, OneLine(80)]
    lead: Annotated[int, Number(1)]
    tiers: Annotated[tuple[Annotated[str, OneLine(60, min=0)], ...], Many(MOST_TIERS)] = ()

    def __post_init__(self) -> None:
        if len({name.lower() for name in self.names}) < len(self.names):
            raise Invalid({"tiers": _("Two tiers have the same name.")})

    @property
    def names(self) -> list[str]:
        """The tiers that have a name, from the first up."""
        return [name for name in self.tiers if name]


async def new(request: Request) -> Response:
    """The form for a team that is not there yet."""
    return Render.response(await _page(request, None, None))


async def found(request: Request) -> Response:
    """A new team."""

    def do(work: Work, form: Settled) -> int:
        return found_team(work, name=form.name, duty_lead_id=form.lead, tiers=form.names).id

    async def again(request: Request, _name: str, problem: Problem) -> Response:
        return Render.response(await _page(request, None, problem.typed), problem.status)

    return await act(request, "team", Settled, do, to=lambda team: f"/teams#team-{team}", again=again)


async def show(request: Request) -> Response:
    """The settings of a team."""
    return Render.response(await _page(request, request.path_params["key"], None))


async def settle(request: Request) -> Response:
    """Name, duty lead and tiers."""
    key = request.path_params["key"]

    def do(work: Work, form: Settled) -> None:
        team = team_by_key(work.session, key)
        settle_team(work, team.id, name=form.name, duty_lead_id=form.lead, tiers=form.names)

    async def again(request: Request, _name: str, problem: Problem) -> Response:
        return Render.response(await _page(request, key, problem.typed), problem.status)

    return await act(request, "team", Settled, do, to=f"/teams/{key}/settings", again=again)


async def _page(request: Request, key: str | None, typed: Typed | None) -> Markup:
    def draw(work: Work) -> Markup:
        ensure(may_steer(work.actor))
        session = work.session
        team = None if key is None else team_by_key(session, key)
        form = typed
        if form is None and team is None:
            form = Typed.blank(lead=work.actor.person_id, tiers=[_("First line"), _("Second line")])
        elif form is None and team is not None:
            names = [tier.name for tier in tiers_of(session, team.id)]
            form = Typed.blank(name=team.name, lead=team.duty_lead_id, tiers=names)
        assert form is not None
        tiers = [*form.chosen.get("tiers", ())]
        context: dict[str, Any] = page(work, "teams") | {
            "team": team,
            "form": form,
            "tiers": (tiers + [""] * EMPTY_TIERS)[:MOST_TIERS],
            "people": _people(session),
            "members": [] if team is None else members(session, team.id),
        }
        return house_of(request).render.html(request, "administration/team.html", context)

    return await staff_read(request, draw)


def _people(session: Session) -> list[tuple[int, str]]:
    rows = select(Person.id, Person.name).where(Person.active).order_by(Person.name, Person.id)
    return [(id_, name) for id_, name in session.execute(rows)]
