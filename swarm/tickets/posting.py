"""Writing in a lane: once, whatever the connection does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from sqlalchemy import bindparam, select

from swarm.events.refusals import ALLOWED, No, NotAllowed, Refused, Stale, Verdict, ensure
from swarm.modes import mode_of
from swarm.store import Work
from swarm.store.tables import Table
from swarm.text.language import _
from swarm.tickets import rules
from swarm.tickets.events import (
    CustomerWrote,
    RoomMessagePosted,
    TicketReopened,
    TicketResumed,
    TicketWaiting,
)
from swarm.tickets.models import Message, Ticket
from swarm.tickets.opening import store_message
from swarm.tickets.queries import case_for, find

LaneKey = Literal["lane", "room"]
MOST_LETTERS = 20_000
"""A message has at most so many characters."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a post."""

    message_id: int
    seq: int
    repeated: bool
    """It stood there already: an exact retry changes nothing."""


def post(
    work: Work,
    ticket_id: int,
    lane: LaneKey,
    body: str,
    client_id: str,
    *,
    wait: bool = False,
    reopen_days: int = 7,
) -> Posted:
    """Write in a lane; `wait`: and let the ticket wait for the customer.

    Raises `Unknown`, `NotAllowed`, and `Stale` where the client id already stands for another text.
    """
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    if work.actor.customer_id is not None and ticket.customer_id is not None:
        # A browser may follow cases under several customer records: each speaks in its own.
        work.actor = replace(work.actor, key=f"customer:{ticket.customer_id}", customer_id=ticket.customer_id)
    if (repeated := _earlier(work, ticket_id, lane, body, client_id)) is not None:
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
    message = store_message(work, ticket_id, lane, work.actor, body, client_id)
    ticket.updated_at = work.now
    if lane == "lane":
        _move_status(work, ticket, wait=wait)
    return Posted(message.id, message.seq, repeated=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """A text about to be written."""

    client_id: str
    body: str


class Stored(NamedTuple):
    """A message that stands."""

    id: int
    seq: int
    body: str


_messages, _tickets = (Table.metadata.tables[name] for name in (Message.__tablename__, Ticket.__tablename__))
# Made once: building a statement costs more than running it.
_WRITE = _messages.insert().returning(_messages.c.id, _messages.c.seq)
_WRITTEN = select(_messages.c.client_id, _messages.c.id, _messages.c.seq, _messages.c.body).where(
    _messages.c.ticket_id == bindparam("ticket"),
    _messages.c.lane == "room",
    _messages.c.author == bindparam("author"),
    _messages.c.client_id.in_(bindparam("ids", expanding=True)),
)
_TOUCH = _tickets.update().where(_tickets.c.id == bindparam("ticket")).values(updated_at=bindparam("now"))


def post_in_room(work: Work, ticket_id: int, drafts: Sequence[Draft]) -> list[Posted | No]:
    """`post` for several texts of one person in one room, at little more than the cost of one.

    What is wrong with one of them stands in its place; raises what would be wrong with all.
    """
    ticket = find(work.session, work.actor, ticket_id, lock=True)
    if work.actor.customer_id is not None:
        raise NotAllowed(_("There is no such ticket, or it is not for you to see."))
    mine = {"ticket": ticket_id, "author": work.actor.key, "ids": [draft.client_id for draft in drafts]}
    written = {client_id: Stored(*rest) for client_id, *rest in work.session.execute(_WRITTEN, mine)}
    fresh = {draft.client_id: draft for draft in reversed(drafts) if draft.client_id not in written}
    refused: No | None = None
    try:
        ensure(rules.may_write_room(case_for(work.session, work.actor, ticket), mode_of(ticket.mode)))
    except No as no:
        # What stands there already is answered as before.
        refused = no
    else:
        written |= _written(work, ticket, [draft for draft in drafts if fresh.get(draft.client_id) is draft])
    outcomes: list[Posted | No] = []
    for draft in drafts:
        row = written.get(draft.client_id)
        if row is None:
            assert refused is not None
            outcomes.append(refused)
        elif row.body != draft.body:
            outcomes.append(_other_text())
        else:
            outcomes.append(Posted(row.id, row.seq, repeated=fresh.get(draft.client_id) is not draft))
    return outcomes


def _written(work: Work, ticket: Ticket, drafts: Sequence[Draft]) -> dict[str, Stored]:
    if not drafts:
        return {}
    connection = work.session.connection()
    rows: dict[str, Stored] = {}

    def store(numbers: range) -> Sequence[RoomMessagePosted]:
        common = {"ticket_id": ticket.id, "lane": "room", "author": work.actor.key, "at": work.now}
        texts = dict(zip(numbers, drafts, strict=True))
        stored = connection.execute(
            _WRITE,
            [
                {**common, "seq": seq, "body": draft.body, "client_id": draft.client_id}
                for seq, draft in texts.items()
            ],
        )
        ids = {seq: id_ for id_, seq in stored}
        rows.update({draft.client_id: Stored(ids[seq], seq, draft.body) for seq, draft in texts.items()})
        return [RoomMessagePosted(ticket_id=ticket.id, message_id=ids[seq]) for seq in numbers]

    work.record_all(f"room:{ticket.id}", len(drafts), store)
    connection.execute(_TOUCH, {"ticket": ticket.id, "now": work.now})
    return rows


def _other_text() -> Stale:
    return Stale(_("This message was sent before with another text. Send the new text as a new message."))


def _earlier(work: Work, ticket_id: int, lane: str, body: str, client_id: str) -> Posted | None:
    # Looked up before a number is taken: a number that was given is never given back.
    earlier = work.session.scalars(
        select(Message).where(
            Message.ticket_id == ticket_id,
            Message.lane == lane,
            Message.author == work.actor.key,
            Message.client_id == client_id,
        )
    ).one_or_none()
    if earlier is None:
        return None
    if earlier.body != body:
        raise _other_text()
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
