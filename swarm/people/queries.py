"""Reads about people and teams."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, bindparam, func, or_, select
from sqlalchemy.orm import Session

from swarm.events import Actor, Role
from swarm.events.refusals import Unknown
from swarm.people.models import Customer, Guest, Membership, Person, PersonSkill, Skill, Team, Tier
from swarm.store import paging
from swarm.text.language import _


@dataclass(frozen=True, slots=True)
class Face:
    """A person or customer as others see them."""

    key: str
    """`person:7`, `customer:9` or `guest:3`."""
    name: str
    is_customer: bool = False

    @property
    def is_guest(self) -> bool:
        """Helps without working here."""
        return self.key.startswith("guest:")

    @property
    def hue(self) -> int:
        """One of twelve colours, always the same for the same person."""
        return int(self.key.rpartition(":")[2] or 0) * 5 % 12


# Made once: whoever asks for anything is looked up first.
_RUNGS = select(Membership.team_id, Membership.rung).where(Membership.person_id == bindparam("person"))
_BY_NAME: Sequence[paging.Key] = (
    (cast(ColumnElement[Any], Person.name), False),
    (cast(ColumnElement[Any], Person.id), False),
)
_SKILLS = select(PersonSkill.skill_id).where(PersonSkill.person_id == bindparam("person"))


def actor_of(session: Session, person: Person, *, session_key: str = "") -> Actor:
    """Everything the rules need to know of a colleague."""
    rungs = session.execute(_RUNGS, {"person": person.id})
    skills = session.scalars(_SKILLS, {"person": person.id})
    return Actor(
        key=f"person:{person.id}",
        name=person.name,
        language=person.language,
        timezone=person.timezone,
        session=session_key,
        stamp=person.stamp,
        person_id=person.id,
        role=cast(Role, person.role),
        rungs=dict(rungs.all()),
        skills=frozenset(skills),
    )


def person_actor(session: Session, person_id: int) -> Actor:
    """An active colleague as an actor. Raises `Unknown`."""
    person = session.get(Person, person_id)
    if person is None or not person.active:
        raise Unknown(_("There is no such person, or they no longer work here."))
    return actor_of(session, person)


def team_by_id(session: Session, team_id: int) -> Team:
    """A team. Raises `Unknown`."""
    team = session.get(Team, team_id)
    if team is None:
        raise Unknown(_("There is no such team."))
    return team


def team_by_key(session: Session, key: str) -> Team:
    """A team by its short name. Raises `Unknown`."""
    team = session.scalars(select(Team).where(Team.key == key)).one_or_none()
    if team is None:
        raise Unknown(_("There is no such team."))
    return team


def teams(session: Session) -> Sequence[Team]:
    """All teams, by name."""
    return session.scalars(select(Team).order_by(Team.name, Team.id)).all()


def top_tier(session: Session, team_id: int) -> int:
    """The highest rung of a team; 1 where it has no tiers."""
    return session.scalar(select(func.max(Tier.rung)).where(Tier.team_id == team_id)) or 1


def tiers_of(session: Session, team_id: int) -> Sequence[Tier]:
    """A team's rungs, from the first up."""
    return session.scalars(select(Tier).where(Tier.team_id == team_id).order_by(Tier.rung)).all()


def members(session: Session, team_id: int) -> Sequence[tuple[Person, int]]:
    """Active members of a team with their rungs, by name."""
    return session.execute(
        select(Person, Membership.rung)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.team_id == team_id, Person.active)
        .order_by(Person.name, Person.id)
    ).all()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a list of people is narrowed to."""

    words: str = ""
    """In a name or an address."""
    team: int | None = None
    gone: bool = False
    """Those who left, instead of those who are here."""


def people_page(session: Session, sought: Sought, cursor: str, limit: int) -> paging.Page[Person]:
    """A page of everybody, by name. Raises `paging.BadCursor`."""
    query = select(Person).order_by(Person.name, Person.id).limit(limit + 1)
    query = query.where(~Person.active if sought.gone else Person.active)
    if sought.words:
        like = f"%{_escaped(sought.words.lower())}%"
        query = query.where(
            or_(func.lower(Person.name).like(like, escape="\\"), Person.email.like(like, escape="\\"))
        )
    if sought.team is not None:
        query = query.where(
            Person.id.in_(select(Membership.person_id).where(Membership.team_id == sought.team))
        )
    if cursor:
        query = query.where(paging.beyond(_BY_NAME, cursor))
    rows = session.scalars(query).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return paging.Page(rows[:limit], paging.encode([last.name, last.id]) if last else None)


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def skills(session: Session) -> Sequence[Skill]:
    """Every skill, by name."""
    return session.scalars(select(Skill).order_by(Skill.name)).all()


def people_who_can_help(session: Session) -> Sequence[Person]:
    """Active colleagues, by name."""
    return session.scalars(select(Person).where(Person.active).order_by(Person.name, Person.id)).all()


def faces(session: Session, keys: Collection[str]) -> dict[str, Face]:
    """Names behind `person:7`, `customer:9` and `guest:3`, in a query for each kind that is among them."""
    found: dict[str, Face] = {}
    for kind, table in (("person", Person), ("customer", Customer), ("guest", Guest)):
        ids = {int(key.partition(":")[2]) for key in keys if key.startswith(f"{kind}:")}
        if ids:
            rows = session.execute(select(table.id, table.name).where(table.id.in_(ids)))
            found |= {
                f"{kind}:{id_}": Face(f"{kind}:{id_}", name or _("(name removed)"), kind == "customer")
                for id_, name in rows
            }
    return found
