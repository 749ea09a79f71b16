"""The demo into an empty database: all of it in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import count

from sqlalchemy import select

from swarm.demo.cast import Cast, TeamPart, read, span
from swarm.demo.playing import Playing
from swarm.events import SYSTEM
from swarm.events.refusals import No
from swarm.people import actions as people
from swarm.people.models import KNOWS_WELL, Person, Team
from swarm.settings import Settings
from swarm.store import Store, Work, instance
from swarm.text.language import _

BEFORE = timedelta(days=30)
"""So long ago the teams were made: before the first switch and the first ticket."""
TIERS = ("First line", "Second line", "Third line")

Moment = tuple[datetime, int, Callable[[], object]]


class NotEmpty(No):
    """Somebody's own data is in the database."""


def load(store: Store, settings: Settings) -> bool:
    """Play the demo where nothing is yet; whether it was now. Raises `NotEmpty`."""
    return store.write_now(SYSTEM, lambda work: _load(work, read(), settings))


def _load(work: Work, cast: Cast, settings: Settings) -> bool:
    here = instance.locked(work)
    if here.demo:
        return False
    if work.session.scalar(select(Person.id).limit(1)) is not None:
        raise NotEmpty(
            _(
                "This database holds data of its own: the demo goes into an empty one. "
                "Leave --demo away, or name another database."
            )
        )
    now = work.now
    playing = _people_and_teams(work, cast, now - BEFORE, settings.tickets.reopen_days)
    # In the order of time over all tickets: the streams of teams and people tell them so, too.
    for at, _place, happens in sorted(_moments(cast, playing, now), key=lambda moment: moment[:2]):
        work.now = at
        happens()
    work.actor, work.now = SYSTEM, now
    here.demo, here.seeded_at = True, now
    return True


def _people_and_teams(work: Work, cast: Cast, at: datetime, reopen_days: int) -> Playing:
    work.now = at
    began_tiered = {switch.team for switch in cast.switches}
    skills = {part.key: people.add_skill(work, key=part.key, name=part.name).id for part in cast.skills}
    staff = {
        part.key: people.add_person(
            work,
            name=part.name,
            email=part.email,
            role=part.role,
            language=part.language,
            availability=part.availability,
        ).id
        for part in cast.people
    }
    teams = {part.key: _team(work, part, staff, part.key in began_tiered).id for part in cast.teams}
    for part in cast.people:
        if part.teams:
            people.set_membership(
                work, staff[part.key], {teams[place.team]: place.tier for place in part.teams}
            )
        if part.skills:
            people.set_skills(work, staff[part.key], {skills[key]: KNOWS_WELL for key in part.skills})
    return Playing(work, staff, teams, skills, reopen_days)


def _team(work: Work, part: TeamPart, staff: dict[str, int], began_tiered: bool) -> Team:
    return people.create_team(
        work,
        key=part.key,
        name=part.name,
        duty_lead_id=staff[part.duty_lead],
        policy="tiered" if began_tiered else part.policy,
        share=part.share,
        tiers=[TIERS[tier - 1] for tier in part.tiers],
    )


def _moments(cast: Cast, playing: Playing, now: datetime) -> Iterator[Moment]:
    places = count()
    for switch in cast.switches:
        yield now - span(switch.ago), next(places), partial(playing.switch, switch)
    for number, ticket in enumerate(cast.tickets, start=1):
        at = now - span(ticket.opened)
        yield at, next(places), partial(playing.open, number, ticket)
        for step in ticket.script:
            at += span(step.after)
            yield at, next(places), partial(playing.step, number, step)
