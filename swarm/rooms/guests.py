"""Guests: invited by link, once in the room, and out of it without a trace but what they wrote."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from sqlalchemy import func, select

from swarm.accounts.actions import LinkOver, key_of
from swarm.accounts.queries import guest_actor
from swarm.events import SYSTEM
from swarm.events.refusals import NotAllowed, Unfit, Unknown, ensure
from swarm.modes import mode_of
from swarm.outbound import queue
from swarm.people.models import Guest, Person
from swarm.rooms import rules
from swarm.rooms.events import GuestEnded, GuestInvited, GuestJoined, GuestLeft, GuestWithdrawn
from swarm.store import Work
from swarm.text.language import _, current
from swarm.tickets.events import ModeMoved, TicketClosed, TicketResolved
from swarm.tickets.models import Message, Ticket
from swarm.tickets.queries import case_for, find

MOST_GUESTS = 10
"""Of one ticket, at a time."""
How = Literal["left", "withdrawn", "expired", "over"]


def invite_guest(work: Work, ticket_id: int, name: str, lasts: timedelta, email: str = "") -> tuple[int, str]:
    """Let somebody in by a link; with an address it goes there, and nobody sees it here.

    The guest, and the link's secret, which is kept nowhere. Raises `Unknown`, `NotAllowed`, `Unfit`.
    """
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    ensure(mode_of(ticket.mode).may_invite_guest(case_for(work.session, work.actor, ticket)))
    here = select(func.count()).where(Guest.ticket_id == ticket_id, Guest.ended_at.is_(None))
    if (work.session.scalar(here) or 0) >= MOST_GUESTS:
        raise Unfit(_("A ticket has at most %(most)s guests at a time.") % {"most": MOST_GUESTS}, "name")
    secret = secrets.token_urlsafe(32)
    guest = Guest(
        ticket_id=ticket_id,
        name=name,
        email=email or None,
        language=work.actor.language,
        invited_by=ticket.owner_id,
        link=key_of(secret),
        invited_at=work.now,
        expires_at=work.now + lasts,
    )
    work.session.add(guest)
    work.session.flush()
    if email:
        queue.put(work, "guest", about=f"guest:{guest.id}", guest_id=guest.id)
    work.record(f"room:{ticket_id}", GuestInvited(ticket_id=ticket_id, guest_id=guest.id))
    return guest.id, secret


def check_guest_link(work: Work, secret: str) -> tuple[Guest, str]:
    """The guest a link is for, and who invited them. Raises `LinkOver`, which says whom to ask."""
    row = work.session.execute(
        select(Guest, Person.name)
        .join(Person, Person.id == Guest.invited_by)
        .where(Guest.link == key_of(secret))
    ).one_or_none()
    if row is None:
        raise LinkOver(_("This link is not one of ours. Copy it whole, or ask whoever sent it to you."))
    guest, host = row
    _still_open(work, guest, host)
    return guest, host


def join(work: Work, secret: str, lasts: timedelta) -> tuple[int, str]:
    """Exchange a link for a cookie, once: the guest, and the cookie's secret. Raises `LinkOver`."""
    guest, host = check_guest_link(work, secret)
    # Everything about a ticket is serialised by its row.
    work.hold(Ticket, guest.ticket_id)
    work.session.refresh(guest)
    _still_open(work, guest, host)
    cookie = secrets.token_urlsafe(32)
    guest.session, guest.joined_at, guest.expires_at = key_of(cookie), work.now, work.now + lasts
    guest.language = current()
    work.session.flush()
    work.record(
        f"room:{guest.ticket_id}",
        GuestJoined(ticket_id=guest.ticket_id, guest_id=guest.id),
        by=guest_actor(guest),
    )
    return guest.id, cookie


def go(work: Work) -> None:
    """A guest leaves; the way back is another invitation. Raises `Unknown`, `NotAllowed`."""
    if work.actor.guest_id is None or work.actor.guest_of is None:
        raise NotAllowed(_("Only a guest does this."))
    ticket = find(work.session, work.actor, work.actor.guest_of, lock=True)
    guest = _held(work, ticket.id, work.actor.guest_id)
    _end(work, guest, "left")
    work.record(f"room:{ticket.id}", GuestLeft(ticket_id=ticket.id, guest_id=guest.id))


def withdraw(work: Work, ticket_id: int, guest_id: int) -> None:
    """Put a guest out, or take back a link nobody used. Raises `Unknown`, `NotAllowed`."""
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    ensure(rules.may_withdraw_guest(case_for(work.session, work.actor, ticket)))
    guest = _held(work, ticket_id, guest_id)
    _end(work, guest, "withdrawn")
    work.record(f"room:{ticket_id}", GuestWithdrawn(ticket_id=ticket_id, guest_id=guest_id))


def send_guests_home(work: Work, event: TicketResolved | TicketClosed | ModeMoved) -> None:
    """Whoever is not of the house goes when it is solved, or when the ticket became tiered."""
    here = select(Guest).where(Guest.ticket_id == event.ticket_id, Guest.ended_at.is_(None))
    _end_all(work, work.session.scalars(here.order_by(Guest.id)).all(), "over")


def expire_guests(work: Work, limit: int = 100) -> int:
    """Clear up after guests whose time is over; how many. That they see nothing more is not left to this."""
    due = select(Guest.id, Guest.ticket_id).where(Guest.ended_at.is_(None), Guest.expires_at <= work.now)
    found = work.session.execute(due.order_by(Guest.expires_at).limit(limit)).all()
    held = select(Ticket.id).where(Ticket.id.in_({row.ticket_id for row in found})).order_by(Ticket.id)
    work.session.execute(held.with_for_update())
    over = select(Guest).where(
        Guest.id.in_([row.id for row in found]), Guest.ended_at.is_(None), Guest.expires_at <= work.now
    )
    guests = work.session.scalars(over.order_by(Guest.id), execution_options={"populate_existing": True})
    return _end_all(work, guests.all(), "expired")


def _end_all(work: Work, guests: Sequence[Guest], how: How) -> int:
    for guest in guests:
        _end(work, guest, how)
        work.record(
            f"room:{guest.ticket_id}", GuestEnded(ticket_id=guest.ticket_id, guest_id=guest.id), by=SYSTEM
        )
    return len(guests)


def _end(work: Work, guest: Guest, how: How) -> None:
    """What they could do, and what is known of them, goes; their name stays on what they wrote."""
    wrote = select(Message.id).where(
        Message.ticket_id == guest.ticket_id,
        Message.lane == "room",
        Message.author == f"guest:{guest.id}",
    )
    if work.session.scalar(wrote.limit(1)) is None:
        guest.name = ""
    guest.session = guest.email = None
    guest.ended_at, guest.ended_how = work.now, how
    work.session.flush()
    queue.take_back(work, f"guest:{guest.id}")


def _held(work: Work, ticket_id: int, guest_id: int) -> Guest:
    guest = work.session.get(Guest, guest_id, populate_existing=True)
    if guest is None or guest.ticket_id != ticket_id or guest.ended_at is not None:
        raise Unknown(_("There is no such guest here, or their access has ended already."))
    return guest


def _still_open(work: Work, guest: Guest, host: str) -> None:
    if guest.ended_at is not None:
        raise LinkOver(
            _("This invitation is over. If you are still needed, %(host)s can invite you again.", host=host)
        )
    if guest.joined_at is not None:
        raise LinkOver(
            _(
                "This link was used before: it works once, in one browser. Ask %(host)s for a new one.",
                host=host,
            )
        )
    if guest.expires_at <= work.now:
        raise LinkOver(_("This link has expired. Ask %(host)s for a new one.", host=host))
