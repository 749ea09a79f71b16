"""Reads of asks, invitations and who is in a room."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from swarm.events import Actor
from swarm.people.models import Guest, Person, Skill
from swarm.people.queries import Face
from swarm.rooms.models import Ask, AskSkill, Invitation, InvitationSkill, Stay
from swarm.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Invited:
    """One person an ask reached."""

    invitation: Invitation
    name: str
    skills: Sequence[str]

    @property
    def key(self) -> str:
        """As presence knows them."""
        return f"person:{self.invitation.person_id}"

    @property
    def hue(self) -> int:
        """Their colour."""
        return Face(self.key, self.name).hue


@dataclass(frozen=True, slots=True)
class AskedHelp:
    """An ask with everything a card shows."""

    ask: Ask
    asker: str
    skills: Sequence[tuple[int, str]]
    invited: Sequence[Invited]

    @property
    def covered(self) -> Mapping[str, str]:
        """Skill name → who is to bring it and has not declined."""
        return {
            skill: one.name
            for one in self.invited
            if one.invitation.state in ("pending", "accepted")
            for skill in one.skills
        }


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody in the room and why."""

    stay: Stay
    name: str
    skills: Sequence[str]

    @property
    def key(self) -> str:
        """As presence knows them."""
        return f"person:{self.stay.person_id}"

    @property
    def hue(self) -> int:
        """Their colour."""
        return Face(self.key, self.name).hue


@dataclass(frozen=True, slots=True)
class GuestHere:
    """A guest whose access has not ended, and who invited them."""

    guest: Guest
    host: str

    @property
    def face(self) -> Face:
        """As presence knows them."""
        return Face(f"guest:{self.guest.id}", self.guest.name)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An ask in the list of what is asked of me."""

    ask: Ask
    ticket: Ticket
    asker: str
    invitation: Invitation | None
    """Empty for an open ask on which a hand may be raised."""
    skills: Sequence[str]


def present_stay(session: Session, ticket_id: int, person_id: int) -> Stay | None:
    """The person's stay in the room, where they are in it."""
    return session.scalars(
        select(Stay).where(Stay.ticket_id == ticket_id, Stay.person_id == person_id, Stay.left_at.is_(None))
    ).one_or_none()


def wanted_by_open_asks(session: Session, ticket_id: int) -> set[int]:
    """Skills that open asks of this ticket want."""
    return set(
        session.scalars(
            select(AskSkill.skill_id)
            .join(Ask, Ask.id == AskSkill.ask_id)
            .where(Ask.ticket_id == ticket_id, Ask.state == "open")
        )
    )


def asks(session: Session, ids: Collection[int]) -> dict[int, AskedHelp]:
    """Asks by id, in four queries whatever their number."""
    if not ids:
        return {}
    rows = session.execute(
        select(Ask, Person.name).join(Person, Person.id == Ask.asked_by).where(Ask.id.in_(ids))
    )
    wanted = _skills_of(session, ids)
    invited: dict[int, list[Invited]] = {}
    invitations = session.execute(
        select(Invitation, Person.name)
        .join(Person, Person.id == Invitation.person_id)
        .where(Invitation.ask_id.in_(ids))
        .order_by(Invitation.id)
    ).all()
    brings = _brought(session, [invitation.id for invitation, _name in invitations])
    for invitation, name in invitations:
        invited.setdefault(invitation.ask_id, []).append(
            Invited(invitation, name, brings.get(invitation.id, []))
        )
    return {
        ask.id: AskedHelp(ask, name, wanted.get(ask.id, []), invited.get(ask.id, [])) for ask, name in rows
    }


def open_asks_of(session: Session, ticket_id: int) -> Sequence[AskedHelp]:
    """The ticket's open asks, oldest first."""
    ids = session.scalars(
        select(Ask.id).where(Ask.ticket_id == ticket_id, Ask.state == "open").order_by(Ask.id)
    ).all()
    found = asks(session, ids)
    return [found[id_] for id_ in ids]


def in_room(session: Session, ticket_id: int) -> Sequence[Present]:
    """Who is in the swarm now, in order of coming; the owner is not among them."""
    rows = session.execute(
        select(Stay, Person.name)
        .join(Person, Person.id == Stay.person_id)
        .where(Stay.ticket_id == ticket_id, Stay.left_at.is_(None))
        .order_by(Stay.joined_at, Stay.id)
    ).all()
    return [
        Present(stay, name, skills)
        for (stay, name), skills in zip(rows, _came_for(session, rows), strict=True)
    ]


def guests_of(session: Session, ticket_id: int) -> Sequence[GuestHere]:
    """Guests who are in the room or may still come, in order of being invited."""
    rows = session.execute(
        select(Guest, Person.name)
        .join(Person, Person.id == Guest.invited_by)
        .where(Guest.ticket_id == ticket_id, Guest.ended_at.is_(None))
        .order_by(Guest.id)
    )
    return [GuestHere(guest, host) for guest, host in rows]


def helpers(session: Session, ticket_id: int) -> Sequence[str]:
    """Everybody who came to help, by name, each once."""
    return session.scalars(
        select(Person.name)
        .join(Stay, Stay.person_id == Person.id)
        .where(Stay.ticket_id == ticket_id)
        .group_by(Person.id, Person.name)
        .order_by(func.min(Stay.joined_at))
    ).all()


def asked_of(session: Session, actor: Actor, limit: int = 100) -> Sequence[Waiting]:
    """What waits for this person: invitations first, then open asks that want a skill of theirs."""
    pending = session.execute(
        select(Ask, Ticket, Person.name, Invitation)
        .join(Invitation, Invitation.ask_id == Ask.id)
        .join(Ticket, Ticket.id == Ask.ticket_id)
        .join(Person, Person.id == Ask.asked_by)
        .where(Invitation.person_id == actor.person_id, Invitation.state == "pending")
        .order_by(Invitation.at.desc(), Invitation.id.desc())
        .limit(limit)
    ).all()
    wants_mine = exists().where(AskSkill.ask_id == Ask.id, AskSkill.skill_id.in_(actor.skills))
    mine_already = or_(
        exists().where(
            Invitation.ask_id == Ask.id,
            Invitation.person_id == actor.person_id,
            Invitation.state != "expired",
        ),
        exists().where(
            and_(Stay.ticket_id == Ask.ticket_id, Stay.person_id == actor.person_id, Stay.left_at.is_(None))
        ),
    )
    open_to_me = session.execute(
        select(Ask, Ticket, Person.name)
        .join(Ticket, Ticket.id == Ask.ticket_id)
        .join(Person, Person.id == Ask.asked_by)
        .where(
            Ask.state == "open",
            or_(wants_mine, Ticket.team_id.in_(actor.rungs)),
            ~mine_already,
            Ask.asked_by != actor.person_id,
            Ticket.owner_id != actor.person_id,
        )
        .order_by(Ask.at.desc(), Ask.id.desc())
        .limit(limit)
    ).all()
    wanted = _skills_of(session, {ask.id for ask, *_rest in pending} | {ask.id for ask, *_rest in open_to_me})
    named = {ask_id: [name for _id, name in skills] for ask_id, skills in wanted.items()}
    return [
        *(
            Waiting(ask, ticket, who, invitation, named.get(ask.id, []))
            for ask, ticket, who, invitation in pending
        ),
        *(Waiting(ask, ticket, who, None, named.get(ask.id, [])) for ask, ticket, who in open_to_me),
    ]


def count_asked_of(session: Session, actor: Actor) -> int:
    """How many invitations wait for this person."""
    return (
        session.scalar(
            select(func.count()).where(Invitation.person_id == actor.person_id, Invitation.state == "pending")
        )
        or 0
    )


def pending_for(session: Session, actor: Actor, ticket_id: int) -> Invitation | None:
    """The invitation to this ticket that waits for the person, where there is one."""
    return session.scalars(
        select(Invitation)
        .where(
            Invitation.ticket_id == ticket_id,
            Invitation.person_id == actor.person_id,
            Invitation.state == "pending",
        )
        .order_by(Invitation.id)
        .limit(1)
    ).one_or_none()


def _skills_of(session: Session, ask_ids: Collection[int]) -> dict[int, list[tuple[int, str]]]:
    found: dict[int, list[tuple[int, str]]] = {}
    rows = session.execute(
        select(AskSkill.ask_id, Skill.id, Skill.name)
        .join(Skill, Skill.id == AskSkill.skill_id)
        .where(AskSkill.ask_id.in_(ask_ids))
        .order_by(Skill.name)
    )
    for ask_id, skill_id, name in rows:
        found.setdefault(ask_id, []).append((skill_id, name))
    return found


def _brought(session: Session, invitation_ids: Collection[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    rows = session.execute(
        select(InvitationSkill.invitation_id, Skill.name)
        .join(Skill, Skill.id == InvitationSkill.skill_id)
        .where(InvitationSkill.invitation_id.in_(invitation_ids))
        .order_by(Skill.name)
    )
    for invitation_id, name in rows:
        found.setdefault(invitation_id, []).append(name)
    return found


def _came_for(session: Session, stays: Sequence[tuple[Stay, str]]) -> list[list[str]]:
    asked = {stay.ask_id for stay, _name in stays if stay.ask_id is not None}
    rows = session.execute(
        select(Invitation.ask_id, Invitation.person_id, Skill.name)
        .join(InvitationSkill, InvitationSkill.invitation_id == Invitation.id)
        .join(Skill, Skill.id == InvitationSkill.skill_id)
        .where(Invitation.ask_id.in_(asked))
        .order_by(Skill.name)
    )
    brought: dict[tuple[int, int], list[str]] = {}
    for ask_id, person_id, name in rows:
        brought.setdefault((ask_id, person_id), []).append(name)
    return [brought.get((stay.ask_id or 0, stay.person_id), []) for stay, _name in stays]
