"""A colleague, or a program of theirs, opens a ticket for a customer: once, however often it is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import String, cast, select

from swarm.events import Actor
from swarm.events.refusals import Stale, ensure
from swarm.people.actions import add_customer
from swarm.people.models import Customer, Person
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets.models import Message, Ticket
from swarm.tickets.opening import NewTicket, open_ticket
from swarm.tickets.rules import may_open


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A case as somebody writes it down who is not the customer."""

    team_id: int
    name: str
    email: str
    company: str
    language: str
    subject: str
    body: str
    client_id: str
    priority: int = 1
    category: str = ""
    tags: Sequence[str] = ()
    channel: str = "desk"
    files: Sequence[str] = ()
    customer_id: int | None = None
    """A record that was there already, and was chosen."""


def open_for_customer(work: Work, case: Described, who: Callable[[], Customer] | None = None) -> Ticket:
    """The ticket, or the one that was opened with the same client id before; `who` says whose it is.

    Raises `NotAllowed`, `Unknown`, `Unfit`, and `Stale` where the client id stands for another case.
    """
    if (earlier := _earlier(work, case)) is not None:
        return earlier
    ensure(may_open(work.actor, case.team_id))
    customer = _added(work, case) if who is None else who()
    ticket = open_ticket(
        work,
        NewTicket(
            team_id=case.team_id,
            subject=case.subject,
            body=case.body,
            customer=customer,
            language=case.language,
            client_id=case.client_id,
            priority=case.priority,
            category=case.category,
            tags=case.tags,
            channel=case.channel,
            files=case.files,
            uploader=work.actor.key,
        ),
    )
    ticket.source, ticket.external_id = _source(work.actor), case.client_id
    work.session.flush()
    return ticket


def _added(work: Work, case: Described) -> Customer:
    return add_customer(
        work, name=case.name, email=case.email or None, company=case.company, language=case.language
    )


def _earlier(work: Work, case: Described) -> Ticket | None:
    # Two sendings of one form wait for each other at the colleague's own row.
    mine = select(Person.id).where(Person.id == work.actor.person_id)
    work.session.execute(mine.with_for_update(key_share=True))
    found = work.session.execute(
        select(Ticket, Customer, Message.body)
        .join(Customer, Customer.id == Ticket.customer_id)
        # + 0: or a planner that thinks lanes are short walks through all of it.
        .join(Message, (Message.ticket_id + 0 == Ticket.id) & (Message.client_id == case.client_id))
        .where(Ticket.source == _source(work.actor), Ticket.external_id == case.client_id)
        .where(Message.lane == "lane", Message.author == "customer:" + cast(Customer.id, String))
    ).one_or_none()
    if found is None:
        return None
    ticket, customer, body = found
    if case.customer_id is None:
        same = (customer.name, customer.email or "") == (case.name, case.email.lower())
    else:
        same = customer.id == case.customer_id
    if not same or (ticket.subject, ticket.team_id, body) != (case.subject, case.team_id, case.body):
        raise Stale(_("This form opened a ticket before, for another case. Send it again to open another."))
    assert isinstance(ticket, Ticket)
    return ticket


def _source(actor: Actor) -> str:
    return f"desk:{actor.key}"
