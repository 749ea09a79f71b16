"""Teams, skills and people from a file: planted once, applied again only on purpose."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from sqlalchemy import func, select

from swarm.events import Role
from swarm.events.refusals import No
from swarm.modes import policy
from swarm.modes.policy import SHARE_STEP, Policy
from swarm.people import actions
from swarm.people.events import SetUp
from swarm.people.models import KNOWS_WELL, Membership, Person, PersonSkill, Skill, Team
from swarm.people.queries import tiers_of
from swarm.people.words import role_word
from swarm.settings import resources
from swarm.store import Work, instance
from swarm.text.clean import Unclean, one_line
from swarm.text.language import _, ngettext
from swarm.tickets.models import Ticket
from swarm.tickets.queries import ACTIVE

Key = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Email = Annotated[str, msgspec.Meta(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
Tier = Annotated[int, msgspec.Meta(ge=1, le=9)]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields of one entry of the file."""


class SkillSeed(Part, frozen=True):
    key: Key
    name: Name


class TeamSeed(Part, frozen=True):
    key: Key
    name: Name
    policy: Policy = "tierless"
    share: Annotated[int, msgspec.Meta(ge=SHARE_STEP, le=100 - SHARE_STEP, multiple_of=SHARE_STEP)] = 50
    tiers: Annotated[tuple[Name, ...], msgspec.Meta(max_length=9)] = ()
    duty_lead: Email | None = None


class Place(Part, frozen=True):
    team: Key
    tier: Tier = 1


class PersonSeed(Part, frozen=True):
    name: Name
    email: Email
    role: Role = "agent"
    teams: tuple[Place, ...] = ()
    skills: tuple[Key, ...] = ()


class Seeds(Part, frozen=True):
    """Everything in the file."""

    skills: tuple[SkillSeed, ...] = ()
    teams: tuple[TeamSeed, ...] = ()
    people: tuple[PersonSeed, ...] = ()


def default_file() -> Path:
    """The file that is shipped, or edited in a checkout."""
    return resources("config", "teams.toml")


def read(path: Path | None = None) -> Seeds:
    """The file, checked as a whole. Raises `No` with a sentence that names what cannot be used."""
    path = path or default_file()
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise No(_("%(path)s cannot be read: %(why)s.", path=path, why=error.strerror or error)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise No(_("%(path)s is not valid TOML: %(why)s.", path=path, why=error)) from None
    try:
        seeds = msgspec.convert(_cleaned(found), Seeds)
    except (msgspec.ValidationError, Unclean) as error:
        raise No(_("%(path)s cannot be used: %(why)s.", path=path, why=_where(found, str(error)))) from None
    if problem := _misfit(seeds):
        raise No(_("%(path)s cannot be used: %(why)s", path=path, why=problem))
    return seeds


def plant(work: Work, event: SetUp) -> None:
    """Right after the first administrator: the shipped file, unless another was planted."""
    seed(work, event.person_id)


def seed(work: Work, administrator_id: int, path: Path | None = None) -> bool:
    """Make what the file says, once in an installation's life; whether it was now. Raises `No`."""
    here = instance.locked(work)
    if here.seeded_at is not None:
        return False
    here.seeded_at = work.now
    _make(work, read(path), administrator_id)
    return True


def apply(work: Work, path: Path | None = None) -> list[str]:
    """Make the file's word count again, taking nothing away; what changed, a sentence each. Raises `No`.

    The actor must be one who may switch policies.
    """
    here = instance.locked(work)
    seeds = read(path)
    lead = work.session.scalar(
        select(Person.id)
        .where(Person.role.in_(("administrator", "manager")), Person.active)
        .order_by(Person.role, Person.id)
    )
    if lead is None:
        raise No(_("Nobody could lead a team yet: run swarm set-up first."))
    here.seeded_at = here.seeded_at or work.now
    return _make(work, seeds, lead)


def _make(work: Work, seeds: Seeds, lead_id: int) -> list[str]:
    said: list[str] = []
    skills = _skills(work, seeds.skills, said)
    people = _accounts(work, seeds.people, said)
    for team in seeds.teams:
        _team(work, team, lead_id, people, said)
    teams = dict(work.session.execute(select(Team.key, Team.id)).all())
    for person in seeds.people:
        person_id = people[person.email.lower()]
        rungs = _rungs(work, person_id)
        wanted = rungs | {teams[place.team]: place.tier for place in person.teams}
        if wanted != rungs:
            actions.set_membership(work, person_id, wanted)
            said.append(_("%(name)s: teams changed", name=person.name))
        levels = select(PersonSkill.skill_id, PersonSkill.level).where(PersonSkill.person_id == person_id)
        knows = dict(work.session.execute(levels).all())
        if missing := {skills[key] for key in person.skills} - knows.keys():
            actions.set_skills(work, person_id, knows | dict.fromkeys(missing, KNOWS_WELL))
            said.append(_("%(name)s: skills added", name=person.name))
    return said


def _skills(work: Work, seeds: Iterable[SkillSeed], said: list[str]) -> dict[str, int]:
    known = {skill.key: skill for skill in work.session.scalars(select(Skill))}
    for seed in seeds:
        found = known.get(seed.key)
        if found is None:
            known[seed.key] = actions.add_skill(work, key=seed.key, name=seed.name)
            said.append(_("Skill %(name)s: added", name=seed.name))
        elif found.name != seed.name:
            said.append(_("Skill %(before)s: now called %(name)s", before=found.name, name=seed.name))
            actions.rename_skill(work, found.id, seed.name)
    return {key: skill.id for key, skill in known.items()}


def _accounts(work: Work, seeds: Iterable[PersonSeed], said: list[str]) -> dict[str, int]:
    known: dict[str, int] = {}
    for person in work.session.scalars(select(Person).where(Person.active)):
        known[person.email] = person.id
    for seed in seeds:
        email = seed.email.lower()
        if email not in known:
            known[email] = actions.add_person(work, name=seed.name, email=email, role=seed.role).id
            said.append(_("%(name)s: account added, without a password", name=seed.name))
        elif (person := work.session.get_one(Person, known[email])).role != seed.role:
            actions.set_role(work, person.id, seed.role)
            said.append(_("%(name)s: now %(role)s", name=seed.name, role=role_word(seed.role)))
    return known


def _team(work: Work, seed: TeamSeed, lead_id: int, people: dict[str, int], said: list[str]) -> None:
    named = people.get(seed.duty_lead.lower()) if seed.duty_lead else None
    if seed.duty_lead and named is None:
        raise No(
            _(
                "The duty lead %(email)s of team %(team)s has no account.",
                email=seed.duty_lead,
                team=seed.name,
            )
        )
    team = work.session.scalars(select(Team).where(Team.key == seed.key)).one_or_none()
    if team is None:
        team = actions.create_team(
            work,
            key=seed.key,
            name=seed.name,
            duty_lead_id=named or lead_id,
            policy=seed.policy,
            share=seed.share,
            tiers=seed.tiers,
        )
        actions.set_membership(work, team.duty_lead_id, _rungs(work, team.duty_lead_id) | {team.id: 1})
        said.append(_("Team %(name)s: created", name=seed.name))
        return
    if team.name != seed.name:
        said.append(_("Team %(before)s: now called %(name)s", before=team.name, name=seed.name))
        actions.rename_team(work, team.id, seed.name)
    if [tier.name for tier in tiers_of(work.session, team.id)] != list(seed.tiers):
        _no_ticket_above(work, team, max(1, len(seed.tiers)))
        actions.set_tiers(work, team.id, seed.tiers)
        said.append(_("Team %(name)s: tiers changed", name=seed.name))
    share = {"tiered": 0, "tierless": 100}.get(seed.policy, seed.share)
    if (team.policy, team.share) != (seed.policy, share):
        policy.switch(work, team.id, seed.policy, share, _("swarm config apply"), team.policy_version)
        said.append(
            _(
                "Team %(name)s: new tickets are %(policy)s",
                name=seed.name,
                policy=policy.policy_name(seed.policy, share),
            )
        )
    if named is not None and named != team.duty_lead_id:
        actions.name_duty_lead(work, team.id, named)
        said.append(_("Team %(name)s: %(email)s is the duty lead now", name=seed.name, email=seed.duty_lead))


def _no_ticket_above(work: Work, team: Team, rungs: int) -> None:
    above = select(func.count()).where(
        Ticket.team_id == team.id,
        Ticket.status.in_(ACTIVE),
        (Ticket.tier > rungs) | (Ticket.queued_for > rungs),
    )
    if count := work.session.scalar(above):
        raise No(
            ngettext(
                "Team %(team)s has %(num)s open ticket above tier %(tier)s: its tiers stay as they are.",
                "Team %(team)s has %(num)s open tickets above tier %(tier)s: its tiers stay as they are.",
                count,
                team=team.name,
                tier=rungs,
            )
        )


def _rungs(work: Work, person_id: int) -> dict[int, int]:
    rows = select(Membership.team_id, Membership.rung).where(Membership.person_id == person_id)
    return dict(work.session.execute(rows).all())


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return one_line(value)
        case list():
            return [_cleaned(item) for item in value]
        case dict():
            return {key: _cleaned(item) for key, item in value.items()}
        case _other:
            return value


def _where(found: dict[str, Any], problem: str) -> str:
    """msgspec's reason, with the entry it happened in by name instead of `$.teams[0]`."""
    reason, _at, path = problem.partition(" - at `$.")
    place = re.match(r"(\w+)\[(\d+)\]\.?(.*)", path.rstrip("`"))
    if place is None:
        return reason.replace("`", "") + (f" ({path.rstrip('`')})" if path else "")
    entry = found[place[1]][int(place[2])]
    name = entry.get("key") or entry.get("email") or entry.get("name") if isinstance(entry, dict) else None
    where = " ".join(part for part in (place[1], str(name or int(place[2]) + 1), place[3]) if part)
    return f"{where}: {reason.replace('`', '')}"


def _misfit(seeds: Seeds) -> str:
    for what, keys in (
        (_("skill"), [skill.key for skill in seeds.skills]),
        (_("team"), [team.key for team in seeds.teams]),
        (_("person"), [person.email.lower() for person in seeds.people]),
    ):
        if twice := _twice(keys):
            return _("The %(what)s %(key)s stands in it twice.", what=what, key=twice)
    skills = {skill.key for skill in seeds.skills}
    tiers = {team.key: max(1, len(team.tiers)) for team in seeds.teams}
    for person in seeds.people:
        for key in person.skills:
            if key not in skills:
                return _("%(name)s has the skill %(key)s, which it does not list.", name=person.name, key=key)
        for place in person.teams:
            if place.team not in tiers:
                return _(
                    "%(name)s is in the team %(key)s, which it does not list.",
                    name=person.name,
                    key=place.team,
                )
            if place.tier > tiers[place.team]:
                return _(
                    "%(name)s is in tier %(tier)s of %(key)s, which has %(tiers)s.",
                    name=person.name,
                    tier=place.tier,
                    key=place.team,
                    tiers=tiers[place.team],
                )
    return ""


def _twice(keys: Sequence[str]) -> str:
    return next((key for place, key in enumerate(keys) if key in keys[:place]), "")
