"""What happens to people and teams."""

from __future__ import annotations

from dataclasses import dataclass

from swarm.events import Event, event
from swarm.text.language import N_


@event("person.added", audience="staff", headline=N_("%(actor)s added %(person)s"))
@dataclass(frozen=True, kw_only=True)
class PersonAdded(Event):
    """A colleague got an account."""

    person_id: int


@event("person.set_swarm_up", audience="staff", headline=N_("%(person)s set swarm up"))
@dataclass(frozen=True, kw_only=True)
class SetUp(Event):
    """The first account of all exists; teams and skills are seeded in the same transaction."""

    person_id: int


@event("person.rights_changed", audience="staff", headline=N_("The rights of %(person)s changed"))
@dataclass(frozen=True, kw_only=True)
class RightsChanged(Event):
    """Role, team, or a room: what the person may see is to be asked anew."""

    person_id: int


@event("person.deactivated", audience="staff", headline=N_("%(actor)s deactivated %(person)s"))
@dataclass(frozen=True, kw_only=True)
class PersonDeactivated(Event):
    """A colleague may no longer sign in; tickets and asks move on in the same transaction."""

    person_id: int


@event("person.reactivated", audience="staff", headline=N_("%(actor)s let %(person)s in again"))
@dataclass(frozen=True, kw_only=True)
class PersonReactivated(Event):
    """A colleague who had left may sign in again; teams and skills are as they were."""

    person_id: int


@event("person.role_set", audience="staff", headline=N_("%(actor)s made %(person)s %(role)s"))
@dataclass(frozen=True, kw_only=True)
class RoleSet(Event):
    """What a colleague may do changed."""

    person_id: int
    role: str


@event("person.address_set", audience="staff", headline=N_("%(actor)s changed the address of %(person)s"))
@dataclass(frozen=True, kw_only=True)
class AddressSet(Event):
    """A colleague signs in with another address."""

    person_id: int


@event("person.placed", audience="staff", headline=N_("%(actor)s put %(person)s into teams: %(places)s"))
@dataclass(frozen=True, kw_only=True)
class PersonPlaced(Event):
    """A colleague works in these teams, and in no other."""

    person_id: int
    places: str
    """`service-desk:1, billing:2`: keys of teams and tiers."""


@event("person.skills_set", audience="staff", headline=N_("%(actor)s set what %(person)s knows: %(skills)s"))
@dataclass(frozen=True, kw_only=True)
class SkillsSet(Event):
    """What a colleague knows, and how well."""

    person_id: int
    skills: str
    """`postgres:3, network:1`: keys of skills and levels."""


@event("skill.added", audience="staff", headline=N_("%(actor)s added the skill %(name)s"))
@dataclass(frozen=True, kw_only=True)
class SkillAdded(Event):
    """There is something more that people can know."""

    skill_id: int
    name: str


@event("skill.renamed", audience="staff", headline=N_("%(actor)s renamed a skill: %(name)s"))
@dataclass(frozen=True, kw_only=True)
class SkillRenamed(Event):
    """A skill is called otherwise."""

    skill_id: int
    name: str


@event("skill.removed", audience="staff", headline=N_("%(actor)s removed the skill %(name)s"))
@dataclass(frozen=True, kw_only=True)
class SkillRemoved(Event):
    """Nobody can be asked for it any more."""

    skill_id: int
    name: str


@event("person.availability_set", audience="staff", headline=N_("%(person)s is now %(availability)s"))
@dataclass(frozen=True, kw_only=True)
class AvailabilitySet(Event):
    """A colleague can, or cannot, be asked."""

    person_id: int
    availability: str


@event("team.created", audience="staff", headline=N_("%(actor)s created the team"))
@dataclass(frozen=True, kw_only=True)
class TeamCreated(Event):
    """A team has an intake from here on."""

    team_id: int


@event("team.changed", audience="staff", headline=N_("%(actor)s changed the team’s name or tiers"))
@dataclass(frozen=True, kw_only=True)
class TeamChanged(Event):
    """What the team or its tiers are called, or how many tiers there are."""

    team_id: int


@event("team.duty_lead_named", audience="staff", headline=N_("%(to)s is the duty lead now"))
@dataclass(frozen=True, kw_only=True)
class DutyLeadNamed(Event):
    """What nobody has taken belongs to somebody else."""

    team_id: int
    from_id: int
    to_id: int
