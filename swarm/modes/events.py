"""What the switch reports."""

from __future__ import annotations

from dataclasses import dataclass

from swarm.events import Event, event
from swarm.text.language import N_


@event(
    "policy.announced",
    audience="staff",
    headline=N_("%(actor)s switched how a team works: %(policy)s"),
)
@dataclass(frozen=True, kw_only=True)
class PolicyAnnounced(Event):
    """On the house's stream, which every open screen of staff watches."""

    team_id: int
    version: int
    policy: str
    share: int


@event(
    "policy.changed",
    audience="staff",
    headline=N_("%(actor)s switched how the team works: %(policy)s"),
)
@dataclass(frozen=True, kw_only=True)
class PolicyChanged(Event):
    """New tickets of the team follow another policy from here on."""

    team_id: int
    version: int
    policy: str
    share: int
