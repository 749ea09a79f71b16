"""Facts: what happened, who did it, and who may know of it."""

from swarm.events.actors import NOBODY, SYSTEM, Actor, Role
from swarm.events.facts import Audience, Event, event, known_events, load

__all__ = ["NOBODY", "SYSTEM", "Actor", "Audience", "Event", "Role", "event", "known_events", "load"]
