"""How a ticket begins: with a team, a mode and an owner at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from swarm.events import SYSTEM, Actor
from swarm.events.refusals import NotAllowed, Unfit, Unknown
from swarm.modes import policy
from swarm.people.customers import kept
from swarm.people.models import Customer, Person, Team
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets.attaching import attach
from swarm.tickets.events import LaneMessagePosted, OwnerShown, RoomMessagePosted, TicketOpened, TicketQueued
from swarm.tickets.models import Message, Ticket, TicketTag
from swarm.tickets.ownership import first_owner

PRIORITIES = ("low", "normal", "high", "urgent")
MOST_TAGS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTicket:
    """What is known of a case when it arrives."""

    team_id: int
    subject: str
    body: str
    customer: Customer | None
    language: str
    client_id: str
    priority: int = 1
    category: str = ""
    tags: Sequence[str] = ()
    channel: str = "page"
    files: Sequence[str] = ()
    """Tokens of what was sent with it."""
    uploader: str = ""
    """Who sent those."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What marks a ticket as imported: it sends nothing, runs no clock and enters no measure."""

    source: str
    external_id: str
    digest: str
    opened_at: datetime
    status: str = "open"


def open_ticket(work: Work, new: NewTicket, history: History | None = None) -> Ticket:
    """Open a case: it has an owner, a mode and both lanes from its first row on.

    Raises `Unknown` for a team there is not, `NotAllowed` for staff who may not open there, `Unfit`.
    """
    held = select(Team).where(Team.id == new.team_id).with_for_update(read=True)
    team = work.session.scalars(held.execution_options(populate_existing=True)).one_or_none()
    if team is None:
        raise Unknown(_("There is no such team."))
    if not 0 <= new.priority < len(PRIORITIES):
        raise Unfit(_("There is no such priority."), "priority")
    if work.session.scalar(select(Person.active).where(Person.id == team.duty_lead_id)) is not True:
        raise NotAllowed(_("The team has no duty lead who could own the ticket."))
    drawn = policy.choose(work, team, new.priority, history=history is not None)
    # Who merges records meanwhile waits for this ticket, or this one goes to the record that was kept.
    customer = kept(work, new.customer) if new.customer else None
    opened_at = history.opened_at if history else work.now
    active = history is None or history.status == "open"
    ticket = Ticket(
        team_id=team.id,
        customer_id=customer.id if customer else None,
        subject=new.subject,
        status="open" if history is None else history.status,
        priority=new.priority,
        category=new.category,
        language=new.language,
        mode=drawn.mode,
        assigned_mode=drawn.mode,
        owner_id=team.duty_lead_id,
        queued_for=0 if active else None,
        queued_at=opened_at if active else None,
        opened_at=opened_at,
        updated_at=opened_at,
        resolved_at=opened_at if history and history.status in ("resolved", "closed") else None,
        channel=new.channel,
        imported=history is not None,
        source=history.source if history else None,
        external_id=history.external_id if history else None,
        digest=history.digest if history else None,
    )
    work.session.add(ticket)
    work.session.flush()
    first_owner(work, ticket)
    policy.keep_draw(work, ticket.id, team.id, new.priority, drawn)
    tag(work, ticket.id, new.tags)
    author = SYSTEM if customer is None else customer_actor(customer)
    work.record(f"lane:{ticket.id}", TicketOpened(ticket_id=ticket.id), by=author, at=opened_at)
    message = store_message(
        work, ticket.id, "lane", author, new.body, new.client_id, at=opened_at, files=len(new.files)
    )
    attach(work, message, new.uploader, new.files)
    work.record(
        f"lane:{ticket.id}", OwnerShown(ticket_id=ticket.id, to_id=ticket.owner_id), by=SYSTEM, at=opened_at
    )
    if active:
        work.record(f"team:{team.id}", TicketQueued(ticket_id=ticket.id, tier=0))
    return ticket


def store_message(
    work: Work,
    ticket_id: int,
    lane: str,
    author: Actor,
    body: str,
    client_id: str,
    *,
    at: datetime | None = None,
    files: int = 0,
) -> Message:
    """Put a text into a lane and give it its number."""
    message = Message(
        ticket_id=ticket_id,
        lane=lane,
        author=author.key,
        body=body,
        client_id=client_id,
        seq=0,
        at=at or work.now,
        files=files,
    )
    work.session.add(message)
    work.session.flush()
    event = (
        RoomMessagePosted(ticket_id=ticket_id, message_id=message.id)
        if lane == "room"
        else LaneMessagePosted(ticket_id=ticket_id, message_id=message.id, by_staff=author.is_staff)
    )
    message.seq = work.record(f"{lane}:{ticket_id}", event, by=author, at=message.at)
    return message


def tag(work: Work, ticket_id: int, tags: Sequence[str]) -> None:
    """Put words on a ticket. Raises `Unfit` for too many."""
    words = sorted({word.strip().lower() for word in tags if word.strip()})
    if len(words) > MOST_TAGS:
        raise Unfit(_("A ticket has at most %(most)s tags.") % {"most": MOST_TAGS}, "tags")
    work.session.add_all(TicketTag(ticket_id=ticket_id, tag=word) for word in words)


def customer_actor(customer: Customer) -> Actor:
    """The customer, as who wrote."""
    return Actor(
        key=f"customer:{customer.id}", name=customer.name, language=customer.language, customer_id=customer.id
    )
