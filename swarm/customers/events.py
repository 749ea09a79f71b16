"""What happens to a customer's record. The customer hears of none of it."""

from __future__ import annotations

from dataclasses import dataclass

from swarm.events import Event, event
from swarm.text.language import N_


@event("customer.changed", audience="staff", headline=N_("%(actor)s changed %(what)s"))
@dataclass(frozen=True, kw_only=True)
class CustomerChanged(Event):
    """What is known of a customer; `what` lists the names of the fields in the code."""

    customer_id: int
    what: str


@event("customer.merged", audience="staff", headline=N_("%(actor)s merged record %(merged)s into this one"))
@dataclass(frozen=True, kw_only=True)
class CustomersMerged(Event):
    """This record stands for another one as well."""

    customer_id: int
    merged: int
    tickets: int


@event("customer.merged_away", audience="staff", headline=N_("%(actor)s merged this record into %(kept)s"))
@dataclass(frozen=True, kw_only=True)
class CustomerMergedAway(Event):
    """On the stream of the record that is now part of another."""

    customer_id: int
    kept: int


@event("customer.touched", audience="staff", headline=N_("The record this one was merged into changed"))
@dataclass(frozen=True, kw_only=True)
class CustomerTouched(Event):
    """On the streams of records merged into `customer_id`: screens that still watch those."""

    customer_id: int


@event(
    "ticket.customer_merged",
    audience="staff",
    headline=N_("%(actor)s merged two records of this customer, %(merged)s into %(kept)s"),
)
@dataclass(frozen=True, kw_only=True)
class TicketCustomerMerged(Event):
    """On the room's stream of each ticket that went to the kept record."""

    ticket_id: int
    merged: int
    kept: int
