"""Teams: how they work, who is in them, the switch; and what people can know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, cast

from sqlalchemy import select

from swarm.api.doors import Call, Door, Nothing
from swarm.api.people import AvailabilityName
from swarm.api.views import View, Who, who
from swarm.events.refusals import ensure
from swarm.modes import policy
from swarm.people import administering, queries
from swarm.people.models import Team as TeamRow
from swarm.people.models import Tier as TierRow
from swarm.people.rules import may_steer
from swarm.store import Work
from swarm.web.forms import Form, Number, OneLine

Id = Annotated[int, Number(1)]
PolicyName = Literal["tiered", "tierless", "split"]


class Switched(Form):
    """How new tickets are worked, from now on. `share`: percent tierless, of a split."""

    policy: PolicyName
    note: Annotated[str, OneLine(500)]
    version: Id
    share: Annotated[int, Number(0, 100)] | None = None


class Seated(Form):
    """Who works in the team, and on which tier."""

    person: Id
    tier: Annotated[int, Number(1, 99)] = 1


class Unseated(Form):
    """Who no longer does."""

    person: Id


class Tier(View):
    """A rung of a team."""

    tier: int
    name: str


class Team(View):
    """A team and how it works."""

    id: int
    key: str
    name: str
    duty_lead: Who
    policy: PolicyName
    share: int
    """Percent of new tickets that become tierless."""
    version: int
    """Of the policy: say which one you saw, and hear when somebody was faster."""
    tiers: list[Tier]


class Teams(View):
    """Every team, by name."""

    items: list[Team]


class Member(View):
    """Somebody who works in a team."""

    person: Who
    tier: int
    availability: AvailabilityName


class Members(View):
    """Everybody who works in a team, by name."""

    items: list[Member]


class SkillNamed(View):
    """Something people may know."""

    id: int
    key: str
    name: str


class SkillsNamed(View):
    """Every skill, by name."""

    items: list[SkillNamed]


def list_teams(work: Work, call: Call[Nothing]) -> Teams:
    """Every team, and how it works now."""
    return Teams(items=_teams(work, queries.teams(work.session)))


def show_team(work: Work, call: Call[Nothing]) -> Team:
    """One team, and how it works now."""
    return _team(work, call.path["key"])


def list_members(work: Work, call: Call[Nothing]) -> Members:
    """As a manager, who works in a team."""
    ensure(may_steer(work.actor))
    return _members(work, queries.team_by_key(work.session, call.path["key"]))


def seat_member(work: Work, call: Call[Seated]) -> Members:
    """As a manager, put somebody on a tier of the team; their other teams stay."""
    team = queries.team_by_key(work.session, call.path["key"])
    administering.seat(work, call.form.person, team.id, call.form.tier)
    return _members(work, team)


def unseat_member(work: Work, call: Call[Unseated]) -> Members:
    """As a manager, take somebody out of the team; tickets they own stay theirs."""
    team = queries.team_by_key(work.session, call.path["key"])
    administering.seat(work, call.form.person, team.id, None)
    return _members(work, team)


def switch_policy(work: Work, call: Call[Switched]) -> Team:
    """As a manager, switch how new tickets are worked; what is open keeps its mode."""
    sent, team = call.form, queries.team_by_key(work.session, call.path["key"])
    policy.switch(work, team.id, sent.policy, sent.share or 0, sent.note, sent.version)
    work.session.refresh(team)
    return _team(work, team.key)


def list_skills(work: Work, call: Call[Nothing]) -> SkillsNamed:
    """What people can be asked for."""
    return SkillsNamed(
        items=[
            SkillNamed(id=skill.id, key=skill.key, name=skill.name) for skill in queries.skills(work.session)
        ]
    )


def _team(work: Work, key: str) -> Team:
    return _teams(work, [queries.team_by_key(work.session, key)])[0]


def _teams(work: Work, rows: Sequence[TeamRow]) -> list[Team]:
    leads = who(work, {row.duty_lead_id for row in rows})
    tiers: dict[int, list[Tier]] = {row.id: [] for row in rows}
    rungs = select(TierRow).where(TierRow.team_id.in_(tiers)).order_by(TierRow.team_id, TierRow.rung)
    for tier in work.session.scalars(rungs):
        tiers[tier.team_id].append(Tier(tier=tier.rung, name=tier.name))
    return [
        Team(
            id=row.id,
            key=row.key,
            name=row.name,
            duty_lead=leads[row.duty_lead_id],
            policy=cast(PolicyName, row.policy),
            share=row.share,
            version=row.policy_version,
            tiers=tiers[row.id],
        )
        for row in rows
    ]


def _members(work: Work, team: TeamRow) -> Members:
    work.session.flush()
    return Members(
        items=[
            Member(
                person=Who(id=person.id, name=person.name),
                tier=rung,
                availability=cast(AvailabilityName, person.availability),
            )
            for person, rung in queries.members(work.session, team.id)
        ]
    )


_ONE = "/teams/{key}"
DOORS: Sequence[Door] = (
    Door("GET", "/teams", list_teams),
    Door("GET", _ONE, show_team),
    Door("GET", f"{_ONE}/members", list_members),
    Door("POST", f"{_ONE}/members", seat_member, "teams"),
    Door("POST", f"{_ONE}/members/removal", unseat_member, "teams"),
    Door("POST", f"{_ONE}/policy", switch_policy, "teams"),
    Door("GET", "/skills", list_skills),
)
