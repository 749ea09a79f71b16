"""Entries of the log as lines of a lane, in a fixed number of queries whatever their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from swarm.accounts.events import SecondStepRequired
from swarm.lanes.views import Audience, Lane, Line, MessageView
from swarm.modes import mode_of
from swarm.modes.events import PolicyAnnounced, PolicyChanged
from swarm.modes.policy import policy_name
from swarm.people.events import AvailabilitySet, RoleSet
from swarm.people.queries import Face, faces
from swarm.people.words import role_word
from swarm.rooms import queries as rooms
from swarm.rooms.events import HelpAsked
from swarm.routing.events import EscalationEnded, TicketEscalated
from swarm.routing.models import Escalation
from swarm.store import Entry, log
from swarm.text.language import _
from swarm.text.markdown import to_html
from swarm.tickets.attaching import Attached, files_of
from swarm.tickets.events import LaneMessagePosted, ModeMoved, RoomMessagePosted, TicketWaiting
from swarm.tickets.models import Ownership
from swarm.tickets.queries import Said
from swarm.tickets.queries import messages as messages_by_id
from swarm.tickets.queries import shown as tickets_shown
from swarm.tickets.turns import Fresh
from swarm.tickets.words import availability_word

PAGE = 60
SYSTEM = Face("system:0", "swarm")
CHANGES_OWNER = {"ticket.handed_over", "ticket.returned_to", "ticket.fell_to", "ticket.taken_over"}


def tail(
    session: Session, stream: str, audience: Audience, before: int | None = None, limit: int = PAGE
) -> Lane:
    """The last lines of a stream, or those before number `before`."""
    head = log.heads(session, [stream])[stream]
    entries = log.before(session, stream, before or head + 1, limit)
    older = entries[0].seq if entries and entries[0].seq > 1 else None
    return Lane(stream, [line for line in lines(session, entries, audience) if line], head, older)


def fresh_line(entry: Entry, fresh: Fresh) -> Line:
    """The line of a message just written, for staff, without asking the database."""
    said = Said(fresh.message_id, entry.actor, fresh.body, fresh.client_id, entry.seq, entry.at)
    face = Face(entry.actor, fresh.author)
    view = _message(said, face, is_owner=fresh.is_owner, is_answer=False)
    return Line(stream=entry.stream, seq=entry.seq, at=entry.at, message=view)


def lines(session: Session, entries: Sequence[Entry], audience: Audience) -> list[Line | None]:
    """One line per entry; none for what this audience is not shown."""
    shown = [entry for entry in entries if audience != "customer" or entry.event.audience == "customer"]
    facts = [entry.event for entry in shown]
    texts = messages_by_id(
        session, [f.message_id for f in facts if isinstance(f, RoomMessagePosted | LaneMessagePosted)]
    )
    attached = files_of(session, [text.id for text in texts.values() if text.files])
    asks = rooms.asks(session, [f.ask_id for f in facts if isinstance(f, HelpAsked)])
    names = faces(session, people_in(shown) | {message.author for message in texts.values()})
    if audience == "guest":
        names = {key: _nameless(face) for key, face in names.items()}
    tickets = tickets_shown(session, {fact.ticket_id for fact in facts if hasattr(fact, "ticket_id")})
    said = notes(session, shown) if audience == "staff" else {}
    drawn: dict[tuple[str, int], Line] = {}
    for entry, fact in zip(shown, facts, strict=True):
        where: dict[str, Any] = {"stream": entry.stream, "seq": entry.seq, "at": entry.at}
        match fact:
            case RoomMessagePosted() | LaneMessagePosted() if fact.message_id in texts:
                text, shown_of = texts[fact.message_id], tickets[fact.ticket_id]
                view = _message(
                    text,
                    names.get(text.author, SYSTEM),
                    is_owner=text.author == f"person:{shown_of.owner_id}",
                    is_answer=audience != "customer" and shown_of.answer_id == text.id,
                    files=attached.get(text.id, ()),
                )
                drawn[entry.stream, entry.seq] = Line(**where, message=view)
            case HelpAsked() if fact.ask_id in asks:
                drawn[entry.stream, entry.seq] = Line(**where, ask=asks[fact.ask_id])
            case TicketWaiting() if audience == "customer":
                drawn[entry.stream, entry.seq] = Line(**where, text=_("Waiting for your answer"))
            case _other:
                drawn[entry.stream, entry.seq] = Line(
                    **where, text=headline(entry, names), note=said.get((entry.stream, entry.seq), "")
                )
    return [drawn.get((entry.stream, entry.seq)) for entry in entries]


def _nameless(face: Face) -> Face:
    """A guest helps without knowing whom: nothing of the customer but that it is the customer."""
    return Face("customer:0", _("Customer"), is_customer=True) if face.is_customer else face


def headline(entry: Entry, names: Mapping[str, Face]) -> str:
    """The event in one sentence."""
    fact = entry.event
    values: dict[str, Any] = {"actor": names.get(entry.actor, SYSTEM).name}
    for field, value in entry.data.items():
        values[field] = value
        if field.endswith("_id") and isinstance(value, int):
            kind = "guest" if field == "guest_id" else "person"
            values[field.removesuffix("_id")] = names.get(f"{kind}:{value}", SYSTEM).name
    match fact:
        case ModeMoved():
            values["mode"] = mode_of(fact.mode).name
        case RoleSet():
            values["role"] = role_word(fact.role)
        case SecondStepRequired():
            values["roles"] = ", ".join(role_word(role) for role in fact.roles.split(", "))
        case PolicyChanged() | PolicyAnnounced():
            values["policy"] = policy_name(fact.policy, fact.share)
        case AvailabilitySet():
            values["availability"] = availability_word(fact.availability)
    if "what" in values:
        words = {
            "priority": _("the priority"),
            "category": _("the category"),
            "language": _("the language"),
            "tags": _("the tags"),
            "name": _("the name"),
            "email": _("the e-mail address"),
            "company": _("the company"),
            "phone": _("the phone number"),
            "timezone": _("the time zone"),
            "notes": _("the notes"),
        }
        values["what"] = ", ".join(words.get(word, word) for word in str(values["what"]).split(","))
    return _(fact.headline) % values


def _message(
    message: Said, face: Face, *, is_owner: bool, is_answer: bool, files: Sequence[Attached] = ()
) -> MessageView:
    if face is SYSTEM:
        face = Face("system:0", _("Imported"), is_customer=False)
    return MessageView(
        dom_id=f"m-{message.id}",
        client_id=message.client_id,
        message_id=message.id,
        author_name=face.name,
        author_id=face.key,
        hue=face.hue,
        is_owner=is_owner,
        is_customer=face.is_customer,
        is_guest=face.is_guest,
        at=message.at,
        html=to_html(message.body),
        is_answer=is_answer,
        files=files,
    )


def people_in(entries: Sequence[Entry]) -> set[str]:
    """Everybody these entries name."""
    keys = {entry.actor for entry in entries}
    for entry in entries:
        for field in ("to_id", "from_id", "person_id"):
            if (value := entry.data.get(field)) is not None:
                keys.add(f"person:{value}")
        if (guest := entry.data.get("guest_id")) is not None:
            keys.add(f"guest:{guest}")
    return keys


def notes(session: Session, entries: Sequence[Entry]) -> dict[tuple[str, int], str]:
    """Texts that live in rows beside their events: reasons and hand-over notes."""
    found: dict[tuple[str, int], str] = {}
    escalations: dict[int, Escalation] = {}
    if escalated := {entry.data["escalation_id"] for entry in entries if "escalation_id" in entry.data}:
        rises = select(Escalation).where(Escalation.id.in_(escalated))
        escalations = {row.id: row for row in session.scalars(rises)}
    reasons: dict[tuple[int, datetime, int], str] = {}
    if tickets := {entry.data["ticket_id"] for entry in entries if entry.kind in CHANGES_OWNER}:
        links = select(Ownership).where(Ownership.ticket_id.in_(tickets))
        reasons = {(row.ticket_id, row.at, row.owner_id): row.reason for row in session.scalars(links)}
    for entry in entries:
        fact, key = entry.event, (entry.stream, entry.seq)
        match fact:
            case TicketEscalated() if fact.escalation_id in escalations:
                row = escalations[fact.escalation_id]
                found[key] = "\n\n".join(part for part in (row.reason, row.note) if part)
            case EscalationEnded() if fact.escalation_id in escalations:
                found[key] = escalations[fact.escalation_id].answer
            case ModeMoved():
                found[key] = fact.reason
            case _other if entry.kind in CHANGES_OWNER:
                found[key] = reasons.get((entry.data["ticket_id"], entry.at, entry.data["to_id"]), "")
    return found
