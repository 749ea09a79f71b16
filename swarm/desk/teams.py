"""The teams: how each works now, what waits where, and the switch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from markupsafe import Markup
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts.entry import staff_read
from swarm.desk.acting import act
from swarm.desk.frame import frame
from swarm.desk.sections import page
from swarm.modes import MODES, policy
from swarm.modes.models import PolicyChange
from swarm.people.models import Membership, Person, Team, Tier
from swarm.people.queries import team_by_key, teams
from swarm.store import Work
from swarm.text.language import _, ngettext
from swarm.tickets.models import Ticket
from swarm.tickets.queries import open_by_mode
from swarm.web.errors import Problem, Typed
from swarm.web.forms import Form, Number, OneLine
from swarm.web.house import house_of
from swarm.web.render import Render

USUAL_SHARE = 50
LONGEST_NOTE = 500


class Switched(Form):
    """A policy for new tickets, chosen while `version` was in force."""

    policy: Literal["tiered", "split", "tierless"]
    note: Annotated[str, OneLine(LONGEST_NOTE)]
    version: Annotated[int, Number(1)]
    share: Annotated[int, Number(0, 100)] | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits on one rung, or to be taken at all."""

    name: str
    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamView:
    """A team as its row shows it."""

    team_id: int
    key: str
    name: str
    text: str
    policy: str
    share: int
    version: int
    waiting: Sequence[Waiting]
    next: Mapping[str, str]
    """Position of the switch → what happens next, in words."""
    changed_by: str
    changed_at: datetime | None
    why: str


async def show(request: Request) -> Response:
    """Every team."""
    return Render.response(await _page(request, "", None))


async def row(request: Request) -> Response:
    """One team's row, for a page that shows it already."""
    key = request.path_params["key"]

    def draw(work: Work) -> Markup:
        view = _views(work.session, [team_by_key(work.session, key)])[0]
        context = {"team": view, "switches": bool(policy.may_switch(work.actor)), "form": Typed.blank()}
        return house_of(request).render.html(request, "desk/_team_row.html", context)

    return Render.response(await staff_read(request, draw))


async def history(request: Request) -> Response:
    """Who set one team's policy, when and why."""

    def draw(work: Work) -> Markup:
        team = team_by_key(work.session, request.path_params["key"])
        context: dict[str, Any] = frame(
            work, "teams", [f"team:{team.id}"] if _watches(work, team) else []
        ) | {
            "team": team,
            "changes": policy.history_of(work, team.id),
            "policy_name": policy.policy_name,
        }
        return house_of(request).render.html(request, "desk/team_history.html", context)

    return Render.response(await staff_read(request, draw))


async def switch(request: Request) -> Response:
    """Sets how new tickets of the team are worked; what is open keeps its mode."""
    key = request.path_params["key"]

    def do(work: Work, form: Switched) -> int:
        team = team_by_key(work.session, key)
        policy.switch(work, team.id, form.policy, form.share or 0, form.note, form.version)
        return team.id

    return await act(request, key, Switched, do, to=lambda team: f"/teams#team-{team}", again=_page_again)


async def _page_again(request: Request, key: str, problem: Problem) -> Response:
    return Render.response(await _page(request, key, problem), problem.status, problem.headers)


async def _page(request: Request, key: str, problem: Problem | None) -> Markup:
    def draw(work: Work) -> Markup:
        context: dict[str, Any] = page(work, "teams") | {
            "teams": _views(work.session, teams(work.session)),
            "switches": bool(policy.may_switch(work.actor)),
            "refused": key,
            "form": problem.typed if problem else Typed.blank(),
            "sentence": _whole(problem) if problem else "",
        }
        return house_of(request).render.html(request, "desk/teams.html", context)

    return await staff_read(request, draw)


def _whole(problem: Problem) -> str:
    """What was wrong, with what belongs to no field that is shown."""
    others = (said for field, said in problem.typed.problems.items() if field not in ("note", "share"))
    return " ".join((problem.sentence, *others))


def _watches(work: Work, team: Team) -> bool:
    return work.actor.manages or team.id in work.actor.rungs


def _views(session: Session, found: Sequence[Team]) -> list[TeamView]:
    """Rows in a fixed number of queries, however many teams there are."""
    ids = [team.id for team in found]
    in_mode = open_by_mode(session, ids)
    people = dict(
        session.execute(
            select(Membership.team_id, func.count())
            .join(Person, Person.id == Membership.person_id)
            .where(Membership.team_id.in_(ids), Person.active)
            .group_by(Membership.team_id)
        ).all()
    )
    leads = dict(
        session.execute(select(Team.id, Person.name).join(Person, Person.id == Team.duty_lead_id)).all()
    )
    changes = {
        change.team_id: (change, name)
        for change, name in session.execute(
            select(PolicyChange, Person.name)
            .join(Team, (Team.id == PolicyChange.team_id) & (Team.policy_version == PolicyChange.version))
            .join(Person, Person.id == PolicyChange.by_id, isouter=True)
            .where(PolicyChange.team_id.in_(ids))
        )
    }
    tiers: dict[int, list[Tier]] = {id_: [] for id_ in ids}
    for tier in session.scalars(select(Tier).where(Tier.team_id.in_(ids)).order_by(Tier.rung)):
        tiers[tier.team_id].append(tier)
    queues = _queues(session, ids)
    views = []
    for team in found:
        by_mode = {key: in_mode.get((team.id, key), 0) for key in MODES}
        change, name = changes.get(team.id, (None, None))
        views.append(
            TeamView(
                team_id=team.id,
                key=team.key,
                name=team.name,
                text=_text(people.get(team.id, 0), sum(by_mode.values()), leads[team.id]),
                policy=team.policy,
                share=team.share,
                version=team.policy_version,
                waiting=_waiting(tiers[team.id], queues.get(team.id, {})),
                next={
                    position: _next(position, by_mode, len(tiers[team.id]))
                    for position in ("tiered", "split", "tierless")
                },
                changed_by=name or _("The command line"),
                changed_at=change.at if change else None,
                why=change.note if change else "",
            )
        )
    return views


def _queues(session: Session, ids: Sequence[int]) -> Mapping[int, Mapping[int, tuple[int, datetime | None]]]:
    rows = session.execute(
        select(Ticket.team_id, Ticket.queued_for, func.count(), func.min(Ticket.queued_at))
        .where(Ticket.team_id.in_(ids), Ticket.queued_for.is_not(None))
        .group_by(Ticket.team_id, Ticket.queued_for)
    )
    found: dict[int, dict[int, tuple[int, datetime | None]]] = {}
    for team, rung, count, oldest in rows:
        if rung is not None:
            found.setdefault(team, {})[rung] = (count, oldest)
    return found


def _waiting(tiers: Sequence[Tier], queue: Mapping[int, tuple[int, datetime | None]]) -> list[Waiting]:
    names = {0: _("To be taken"), **{tier.rung: tier.name for tier in tiers if tier.rung > 1}}
    # A tier that was taken away may still have somebody waiting for it.
    names |= {rung: _("Tier %(tier)s", tier=rung) for rung in queue if rung not in names}
    return [
        Waiting(name, *queue[rung]) if rung in queue else Waiting(name, 0, None)
        for rung, name in sorted(names.items())
    ]


def _text(people: int, opened: int, lead: str) -> str:
    return " · ".join(
        (
            ngettext("%(num)s person", "%(num)s people", people),
            ngettext("%(num)s open ticket", "%(num)s open tickets", opened),
            _("duty lead %(name)s", name=lead),
        )
    )


def _next(position: str, by_mode: Mapping[str, int], tiers: int) -> str:
    """What follows from a position of the switch: new tickets only, and what stays as it is."""
    said = {
        "tiered": _("New tickets only: they will be tiered."),
        "tierless": _("New tickets only: they will be tierless."),
        "split": _("New tickets only: each is drawn to one of both, so that the share holds."),
    }[position]
    stays = {
        "tiered": ngettext(
            "%(num)s open ticket stays tiered.", "%(num)s open tickets stay tiered.", by_mode["tiered"]
        ),
        "tierless": ngettext(
            "%(num)s open ticket stays tierless.", "%(num)s open tickets stay tierless.", by_mode["tierless"]
        ),
    }
    words = [said, *(stays[key] for key, count in by_mode.items() if count and key != position)]
    if position != "tierless" and tiers < 2:
        words.append(_("This team has one tier: there is nobody to escalate to yet."))
    return " ".join(words)
