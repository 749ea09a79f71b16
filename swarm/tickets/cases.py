"""Many tickets as one actor stands to them: what rules are asked with, for a page of a list."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from swarm.events import Actor
from swarm.modes import Case
from swarm.people.models import Person, Team, Tier
from swarm.tickets.models import Admission, Ownership, Ticket


def cases_for(session: Session, actor: Actor, tickets: Collection[Ticket]) -> Mapping[int, Case]:
    """A case per ticket id, in four queries whatever their number."""
    if not tickets:
        return {}
    ids = [ticket.id for ticket in tickets]
    teams = {ticket.team_id for ticket in tickets}
    names = dict(
        session.execute(
            select(Person.id, Person.name).where(Person.id.in_({ticket.owner_id for ticket in tickets}))
        ).all()
    )
    steering = {
        team: (lead, top or 1)
        for team, lead, top in session.execute(
            select(Team.id, Team.duty_lead_id, func.max(Tier.rung))
            .join(Tier, Tier.team_id == Team.id, isouter=True)
            .where(Team.id.in_(teams))
            .group_by(Team.id, Team.duty_lead_id)
        )
    }
    owned = set(
        session.scalars(
            select(Ownership.ticket_id).where(
                Ownership.owner_id == actor.person_id, Ownership.ticket_id.in_(ids)
            )
        )
    )
    standings = dict(
        session.execute(
            select(Admission.ticket_id, Admission.standing).where(
                Admission.person_id == actor.person_id, Admission.ticket_id.in_(ids)
            )
        ).all()
    )
    return {
        ticket.id: Case(
            actor=actor,
            ticket_id=ticket.id,
            team_id=ticket.team_id,
            status=ticket.status,
            tier=ticket.tier,
            top_tier=steering[ticket.team_id][1],
            queued_for=ticket.queued_for,
            owner_id=ticket.owner_id,
            owner_name=names[ticket.owner_id],
            duty_lead_id=steering[ticket.team_id][0],
            owned_before=ticket.id in owned,
            standing=standings.get(ticket.id),
        )
        for ticket in tickets
    }
