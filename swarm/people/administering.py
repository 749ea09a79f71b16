"""What administrators and managers do to people, teams and skills; each verb asks its rule first."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select

from swarm.events import Role
from swarm.events.refusals import NotAllowed, Unfit, Unknown, ensure
from swarm.people import actions, rules
from swarm.people.events import (
    AddressSet,
    PersonPlaced,
    PersonReactivated,
    RoleSet,
    SkillAdded,
    SkillRemoved,
    SkillRenamed,
    SkillsSet,
)
from swarm.people.models import LEVELS, Membership, Person, PersonSkill, Skill, Team, Tier
from swarm.store import Work
from swarm.text.language import _

LONGEST_KEY = 40
HOUSE = "house:1"


def hire(work: Work, *, name: str, email: str, role: Role, language: str, rungs: Mapping[int, int]) -> Person:
    """An account without a password yet, in these teams. Raises `NotAllowed`, `Unfit`."""
    ensure(rules.may_manage_accounts(work.actor))
    person = actions.add_person(work, name=name, email=email, role=role, language=language)
    if rungs:
        place(work, person.id, rungs)
    return person


def change_account(work: Work, person_id: int, *, name: str, email: str, role: Role) -> None:
    """How somebody is called, signs in, and what they may do. Raises `NotAllowed`, `Unknown`, `Unfit`."""
    ensure(rules.may_manage_accounts(work.actor))
    person = work.hold(Person, person_id)
    if person is None:
        raise Unknown(_("There is no such person."))
    if (email := email.lower()) != person.email:
        if work.session.scalar(select(Person.id).where(Person.email == email)) is not None:
            raise Unfit(_("Somebody has this address already."), "email")
        person.email = email
        work.record(f"person:{person_id}", AddressSet(person_id=person_id))
    if name != person.name:
        person.name = name
        actions.change_rights(work, [person_id])
    if role != person.role:
        actions.set_role(work, person_id, role)
        work.record(f"person:{person_id}", RoleSet(person_id=person_id, role=role))


def place(work: Work, person_id: int, rungs: Mapping[int, int]) -> None:
    """Put somebody into these teams, team id → tier, and out of all others.

    Raises `NotAllowed`, `Unknown`, and `Unfit` for a tier there is not or a team they lead.
    """
    ensure(rules.may_steer(work.actor))
    _person(work, person_id)
    teams = {team.id: team for team in work.session.scalars(select(Team).order_by(Team.id).with_for_update())}
    for team in teams.values():
        if team.duty_lead_id == person_id and team.id not in rungs:
            words = _("They are the duty lead of %(team)s. Name another one first.", team=team.name)
            raise Unfit(words, "places")
    top = dict(work.session.execute(select(Tier.team_id, func.max(Tier.rung)).group_by(Tier.team_id)).all())
    for team_id, rung in rungs.items():
        if team_id not in teams:
            raise Unfit(_("There is no such team."), "places")
        if not 1 <= rung <= top.get(team_id, 1):
            words = _("%(team)s has no tier %(tier)s.", team=teams[team_id].name, tier=rung)
            raise Unfit(words, "places")
    if _rungs(work, person_id) == dict(rungs):
        return
    actions.set_membership(work, person_id, rungs)
    places = ", ".join(sorted(f"{teams[id_].key}:{rung}" for id_, rung in rungs.items()))
    work.record(f"person:{person_id}", PersonPlaced(person_id=person_id, places=places or "–"))


def seat(work: Work, person_id: int, team_id: int, rung: int | None) -> None:
    """Put somebody on this tier of a team, or with none out of it; other teams stay. Raises like `place`."""
    ensure(rules.may_steer(work.actor))
    _person(work, person_id)
    others = {team: at for team, at in _rungs(work, person_id).items() if team != team_id}
    place(work, person_id, others if rung is None else {**others, team_id: rung})


def learn(work: Work, person_id: int, skill_id: int, level: int) -> None:
    """How well somebody knows one thing, 0 for not at all; the rest stays. Raises like `teach`."""
    _person(work, person_id)
    known = select(PersonSkill.skill_id, PersonSkill.level).where(PersonSkill.person_id == person_id)
    levels = {skill: at for skill, at in work.session.execute(known) if skill != skill_id}
    teach(work, person_id, {**levels, skill_id: level} if level else levels)


def teach(work: Work, person_id: int, levels: Mapping[int, int]) -> None:
    """What somebody knows, skill id → level; their own business, and their managers'.

    Raises `NotAllowed`, `Unknown`, `Unfit`.
    """
    if work.actor.person_id != person_id:
        ensure(rules.may_steer(work.actor))
    _person(work, person_id)
    if not set(levels.values()) <= set(LEVELS):
        raise Unfit(_("Choose one of the offered."), "skills")
    known = select(PersonSkill.skill_id, PersonSkill.level).where(PersonSkill.person_id == person_id)
    if dict(work.session.execute(known).all()) == dict(levels):
        return
    actions.set_skills(work, person_id, levels)
    names = dict(work.session.execute(select(Skill.id, Skill.key).where(Skill.id.in_(levels))).all())
    skills = ", ".join(sorted(f"{names[id_]}:{level}" for id_, level in levels.items()))
    work.record(f"person:{person_id}", SkillsSet(person_id=person_id, skills=skills or "–"))


def retire(work: Work, person_id: int) -> None:
    """End somebody's access; what was theirs moves on in the same step. Raises like `deactivate`."""
    ensure(rules.may_manage_accounts(work.actor))
    if work.actor.person_id == person_id:
        raise NotAllowed(_("You cannot end your own access. Ask another administrator."))
    actions.deactivate(work, person_id)


def take_back(work: Work, person_id: int) -> None:
    """Let somebody in again who had left. Raises `NotAllowed`, `Unknown`."""
    ensure(rules.may_manage_accounts(work.actor))
    person = work.hold(Person, person_id)
    if person is None:
        raise Unknown(_("There is no such person."))
    if person.active:
        return
    # They choose a new one by a link: the old one may be why they left.
    person.active, person.password = True, None
    work.session.flush()
    actions.change_rights(work, [person_id])
    work.record(f"person:{person_id}", PersonReactivated(person_id=person_id))


def found_team(work: Work, *, name: str, duty_lead_id: int, tiers: Sequence[str]) -> Team:
    """A team, tierless until somebody switches it. Raises `NotAllowed`, `Unknown`, `Unfit`."""
    ensure(rules.may_steer(work.actor))
    _free_name(work, name)
    taken = set(work.session.scalars(select(Team.key)))
    return actions.create_team(
        work,
        key=_key(name, taken),
        name=name,
        duty_lead_id=duty_lead_id,
        policy="tierless",
        share=100,
        tiers=tiers,
    )


def settle_team(work: Work, team_id: int, *, name: str, duty_lead_id: int, tiers: Sequence[str]) -> None:
    """What a team is called, who leads it, and its tiers. Raises `NotAllowed`, `Unknown`, `Unfit`."""
    ensure(rules.may_steer(work.actor))
    _free_name(work, name, but=team_id)
    actions.rename_team(work, team_id, name)
    try:
        actions.set_tiers(work, team_id, tiers)
    except NotAllowed as refused:
        raise Unfit(refused.sentence, "tiers") from None
    actions.name_duty_lead(work, team_id, duty_lead_id)


def add_skill(work: Work, name: str) -> Skill:
    """Something people may know. Raises `NotAllowed`, `Unfit`."""
    ensure(rules.may_steer(work.actor))
    _free_skill(work, name)
    skill = actions.add_skill(work, key=_key(name, set(work.session.scalars(select(Skill.key)))), name=name)
    work.record(HOUSE, SkillAdded(skill_id=skill.id, name=name))
    return skill


def rename_skill(work: Work, skill_id: int, name: str) -> None:
    """What a skill is called. Raises `NotAllowed`, `Unknown`, `Unfit`."""
    ensure(rules.may_steer(work.actor))
    skill = _skill(work, skill_id)
    if skill.name != name:
        _free_skill(work, name, but=skill_id)
        actions.rename_skill(work, skill_id, name)
        work.record(HOUSE, SkillRenamed(skill_id=skill_id, name=name))


def remove_skill(work: Work, skill_id: int) -> None:
    """Take away a skill that nobody has and no ask wanted. Raises `NotAllowed`, `Unknown`."""
    ensure(rules.may_steer(work.actor))
    skill = _skill(work, skill_id)
    if work.session.scalar(select(PersonSkill.person_id).where(PersonSkill.skill_id == skill_id).limit(1)):
        raise NotAllowed(_("Somebody knows this. A skill can be removed when nobody has it any more."))
    # First, so that who still needs it can refuse.
    work.record(HOUSE, SkillRemoved(skill_id=skill_id, name=skill.name))
    work.session.delete(skill)


def _person(work: Work, person_id: int) -> Person:
    person = work.hold(Person, person_id)
    if person is None or not person.active:
        raise Unknown(_("There is no such person, or they no longer work here."))
    return person


def _rungs(work: Work, person_id: int) -> dict[int, int]:
    rows = select(Membership.team_id, Membership.rung).where(Membership.person_id == person_id)
    return dict(work.session.execute(rows).all())


def _skill(work: Work, skill_id: int) -> Skill:
    skill = work.hold(Skill, skill_id)
    if skill is None:
        raise Unknown(_("There is no such skill."))
    return skill


def _free_name(work: Work, name: str, but: int | None = None) -> None:
    same = select(Team.id).where(func.lower(Team.name) == name.lower(), Team.id != (but or 0))
    if work.session.scalar(same.limit(1)) is not None:
        raise Unfit(_("There is a team of this name already."), "name")


def _free_skill(work: Work, name: str, but: int | None = None) -> None:
    same = select(Skill.id).where(func.lower(Skill.name) == name.lower(), Skill.id != (but or 0))
    if work.session.scalar(same.limit(1)) is not None:
        raise Unfit(_("There is a skill of this name already."), "name")


def _key(name: str, taken: set[str]) -> str:
    """A short name for addresses and files; letters of other scripts leave none, so it may be `team`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    start = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: LONGEST_KEY - 4].strip("-") or "more"
    key, count = start, 1
    while key in taken or key == "new":
        count += 1
        key = f"{start}-{count}"
    return key
