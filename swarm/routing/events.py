"""What escalation reports, on the room's stream."""

from __future__ import annotations

from dataclasses import dataclass

from swarm.events import Event, event
from swarm.text.language import N_


@event("ticket.escalated", audience="staff", headline=N_("%(actor)s escalated the ticket to tier %(tier)s"))
@dataclass(frozen=True, kw_only=True)
class TicketEscalated(Event):
    """The next tier was asked to take it; it stays with its owner until somebody does."""

    ticket_id: int
    escalation_id: int
    tier: int


@event(
    "ticket.escalation_ended",
    audience="staff",
    headline=N_("%(actor)s sent the escalation back to tier %(tier)s"),
)
@dataclass(frozen=True, kw_only=True)
class EscalationEnded(Event):
    """It no longer waits for the next tier; the owner keeps it."""

    ticket_id: int
    escalation_id: int
    tier: int
    outcome: str
