"""Writes about people and teams."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

from sqlalchemy import delete, select, update

from swarm.events import Role
from swarm.events.refusals import NotAllowed, Unfit, Unknown
from swarm.people.customers import keep_words, likeness
from swarm.people.events import (
    AvailabilitySet,
    DutyLeadNamed,
    PersonAdded,
    PersonDeactivated,
    RightsChanged,
    SetUp,
    TeamChanged,
    TeamCreated,
)
from swarm.people.models import LETTERS, Customer, Membership, Person, PersonSkill, Skill, Team, Tier
from swarm.store import Work, instance
from swarm.text.language import _

Availability = Literal["available", "busy", "away"]


def add_person(
    work: Work,
    *,
    name: str,
    email: str,
    role: Role,
    password: str | None = None,
    language: str = "en",
    timezone: str = "UTC",
    availability: Availability = "available",
) -> Person:
    """Give a colleague an account; `password` is a hash. Raises `Unfit` where the address is taken."""
    email = email.lower()
    if work.session.scalar(select(Person.id).where(Person.email == email)) is not None:
        raise Unfit(_("Somebody has this address already."), "email")
    person = Person(
        name=name,
        email=email,
        role=role,
        password=password,
        language=language,
        timezone=timezone,
        availability=availability,
        created_at=work.now,
    )
    work.session.add(person)
    work.session.flush()
    work.record(f"person:{person.id}", PersonAdded(person_id=person.id))
    return person


def set_up(work: Work, *, name: str, email: str, password: str, language: str = "en") -> Person:
    """Make the first account of all, an administrator's; `password` is a hash.

    Raises `NotAllowed` where anybody has an account: of two at once, one wins.
    """
    instance.locked(work)
    if work.session.scalar(select(Person.id).limit(1)) is not None:
        raise NotAllowed(_("swarm is set up already. Ask an administrator for an account."))
    person = add_person(
        work, name=name, email=email, role="administrator", password=password, language=language
    )
    work.record(f"person:{person.id}", SetUp(person_id=person.id))
    return person


def create_team(
    work: Work, *, key: str, name: str, duty_lead_id: int, policy: str, share: int, tiers: Iterable[str]
) -> Team:
    """A team with its intake, led by somebody from the first moment. Raises `Unfit`, `Unknown`."""
    _active(work, duty_lead_id)
    if work.session.scalar(select(Team.id).where(Team.key == key)) is not None:
        raise Unfit(_("There is a team of this name already."), "key")
    share = {"tiered": 0, "tierless": 100}.get(policy, share)
    team = Team(
        key=key, name=name, duty_lead_id=duty_lead_id, policy=policy, share=share, created_at=work.now
    )
    work.session.add(team)
    work.session.flush()
    _let_in(work, team.id, duty_lead_id)
    for rung, tier in enumerate(tiers, start=1):
        work.session.add(Tier(team_id=team.id, rung=rung, name=tier))
    work.record(f"team:{team.id}", TeamCreated(team_id=team.id))
    return team


def rename_team(work: Work, team_id: int, name: str) -> None:
    """What the team is called; its key stays. Raises `Unknown`."""
    team = _team(work, team_id)
    if team.name != name:
        team.name = name
        work.record(f"team:{team_id}", TeamChanged(team_id=team_id))


def set_tiers(work: Work, team_id: int, names: Sequence[str]) -> bool:
    """The team's rungs from the first up; whether that changed anything. People and tickets keep theirs.

    Raises `Unknown`, and `NotAllowed` where somebody works on a rung that would vanish.
    """
    _team(work, team_id)
    before = work.session.scalars(select(Tier).where(Tier.team_id == team_id).order_by(Tier.rung)).all()
    if [tier.name for tier in before] == list(names):
        return False
    above = select(Membership.rung).where(Membership.team_id == team_id, Membership.rung > max(1, len(names)))
    if (held := work.session.scalars(above.limit(1)).first()) is not None:
        raise NotAllowed(
            _("Somebody works in tier %(tier)s. Give them another tier before taking it away.")
            % {"tier": held}
        )
    work.session.execute(delete(Tier).where(Tier.team_id == team_id))
    work.session.add_all(
        Tier(team_id=team_id, rung=rung, name=name) for rung, name in enumerate(names, start=1)
    )
    work.session.flush()
    work.record(f"team:{team_id}", TeamChanged(team_id=team_id))
    return True


def set_membership(work: Work, person_id: int, rungs: Mapping[int, int]) -> None:
    """Put a person into these teams, team id → rung, and out of all others."""
    work.session.execute(delete(Membership).where(Membership.person_id == person_id))
    work.session.add_all(Membership(team_id=t, person_id=person_id, rung=r) for t, r in rungs.items())
    change_rights(work, [person_id])


def set_skills(work: Work, person_id: int, levels: Mapping[int, int]) -> None:
    """What a person knows, skill id → how well. Raises `Unknown` for a skill there is not."""
    known = set(work.session.scalars(select(Skill.id).where(Skill.id.in_(levels))))
    if known != set(levels):
        raise Unknown(_("There is no such skill."))
    work.session.execute(delete(PersonSkill).where(PersonSkill.person_id == person_id))
    work.session.add_all(
        PersonSkill(person_id=person_id, skill_id=skill, level=levels[skill]) for skill in sorted(known)
    )
    change_rights(work, [person_id])


def set_availability(work: Work, person_id: int, availability: Availability) -> None:
    """Whether a person can be asked now. Raises `Unknown`."""
    person = _active(work, person_id)
    if person.availability == availability:
        return
    person.availability = availability
    work.record(f"person:{person_id}", AvailabilitySet(person_id=person_id, availability=availability))


def set_profile(work: Work, person_id: int, *, name: str, language: str, timezone: str) -> None:
    """How a person is called, and the language and time zone they read in. Raises `Unknown`."""
    person = _active(work, person_id)
    person.name, person.language, person.timezone = name, language, timezone
    change_rights(work, [person_id])


def set_letters(work: Work, person_id: int, wanted: Collection[str]) -> None:
    """What a person gets mail about while they are not here. Raises `Unknown`."""
    _active(work, person_id).letters = [what for what in LETTERS if what in wanted]


def set_role(work: Work, person_id: int, role: Role) -> None:
    """What a person may do. Raises `NotAllowed` for the last administrator."""
    person = _active(work, person_id)
    if person.role == "administrator" and role != "administrator":
        _another_administrator(work, person_id)
    person.role = role
    change_rights(work, [person_id])


def change_rights(work: Work, person_ids: Collection[int]) -> None:
    """Make open screens of these people ask again what they may see."""
    if not person_ids:
        return
    work.session.flush()
    work.session.execute(update(Person).where(Person.id.in_(person_ids)).values(stamp=Person.stamp + 1))
    for person_id in sorted(person_ids):
        work.record(f"person:{person_id}", RightsChanged(person_id=person_id))


def name_duty_lead(work: Work, team_id: int, person_id: int) -> None:
    """Another person owns what nobody has taken. Raises `Unknown`."""
    _active(work, person_id)
    team = _team(work, team_id)
    if team.duty_lead_id == person_id:
        return
    before, team.duty_lead_id = team.duty_lead_id, person_id
    _let_in(work, team_id, person_id)
    work.session.flush()
    work.record(f"team:{team_id}", DutyLeadNamed(team_id=team_id, from_id=before, to_id=person_id))


def deactivate(work: Work, person_id: int) -> None:
    """End a person's access; what was theirs moves on in the same step.

    Raises `NotAllowed` for a duty lead and for the last administrator.
    """
    person = _active(work, person_id)
    led = work.session.scalars(select(Team.name).where(Team.duty_lead_id == person_id)).first()
    if led is not None:
        raise NotAllowed(
            _("%(name)s is the duty lead of %(team)s. Name another one first.")
            % {"name": person.name, "team": led}
        )
    if person.role == "administrator":
        _another_administrator(work, person_id)
    person.active = False
    person.stamp += 1
    work.session.flush()
    work.record(f"person:{person_id}", PersonDeactivated(person_id=person_id))


def add_customer(
    work: Work, *, name: str, email: str | None, company: str = "", language: str = "en"
) -> Customer:
    """Somebody who asks. Two with one address stay two: nobody has proved it is theirs."""
    customer = Customer(
        name=name,
        email=email.lower() if email else None,
        company=company,
        language=language,
        likeness=likeness(name, company),
        created_at=work.now,
    )
    work.session.add(customer)
    work.session.flush()
    keep_words(work, customer.id, [customer])
    return customer


def add_skill(work: Work, *, key: str, name: str) -> Skill:
    """Something a person may know."""
    skill = Skill(key=key, name=name)
    work.session.add(skill)
    work.session.flush()
    return skill


def rename_skill(work: Work, skill_id: int, name: str) -> None:
    """What the skill is called; its key stays."""
    work.session.execute(update(Skill).where(Skill.id == skill_id).values(name=name))


def _team(work: Work, team_id: int) -> Team:
    team = work.hold(Team, team_id)
    if team is None:
        raise Unknown(_("There is no such team."))
    return team


def _let_in(work: Work, team_id: int, person_id: int) -> None:
    """Who leads a team is in it: otherwise they could not see what they own there."""
    if work.session.get(Membership, (team_id, person_id)) is None:
        work.session.add(Membership(team_id=team_id, person_id=person_id, rung=1))
        change_rights(work, [person_id])


def _active(work: Work, person_id: int) -> Person:
    person = work.hold(Person, person_id)
    if person is None or not person.active:
        raise Unknown(_("There is no such person, or they no longer work here."))
    return person


def _another_administrator(work: Work, person_id: int) -> None:
    # Held: two administrators who end each other at once must not both succeed.
    all_of_them = select(Person.id).where(Person.role == "administrator", Person.active)
    held = work.session.scalars(all_of_them.order_by(Person.id).with_for_update()).all()
    if not set(held) - {person_id}:
        raise NotAllowed(_("This is the last administrator. Name another one first."))
