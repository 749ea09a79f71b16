"""Writing in a lane: once, whatever the connection does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select

from swarm.events.refusals import ALLOWED, NotAllowed, Refused, Verdict, ensure
from swarm.modes import mode_of
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets import rules
from swarm.tickets.attaching import attach, same_files
from swarm.tickets.events import (
    CustomerWrote,
    TicketReopened,
    TicketResumed,
    TicketWaiting,
)
from swarm.tickets.models import Message, Ticket
from swarm.tickets.opening import store_message
from swarm.tickets.queries import case_for, find
from swarm.tickets.turns import Posted, other_text

LaneKey = Literal["lane", "room"]
MOST_LETTERS = 20_000
"""A message has at most so many characters."""


def post(
    work: Work,
    ticket_id: int,
    lane: LaneKey,
    body: str,
    client_id: str,
    *,
    wait: bool = False,
    reopen_days: int = 7,
    files: Sequence[str] = (),
) -> Posted:
    """Write in a lane; `wait`: and let the ticket wait for the customer.

    `files` are tokens of what was sent ahead. Raises `Unknown`, `NotAllowed`, `Unfit`, and `Stale` where the
    client id already stands for another text or other files.
    """
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    if work.actor.customer_id is not None and ticket.customer_id is not None:
        # A browser may follow cases under several customer records: each speaks in its own.
        work.actor = replace(work.actor, key=f"customer:{ticket.customer_id}", customer_id=ticket.customer_id)
    if (repeated := _earlier(work, ticket_id, lane, body, client_id, files)) is not None:
        return repeated
    if work.actor.customer_id is not None:
        if lane != "lane":
            raise NotAllowed(_("There is no such ticket, or it is not for you to see."))
        ensure(may_customer_write(ticket, work.now, reopen_days))
    else:
        case = case_for(work.session, work.actor, ticket)
        ensure(
            rules.may_answer_customer(case)
            if lane == "lane"
            else rules.may_write_room(case, mode_of(ticket.mode))
        )
    message = store_message(work, ticket_id, lane, work.actor, body, client_id, files=len(files))
    attach(work, message, work.actor.key, files)
    ticket.updated_at = work.now
    if lane == "lane":
        _move_status(work, ticket, wait=wait)
    return Posted(message.id, message.seq, repeated=False)


def _earlier(
    work: Work, ticket_id: int, lane: str, body: str, client_id: str, files: Sequence[str]
) -> Posted | None:
    # Looked up before a number is taken: a number that was given is never given back.
    earlier = work.session.scalars(
        select(Message).where(
            # + 0: or a planner that thinks rooms are small walks through all of it.
            Message.ticket_id + 0 == ticket_id,
            Message.lane == lane,
            Message.author == work.actor.key,
            Message.client_id == client_id,
        )
    ).one_or_none()
    if earlier is None:
        return None
    same = not (files or earlier.files) or same_files(work, earlier.id, work.actor.key, files)
    if earlier.body != body or not same:
        raise other_text()
    return Posted(earlier.id, earlier.seq, repeated=True)


def may_customer_write(ticket: Ticket, now: datetime, reopen_days: int) -> Verdict:
    """Write as the customer: until it is closed, and some days after it was resolved."""
    too_late = (
        ticket.status == "resolved"
        and ticket.resolved_at is not None
        and now - ticket.resolved_at > timedelta(days=reopen_days)
    )
    if ticket.status == "closed" or too_late:
        return Refused(_("This ticket is closed. Please open a new one; your text was kept for you to copy."))
    return ALLOWED


def _move_status(work: Work, ticket: Ticket, *, wait: bool) -> None:
    lane = f"lane:{ticket.id}"
    if work.actor.customer_id is not None:
        if ticket.status == "resolved":
            ticket.status, ticket.resolved_at = "open", None
            work.record(lane, TicketReopened(ticket_id=ticket.id))
        elif ticket.status == "waiting":
            ticket.status = "open"
            work.record(lane, TicketResumed(ticket_id=ticket.id))
        work.record(f"person:{ticket.owner_id}", CustomerWrote(ticket_id=ticket.id))
    elif wait and ticket.status in ("open", "on_hold"):
        ticket.status = "waiting"
        work.record(lane, TicketWaiting(ticket_id=ticket.id))
