"""Event → what follows later: put into the outbox with the event, done by whoever carries it."""

from __future__ import annotations

from collections.abc import Mapping

from swarm.events import Event
from swarm.settings import Settings
from swarm.store.work import AtOnce
from swarm.tickets.events import LaneMessagePosted, TicketOpened, TicketReopened, TicketResolved
from swarm.tickets.letters import CaseNews


def afterwards(settings: Settings) -> AtOnce:
    """What each event puts into the outbox; nothing that nobody would ever carry."""
    if not settings.mail.writes_to_customers:
        return {}
    customer = CaseNews(settings)
    return {
        TicketOpened: (customer.opened,),
        LaneMessagePosted: (customer.answered,),
        TicketResolved: (customer.resolved,),
        TicketReopened: (customer.reopened,),
    }


def with_what_follows(at_once: AtOnce, later: AtOnce) -> AtOnce:
    """Both, for each event in this order."""
    events: Mapping[type[Event], None] = dict.fromkeys([*at_once, *later])
    return {event: (*at_once.get(event, ()), *later.get(event, ())) for event in events}
