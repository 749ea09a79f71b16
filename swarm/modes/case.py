"""What a mode must know of a ticket and of one person to answer."""

from __future__ import annotations

from dataclasses import dataclass

from swarm.events import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A ticket as one actor stands to it."""

    actor: Actor
    ticket_id: int
    team_id: int
    status: str
    tier: int
    top_tier: int
    """The team's highest rung."""
    queued_for: int | None
    owner_id: int
    owner_name: str
    duty_lead_id: int
    owned_before: bool
    """This person has been its owner."""
    staffed_above: bool = True
    """Somebody is there on the rung above."""
    standing: str | None
    """`asked` or `swarm` for people admitted to the case, `guest` for its guests."""

    @property
    def is_owner(self) -> bool:
        """Answers for the ticket."""
        return self.actor.person_id == self.owner_id

    @property
    def rung(self) -> int | None:
        """The actor's tier in the ticket's team; none outside it."""
        return self.actor.rungs.get(self.team_id)

    @property
    def in_team(self) -> bool:
        """A member of the ticket's team."""
        return self.rung is not None

    @property
    def is_duty_lead(self) -> bool:
        """Owns what nobody has taken yet."""
        return self.actor.person_id == self.duty_lead_id

    @property
    def is_closed(self) -> bool:
        """Ended for good."""
        return self.status == "closed"

    @property
    def is_active(self) -> bool:
        """Neither resolved nor closed."""
        return self.status not in ("resolved", "closed")

    @property
    def is_unclaimed(self) -> bool:
        """Waits in the intake, or with the tier that has it: its owner has it by duty, not by taking it."""
        return self.queued_for is not None and self.queued_for in (0, self.tier)

    @property
    def waits_for_tier(self) -> int | None:
        """The tier that was asked to take it over."""
        return self.queued_for or None
