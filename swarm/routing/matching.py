"""Which experts an ask should reach: the fewest available people who cover the wanted skills."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from swarm.events.refusals import Unfit, ensure
from swarm.modes import mode_of
from swarm.people.models import Person, PersonSkill
from swarm.rooms.asking import Invitee, ask, earlier_ask, invite
from swarm.rooms.events import AskDeclined, AskExpired
from swarm.rooms.models import Ask, Invitation, InvitationSkill, Stay
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets.models import Ticket
from swarm.tickets.queries import ACTIVE, case_for, find


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could be asked."""

    person_id: int
    skills: frozenset[int]
    load: int
    """Asks that wait for them plus rooms they are in."""
    levels: Mapping[int, int] = field(default_factory=dict)
    """Skill → how well they know it."""


@dataclass(frozen=True, slots=True)
class Match:
    """Who is to be asked for what, and what nobody covers."""

    chosen: Mapping[int, frozenset[int]]
    uncovered: frozenset[int]


def smallest_cover(wanted: Collection[int], candidates: Sequence[Candidate]) -> Match:
    """The fewest people covering all skills that anybody covers; of equals the least busy, then the ablest.

    Exact set cover by dynamic programming over subsets of at most ten skills (after Held and Karp 1962):
    1,024 subsets times the candidates.
    """
    skills = sorted(set(wanted))
    bit = {skill: 1 << position for position, skill in enumerate(skills)}
    useful = [(c, sum(bit[s] for s in c.skills if s in bit)) for c in candidates]
    useful = sorted((pair for pair in useful if pair[1]), key=lambda pair: pair[0].person_id)
    reachable = 0
    for _candidate, mask in useful:
        reachable |= mask
    best: dict[int, tuple[int, int, int, tuple[int, ...]]] = {0: (0, 0, 0, ())}
    for candidate, mask in useful:
        for covered, (count, load, lacks, people) in sorted(best.items()):
            brings = sum(candidate.levels.get(s, 0) for s in candidate.skills if bit.get(s, 0) & ~covered)
            offer = (count + 1, load + candidate.load, lacks - brings, (*people, candidate.person_id))
            if covered | mask not in best or offer < best[covered | mask]:
                best[covered | mask] = offer
    knows = {candidate.person_id: candidate.skills for candidate, _mask in useful}
    left = {skill for skill in skills if bit[skill] & reachable}
    chosen: dict[int, frozenset[int]] = {}
    for person in best[reachable][3]:
        chosen[person] = frozenset(knows[person] & left)
        left -= knows[person]
    return Match(chosen, frozenset(skill for skill in skills if not bit[skill] & reachable))


def candidates_for(session: Session, wanted: Collection[int], without: Collection[int]) -> list[Candidate]:
    """Active, available people with a wanted skill, and how busy each is."""
    if not wanted:
        return []
    rows = session.execute(
        select(PersonSkill.person_id, PersonSkill.skill_id, PersonSkill.level)
        .join(Person, Person.id == PersonSkill.person_id)
        .where(
            PersonSkill.skill_id.in_(wanted),
            Person.active,
            Person.availability == "available",
            Person.id.not_in(without),
        )
    )
    levels: dict[int, dict[int, int]] = {}
    for person_id, skill_id, level in rows:
        levels.setdefault(person_id, {})[skill_id] = level
    load = _load(session, levels)
    return [
        Candidate(person, frozenset(knows), load.get(person, 0), knows)
        for person, knows in sorted(levels.items())
    ]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Whom an ask would reach, and which skills nobody available brings."""

    invitees: Sequence[Invitee]
    load: Mapping[int, int]
    """Person → asks that wait for them plus rooms they are in, for those found by skill."""
    uncovered: frozenset[int]


def propose(
    session: Session, ticket: Ticket, skill_ids: Collection[int], person_ids: Sequence[int]
) -> Proposal:
    """The people named, and the fewest others who bring what the named ones lack. Raises `Unfit`."""
    named = list(dict.fromkeys(person_ids))
    knows = _skills_of(session, named)
    wanted = set(skill_ids)
    there = _reached(session, ticket.id)
    if known := there & set(named):
        name = session.get_one(Person, min(known)).name
        raise Unfit(_("%(name)s is in this room, or asked to come, already.", name=name), "people")
    invitees = [Invitee(person, True, sorted(knows.get(person, set()) & wanted)) for person in named]
    missing = wanted - {skill for person in named for skill in knows.get(person, set())}
    free = candidates_for(session, missing, {*named, *there, ticket.owner_id})
    match = smallest_cover(missing, free)
    invitees += [Invitee(person, False, sorted(skills)) for person, skills in match.chosen.items()]
    return Proposal(invitees, {one.person_id: one.load for one in free}, match.uncovered)


def ask_for_help(
    work: Work,
    ticket_id: int,
    *,
    question: str,
    tried: str,
    skill_ids: Sequence[int],
    person_ids: Sequence[int],
    client_id: str,
) -> Ask:
    """Ask the people named, and the fewest others who bring what the named ones lack.

    Raises `Unknown`, `NotAllowed`, `Unfit`, `Stale`.
    """
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    if (earlier := earlier_ask(work, ticket_id, question, client_id)) is not None:
        return earlier
    ensure(mode_of(ticket.mode).may_ask(case_for(work.session, work.actor, ticket)))
    return ask(
        work,
        ticket_id,
        question=question,
        tried=tried,
        skill_ids=skill_ids,
        invitees=propose(work.session, ticket, skill_ids, person_ids).invitees,
        client_id=client_id,
    )


def ask_next(work: Work, event: AskDeclined | AskExpired) -> None:
    """Whoever declined or did not answer is replaced by the next with the same skills, not asked yet."""
    asked = work.session.get(Ask, event.ask_id)
    if asked is None or asked.state != "open":
        return
    wanted = work.session.scalars(
        select(InvitationSkill.skill_id).where(InvitationSkill.invitation_id == event.invitation_id)
    ).all()
    already = work.session.scalars(
        select(Invitation.person_id).where(Invitation.ask_id == event.ask_id)
    ).all()
    there = _reached(work.session, event.ticket_id)
    owner = work.session.scalars(select(Ticket.owner_id).where(Ticket.id == event.ticket_id)).one()
    free = candidates_for(work.session, wanted, {*already, *there, owner, asked.asked_by})
    for person, skills in smallest_cover(wanted, free).chosen.items():
        invite(work, asked, Invitee(person, False, sorted(skills)))


def _reached(session: Session, ticket_id: int) -> set[int]:
    """Who is in the ticket's room, or asked to come."""
    present = select(Stay.person_id).where(Stay.ticket_id == ticket_id, Stay.left_at.is_(None))
    pending = select(Invitation.person_id).where(
        Invitation.ticket_id == ticket_id, Invitation.state == "pending"
    )
    return {*session.scalars(present), *session.scalars(pending)}


def _skills_of(session: Session, person_ids: Collection[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    rows = session.execute(
        select(PersonSkill.person_id, PersonSkill.skill_id).where(PersonSkill.person_id.in_(person_ids))
    )
    for person_id, skill_id in rows:
        found.setdefault(person_id, set()).add(skill_id)
    return found


def _load(session: Session, person_ids: Collection[int]) -> dict[int, int]:
    waiting = session.execute(
        select(Invitation.person_id, func.count())
        .where(Invitation.person_id.in_(person_ids), Invitation.state == "pending")
        .group_by(Invitation.person_id)
    )
    rooms = session.execute(
        select(Stay.person_id, func.count())
        .join(Ticket, Ticket.id == Stay.ticket_id)
        .where(Stay.person_id.in_(person_ids), Stay.left_at.is_(None), Ticket.status.in_(ACTIVE))
        .group_by(Stay.person_id)
    )
    load: dict[int, int] = dict(waiting.all())
    for person_id, count in rooms:
        load[person_id] = load.get(person_id, 0) + count
    return load
