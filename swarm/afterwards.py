"""Event → what follows later: put into the outbox with the event, done by whoever carries it.

Webhooks stand in no table: administrators choose what each is told, see swarm.store.outbox.
"""

from __future__ import annotations

from collections.abc import Mapping

from swarm.events import Event
from swarm.rooms.events import AskReached
from swarm.rooms.letters import StaffNews
from swarm.settings import Settings
from swarm.store.work import AtOnce
from swarm.tickets.events import (
    CustomerWrote,
    LaneMessagePosted,
    TicketBecameYours,
    TicketOpened,
    TicketReopened,
    TicketResolved,
)
from swarm.tickets.letters import CaseNews


def afterwards(settings: Settings) -> AtOnce:
    """What each event puts into the outbox; nothing that nobody would ever carry."""
    if not settings.mail.goes_out:
        return {}
    staff, customer = StaffNews(settings), CaseNews(settings)
    to_staff: AtOnce = {
        AskReached: (staff.asked,),
        TicketBecameYours: (staff.given,),
        CustomerWrote: (staff.answered,),
    }
    to_customers: AtOnce = {
        TicketOpened: (customer.opened,),
        LaneMessagePosted: (customer.answered,),
        TicketResolved: (customer.resolved,),
        TicketReopened: (customer.reopened,),
    }
    return with_what_follows(to_staff, to_customers if settings.mail.customers else {})


def with_what_follows(at_once: AtOnce, later: AtOnce) -> AtOnce:
    """Both, for each event in this order."""
    events: Mapping[type[Event], None] = dict.fromkeys([*at_once, *later])
    return {event: (*at_once.get(event, ()), *later.get(event, ())) for event in events}
