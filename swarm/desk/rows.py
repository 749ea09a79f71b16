"""Tickets as lines of a list: what it is about, who and why, and whether something in it is new."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from swarm.events import Actor
from swarm.modes import Case, mode_of
from swarm.people.queries import faces
from swarm.store import Work
from swarm.store.tables import StreamRow
from swarm.text.language import _
from swarm.text.markdown import plain
from swarm.tickets import rules
from swarm.tickets.cases import cases_for
from swarm.tickets.lists import ListName, TicketLine
from swarm.tickets.models import Message, Read, Ticket
from swarm.tickets.opening import PRIORITIES
from swarm.tickets.words import priority_word, status_word

PREVIEW = 90
"""Characters of a message that a line may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One ticket as a list shows it."""

    ticket_id: int
    href: str
    subject: str
    line: str
    at: datetime
    priority: str
    priority_text: str
    mode: str
    status: str
    """As the kit's `status_pill` calls it."""
    status_text: str
    unread: bool
    current: bool
    takes: int | None
    """The version of the ownership that Take acts on; empty beside a ticket, and where the rule refuses."""


@dataclass(frozen=True, slots=True)
class _Last:
    author: str
    name: str
    words: str


def rows_of(
    work: Work, name: ListName, lines: Sequence[TicketLine], current: int | None = None, query: str = ""
) -> list[Row]:
    """The rows of one page; `query` leads back from the ticket to the list. Ten queries at most."""
    session, actor = work.session, work.actor
    tickets = [line.ticket for line in lines]
    cases = cases_for(session, actor, tickets)
    unread = _unread(session, actor, [ticket.id for ticket in tickets], also_untouched=name == "mine")
    last = _last_words(session, cases) if name == "mine" else {}
    return [
        Row(
            ticket_id=line.ticket.id,
            href=f"/tickets/{line.ticket.id}{query}",
            subject=line.ticket.subject,
            line=_line(actor, name, line, last.get(line.ticket.id)),
            at=(line.ticket.queued_at if name == "queue" else None) or line.ticket.updated_at,
            priority=PRIORITIES[line.ticket.priority],
            priority_text=priority_word(line.ticket.priority),
            mode=line.ticket.mode,
            status={"on_hold": "hold"}.get(line.ticket.status, line.ticket.status),
            status_text=status_word(line.ticket.status),
            unread=line.ticket.id in unread and line.ticket.id != current,
            current=line.ticket.id == current,
            takes=None if current else _takes(name, line.ticket, cases[line.ticket.id]),
        )
        for line in lines
    ]


def _takes(name: ListName, ticket: Ticket, case: Case) -> int | None:
    if name != "queue" or not rules.may_take(case, mode_of(ticket.mode)):
        return None
    return ticket.owner_version


def _line(actor: Actor, name: ListName, line: TicketLine, last: _Last | None) -> str:
    ticket, customer = line.ticket, line.customer_name or _("No customer")
    if name == "queue":
        if ticket.queued_for:
            return _(
                "Waits for tier %(tier)s of %(team)s · %(owner)s has it until then",
                tier=ticket.queued_for,
                team=line.team_name,
                owner=line.owner_name,
            )
        return _("New in %(team)s · %(customer)s", team=line.team_name, customer=customer)
    if name == "all":
        if ticket.queued_for == 0:
            return _("Not taken yet · %(customer)s", customer=customer)
        if ticket.queued_for:
            return _(
                "%(owner)s · waits for tier %(tier)s · %(customer)s",
                owner=line.owner_name,
                tier=ticket.queued_for,
                customer=customer,
            )
        return f"{line.owner_name} · {customer}"
    if ticket.queued_for:
        return _("Waits for tier %(tier)s, not taken yet", tier=ticket.queued_for)
    waits = last is not None and last.author.startswith("customer:")
    if ticket.answer_id is not None and ticket.status in ("open", "on_hold") and not waits:
        return _("Answer marked, ready to resolve")
    if ticket.status == "waiting" or last is None:
        return customer
    who = _("You") if last.author == actor.key else last.name
    return _("%(who)s: %(words)s", who=who, words=last.words)


def _unread(session: Session, actor: Actor, ids: Collection[int], *, also_untouched: bool) -> set[int]:
    """Tickets whose lanes went on since this person read them; `also_untouched`: or never opened them."""
    streams = {f"{lane}:{id_}": id_ for id_ in ids for lane in ("lane", "room")}
    rows = session.execute(
        select(StreamRow.key, StreamRow.last_seq, Read.seq)
        .join(Read, and_(Read.stream == StreamRow.key, Read.person_id == actor.person_id), isouter=True)
        .where(StreamRow.key.in_(streams))
    )
    return {streams[key] for key, last, seen in rows if (last > seen if seen is not None else also_untouched)}


def _last_words(session: Session, cases: Mapping[int, Case]) -> dict[int, _Last]:
    """The last message of each ticket that this person may read, with its writer."""
    room_open = {
        id_
        for id_, mode in session.execute(select(Ticket.id, Ticket.mode).where(Ticket.id.in_(cases)))
        if mode_of(mode).may_read_room(cases[id_])
    }
    newest = {
        lane: select(func.max(Message.id))
        .where(Message.ticket_id == Ticket.id, Message.lane == lane)
        .scalar_subquery()
        for lane in ("lane", "room")
    }
    found = session.execute(select(Ticket.id, newest["lane"], newest["room"]).where(Ticket.id.in_(cases)))
    wanted = [max(lane or 0, (room or 0) if id_ in room_open else 0) for id_, lane, room in found]
    messages = session.execute(
        select(Message.ticket_id, Message.author, func.substr(Message.body, 1, PREVIEW * 4)).where(
            Message.id.in_(wanted)
        )
    ).all()
    names = faces(session, {author for _ticket, author, _body in messages})
    return {
        ticket_id: _Last(
            author, _first(names[author].name) if author in names else _("Imported"), plain(body, PREVIEW)
        )
        for ticket_id, author, body in messages
    }


def _first(name: str) -> str:
    return name.split()[0] if name.split() else name
