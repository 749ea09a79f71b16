"""Whom the demo lets anybody sign in as."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from swarm.people.models import Membership, Person, Team, Tier
from swarm.people.queries import Face
from swarm.store import Work
from swarm.store.tables import Instance
from swarm.text.language import _


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A card on the sign-in page."""

    face: Face
    id: int
    text: str
    """Role, team and tier, in words."""
    kind: tuple[str, int]
    """Role and team: the first of each kind stands in front."""


def is_demo(work: Work) -> bool:
    """Whether this database was made by the demo; the setting alone opens nothing."""
    return bool(work.session.scalar(select(Instance.demo)))


def demo_people(work: Work) -> tuple[list[DemoPerson], list[DemoPerson]]:
    """One of each role and team, and everybody else."""
    rows = work.session.execute(
        select(Person, Team, Tier.name)
        .join(Membership, Membership.person_id == Person.id, isouter=True)
        .join(Team, Team.id == Membership.team_id, isouter=True)
        .join(Tier, (Tier.team_id == Team.id) & (Tier.rung == Membership.rung), isouter=True)
        .where(Person.active)
        .order_by(Person.id, Team.id)
    )
    people: dict[int, DemoPerson] = {}
    for person, team, tier in rows:
        if person.id not in people:
            people[person.id] = DemoPerson(
                Face(f"person:{person.id}", person.name),
                person.id,
                _text(person, team, tier),
                (person.role, team.id if team else 0),
            )
    first: dict[tuple[str, int], DemoPerson] = {}
    for one in people.values():
        first.setdefault(one.kind, one)
    return list(first.values()), [one for one in people.values() if first[one.kind] is not one]


def _text(person: Person, team: Team | None, tier: str | None) -> str:
    role = {
        "agent": _("Agent"),
        "specialist": _("Specialist"),
        "manager": _("Manager"),
        "administrator": _("Administrator"),
    }[person.role]
    leads = _("duty lead") if team and team.duty_lead_id == person.id else ""
    return " · ".join(part for part in (role, team.name if team else "", tier or "", leads) if part)
