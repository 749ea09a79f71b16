"""Everything a ticket's screen shows to one person, from one snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from swarm.desk.customers import beside
from swarm.events import Actor
from swarm.events.refusals import Verdict
from swarm.lanes.queries import headline, notes, people_in, tail
from swarm.modes import Case, Mode, mode_of, other_than
from swarm.people import queries as people
from swarm.people.models import Customer, Team
from swarm.people.queries import Face
from swarm.rooms import queries as rooms
from swarm.rooms import rules as room_rules
from swarm.rooms.models import Invitation
from swarm.store import Entry, Work, log
from swarm.tickets import queries, rules
from swarm.tickets.models import Read, Ticket
from swarm.tickets.opening import PRIORITIES
from swarm.tickets.words import LANGUAGES, language_word, priority_word
from swarm.web.errors import Typed

TIMELINE = 100
"""Lines on a page of the timeline."""


@dataclass(frozen=True, slots=True)
class Forms:
    """The forms of the screen; one of them may have been sent in vain."""

    name: str = ""
    typed: Typed = field(default_factory=Typed)

    def of(self, name: str, **start: object) -> Typed:
        """What stands in a form: what was typed, or what it starts from."""
        return self.typed if name == self.name else Typed.blank(**start)


@dataclass(frozen=True, slots=True)
class Open:
    """A ticket as one person has it open."""

    ticket: Ticket
    case: Case
    mode: Mode
    team: Team
    wanted: set[int]
    """Skills that its open asks want."""
    invitation: Invitation | None

    @property
    def may(self) -> dict[str, Verdict]:
        """Each thing a person could do here, and what the rule says."""
        case, mode = self.case, self.mode
        return {
            "answer": rules.may_answer_customer(case),
            "write_room": rules.may_write_room(case, mode),
            "read_room": mode.may_read_room(case),
            "take": rules.may_take(case, mode),
            "hand_over": rules.may_hand_over(case, mode),
            "escalate": mode.may_escalate(case),
            "send_back": mode.may_return(case),
            "ask": mode.may_ask(case),
            "invite_guest": mode.may_invite_guest(case),
            "withdraw_guest": room_rules.may_withdraw_guest(case),
            "raise_hand": mode.may_raise_hand(case, has_skill=bool(self.wanted & case.actor.skills)),
            "leave": room_rules.may_leave(case),
            "dismiss": room_rules.may_dismiss(case),
            "resolve": rules.may_resolve(case),
            "reopen": rules.may_reopen(case),
            "hold": rules.may_hold(case),
            "details": rules.may_change_details(case),
            "move_mode": rules.may_move_mode(case),
            "link": rules.may_make_link(case),
        }


def open_case(work: Work, number: int) -> Open:
    """The ticket, where the actor may see it. Raises `Unknown`."""
    ticket = queries.find(work.session, work.actor, number)
    return Open(
        ticket,
        queries.case_for(work.session, work.actor, ticket),
        mode_of(ticket.mode),
        people.team_by_id(work.session, ticket.team_id),
        rooms.wanted_by_open_asks(work.session, number),
        rooms.pending_for(work.session, work.actor, number),
    )


def common(opened: Open, forms: Forms | None = None) -> dict[str, Any]:
    """What every piece of the screen needs."""
    return {
        "ticket": opened.ticket,
        "case": opened.case,
        "mode": opened.mode,
        "may": opened.may,
        "forms": forms or Forms(),
        "number": opened.ticket.id,
    }


def head(work: Work, opened: Open, forms: Forms | None = None) -> dict[str, Any]:
    """The head: owner, mode, status, and what this person may do."""
    ticket, case, may = opened.ticket, opened.case, opened.may
    present = rooms.in_room(work.session, ticket.id)
    members = people.members(work.session, ticket.team_id)
    helpers = [Face(f"person:{one.stay.person_id}", one.name) for one in present]
    guests = rooms.guests_of(work.session, ticket.id)
    targets = _targets(opened, members, helpers) if may["hand_over"] else []
    asking: dict[str, Any] = {"skills": [], "everybody": []}
    if may["ask"]:
        asking = {
            "skills": [(skill.id, skill.name) for skill in people.skills(work.session)],
            "everybody": [
                (person.id, person.name, person.availability)
                for person in people.people_who_can_help(work.session)
                if person.id != ticket.owner_id
            ],
        }
    invitation = None
    if opened.invitation is not None:
        invitation = (opened.invitation, rooms.asks(work.session, [opened.invitation.ask_id]))
    return common(opened, forms) | {
        "owner": Face(f"person:{ticket.owner_id}", case.owner_name),
        "helpers": [*helpers, *(one.face for one in guests if one.guest.joined_at is not None)],
        "thanked": rooms.helpers(work.session, ticket.id),
        "rungs": _rungs(opened, people.tiers_of(work.session, ticket.team_id)),
        "team_name": opened.team.name,
        "targets": targets,
        "next_tier": opened.mode.next_tier(case),
        "other_mode": other_than(ticket.mode),
        "invitation": invitation[0] if invitation else None,
        "invited_to": next(iter(invitation[1].values()), None) if invitation else None,
        "open_asks": rooms.open_asks_of(work.session, ticket.id),
        **asking,
    }


def side(work: Work, opened: Open, forms: Forms | None = None) -> dict[str, Any]:
    """The side: the customer, who is here and why, the details."""
    ticket = opened.ticket
    languages = dict.fromkeys((*LANGUAGES, ticket.language))
    asks = customer_of(work, opened)
    return common(opened, forms) | {
        **asks,
        **beside(work, asks["customer"]),
        "earlier": queries.earlier_tickets(work.session, work.actor, ticket),
        "owner": Face(f"person:{ticket.owner_id}", opened.case.owner_name),
        "present": rooms.in_room(work.session, ticket.id),
        "guests": rooms.guests_of(work.session, ticket.id),
        "invited": [
            one
            for asked in rooms.open_asks_of(work.session, ticket.id)
            for one in asked.invited
            if one.invitation.state == "pending"
        ],
        "team_name": opened.team.name,
        "tags": queries.tags_of(work.session, [ticket.id])[ticket.id],
        "priorities": [(rank, priority_word(rank)) for rank in range(len(PRIORITIES))],
        "languages": [(code, language_word(code)) for code in languages],
        "chain": chain(work, ticket),
    }


def lanes(work: Work, opened: Open) -> dict[str, Any]:
    """Both lanes with their numbers; the room only for who may read it."""
    ticket, number = opened.ticket, opened.ticket.id
    streams = [f"lane:{number}", f"room:{number}"] if opened.may["read_room"] else [f"lane:{number}"]
    read: dict[str, int] = {
        stream: (work.session.get(Read, (work.actor.person_id, stream)) or Read(seq=0)).seq
        for stream in streams
    }
    return {
        "customer_lane": tail(work.session, f"lane:{number}", "staff"),
        "room_lane": tail(work.session, f"room:{number}", "staff") if len(streams) == 2 else None,
        "read": read,
        "streams": [*streams, *([f"customer:{ticket.customer_id}"] if ticket.customer_id else [])],
        **customer_of(work, opened),
    }


def customer_of(work: Work, opened: Open) -> dict[str, Any]:
    """Who asks, where anybody is known to."""
    id_ = opened.ticket.customer_id
    return {"customer": None if id_ is None else work.session.get(Customer, id_)}


def _targets(opened: Open, members: Sequence[Any], helpers: Sequence[Face]) -> list[tuple[int, str]]:
    """Who could be handed the ticket, as the mode sees it."""
    could: dict[int, str] = {}
    for person, rung in members:
        case = _as_seen_by(opened.case, person.id, person.name, {opened.case.team_id: rung}, None)
        if person.id != opened.ticket.owner_id and opened.mode.may_receive(case):
            could[person.id] = person.name
    for helper in helpers:
        id_ = int(helper.key.partition(":")[2])
        if id_ != opened.ticket.owner_id and opened.mode.may_receive(
            _as_seen_by(opened.case, id_, helper.name, {}, "swarm")
        ):
            could.setdefault(id_, helper.name)
    return sorted(could.items(), key=lambda pair: pair[1])


def _as_seen_by(case: Case, person_id: int, name: str, rungs: dict[int, int], standing: str | None) -> Case:
    actor = Actor(key=f"person:{person_id}", name=name, person_id=person_id, rungs=rungs)
    return replace(case, actor=actor, standing=standing)


def _rungs(opened: Open, tiers: Sequence[Any]) -> list[tuple[str, str]]:
    """Top tier first: above, waits, here or below, each with its name."""
    rungs = []
    for tier in reversed(tiers):
        if tier.rung == opened.case.waits_for_tier:
            state = "waits"
        elif tier.rung == opened.ticket.tier:
            state = "here"
        else:
            state = "above" if tier.rung > opened.ticket.tier else "below"
        rungs.append((state, f"{tier.rung} · {tier.name}"))
    return rungs


def everything(work: Work, streams: Sequence[str], before: Mapping[str, int | None]) -> dict[str, Any]:
    """A page of the timeline, newest first, and where the next one begins in each stream."""
    heads = log.heads(work.session, streams)
    entries: list[Entry] = []
    for stream in streams:
        end = before[stream.partition(":")[0]] or heads[stream] + 1
        entries += log.before(work.session, stream, end, TIMELINE)
    entries.sort(key=lambda entry: (entry.at, entry.stream, entry.seq), reverse=True)
    shown, rest = entries[:TIMELINE], entries[TIMELINE:]
    following = {}
    if rest or any(entry.seq > 1 for entry in shown[-1:]):
        for stream in streams:
            name = stream.partition(":")[0]
            kept = [entry.seq for entry in shown if entry.stream == stream]
            following[name] = min(kept, default=before[name] or heads[stream] + 1)
    names = people.faces(work.session, people_in(shown))
    said = notes(work.session, shown)
    return {
        "lines": [
            (entry, headline(entry, names), said.get((entry.stream, entry.seq), "")) for entry in shown
        ],
        "older": urlencode(following),
    }


def chain(work: Work, ticket: Ticket) -> list[dict[str, Any]]:
    """Every owner there was, by name."""
    links = queries.chain(work.session, ticket.id)
    names = people.faces(work.session, {f"person:{link.owner_id}" for link in links})
    return [
        {"name": names[f"person:{link.owner_id}"].name, "how": link.how, "reason": link.reason, "at": link.at}
        for link in links
    ]
