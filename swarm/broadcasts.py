"""What each event redraws on the pages that watch its stream.

A row per event: the CSS classes of the pieces that load themselves anew, with `{ticket}` and `{team}` filled
in. Lines of a lane are drawn here, once for everybody of an audience and language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from swarm.customers import events as customer
from swarm.events import NOBODY, Event
from swarm.lanes.programs import Data, events
from swarm.lanes.queries import lines
from swarm.lanes.stencils import Stencils
from swarm.lanes.views import Audience, Line
from swarm.live.ports import Drawn, Op
from swarm.modes import mode_of
from swarm.modes.events import PolicyAnnounced, PolicyChanged
from swarm.modes.policy import policy_name
from swarm.people.events import AvailabilitySet, DutyLeadNamed, RightsChanged, TeamChanged
from swarm.people.models import Person, Team
from swarm.people.queries import faces
from swarm.rooms import events as room
from swarm.rooms.models import Ask, Invitation
from swarm.rooms.queries import asks
from swarm.routing import events as routing
from swarm.store import Entry, Store, Work
from swarm.text.language import use
from swarm.text.markdown import only_words, to_html
from swarm.text.times import for_everybody
from swarm.tickets import events as ticket
from swarm.tickets.models import Ownership, Ticket
from swarm.tickets.turns import Fresh
from swarm.web.render import Render

LISTS = (".live-rail", ".live-list")
HEAD, SIDE = ".head-{ticket}", ".side-{ticket}"
FEET = (".foot-lane-{ticket}", ".foot-room-{ticket}")
OWNER = (HEAD, SIDE, *FEET)
CASE = ".case-{ticket}"
CUSTOMER = ".customer-{customer}"

REFRESH: Mapping[type[Event], tuple[str, ...]] = {
    # the customer lane
    ticket.OwnerShown: (CASE,),
    ticket.TicketWaiting: (HEAD, CASE),
    ticket.TicketHeld: (HEAD, CASE),
    ticket.TicketResumed: (HEAD, CASE),
    ticket.TicketResolved: (*OWNER, CASE),
    ticket.TicketReopened: (*OWNER, CASE),
    ticket.TicketClosed: (*OWNER, CASE),
    ticket.LettersStopped: (CASE,),
    ticket.LettersWanted: (CASE,),
    # the room
    ticket.TicketTaken: OWNER,
    ticket.TicketTakenOver: OWNER,
    ticket.TicketHandedOver: OWNER,
    ticket.TicketReturned: OWNER,
    ticket.TicketFellToDutyLead: OWNER,
    ticket.ModeMoved: OWNER,
    ticket.DetailsChanged: (SIDE, HEAD),
    routing.TicketEscalated: OWNER,
    routing.EscalationEnded: OWNER,
    room.HelpAsked: (HEAD, SIDE),
    room.AskAccepted: (HEAD, SIDE, FEET[1]),
    room.HandRaised: (HEAD, SIDE, FEET[1]),
    room.RoomLeft: (HEAD, SIDE, FEET[1]),
    room.ExpertDismissed: (HEAD, SIDE, FEET[1]),
    room.GuestInvited: (SIDE,),
    room.GuestJoined: (HEAD, SIDE),
    room.GuestLeft: (HEAD, SIDE),
    room.GuestWithdrawn: (HEAD, SIDE),
    room.GuestEnded: (HEAD, SIDE),
    room.AskDeclined: (SIDE,),
    room.AskExpired: (SIDE,),
    room.AskClosed: (HEAD, SIDE),
    customer.TicketCustomerMerged: (SIDE, HEAD),
    # a customer's record
    customer.CustomerChanged: (CUSTOMER,),
    customer.CustomersMerged: (CUSTOMER,),
    customer.CustomerMergedAway: (CUSTOMER,),
    customer.CustomerTouched: (CUSTOMER,),
    # a person
    ticket.TicketBecameYours: LISTS,
    ticket.TicketLeftYou: LISTS,
    ticket.CustomerWrote: LISTS,
    ticket.TicketMoved: LISTS,
    room.AskReached: LISTS,
    room.AskSettled: LISTS,
    AvailabilitySet: (".live-rail",),
    RightsChanged: (*LISTS, ".live-head"),
    # a team
    ticket.TicketQueued: (*LISTS, ".team-{team}"),
    ticket.TicketLeftQueue: (*LISTS, ".team-{team}"),
    room.AskOpened: LISTS,
    room.AskOver: LISTS,
    PolicyAnnounced: (".team-{team}",),
    PolicyChanged: (".team-{team}", ".live-list"),
    DutyLeadNamed: (".team-{team}",),
    TeamChanged: (".team-{team}", ".live-list"),
}

REDRAWS_ASK = (
    room.AskAccepted,
    room.AskDeclined,
    room.AskExpired,
    room.PersonInvited,
    room.AskClosed,
    room.InvitationWithdrawn,
)
"""The card of the ask stands in the lane already and is drawn anew where it stands."""


class Broadcasts:
    """Draws entries of the log as operations on pages."""

    def __init__(self, store: Store, render: Render) -> None:
        self._store = store
        self._render = render
        self._stencils: Mapping[str, Stencils] = {
            "staff": Stencils(lambda line: self._line(line, "staff")),
            "guest": Stencils(lambda line: self._line(line, "guest")),
        }

    def __call__(self, entries: Sequence[Entry], audience: str, language: str) -> Sequence[Drawn]:
        """One list of operations per entry; none where this audience learns the number only."""
        seen_by: Audience = (
            "customer" if audience == "customer" else "guest" if audience == "guest" else "staff"
        )
        if (known := self._known(entries, audience, language, to_html)) is not None:
            return known

        def draw(work: Work) -> list[Drawn]:
            with use(language), for_everybody():
                return self._draw(work.session, entries, seen_by)

        return self._store.read_now(NOBODY, draw)

    def describe(self, entries: Sequence[Entry], audience: str, language: str) -> Sequence[Data | None]:
        """The same events for programs; a guest is a person with a browser."""
        if audience == "guest":
            return [None for _entry in entries]
        seen_by: Audience = "customer" if audience == "customer" else "staff"

        def look(work: Work) -> list[Data | None]:
            with use(language):
                return [told.data for told in events(work.session, entries, seen_by)]

        return self._store.read_now(NOBODY, look)

    def at_once(self, entries: Sequence[Entry], audience: str, language: str) -> Sequence[Drawn] | None:
        """The same in microseconds, where nothing needs to be asked or rendered for it; else none."""
        return self._known(entries, audience, language, only_words)

    def _known(
        self, entries: Sequence[Entry], audience: str, language: str, html: Callable[[str], Markup | None]
    ) -> list[Drawn] | None:
        """Messages this process has just written; none where one of them is anything else."""
        if audience == "customer":
            return None
        drawn: list[Drawn] = []
        with use(language), for_everybody():
            for entry in entries:
                fresh = entry.fresh
                if not isinstance(fresh, Fresh) or (body := html(fresh.body)) is None:
                    return None
                line = self._stencils[audience].line(entry, fresh, body)
                drawn.append([("append", _log_of(entry.stream), line)])
        return drawn

    def _draw(self, session: Session, entries: Sequence[Entry], audience: Audience) -> list[Drawn]:
        in_lanes = [entry for entry in entries if entry.stream.startswith(("lane:", "room:"))]
        drawn = dict(
            zip(
                ((entry.stream, entry.seq) for entry in in_lanes),
                lines(session, in_lanes, audience),
                strict=True,
            )
        )
        return [
            self._ops(session, entry, drawn.get((entry.stream, entry.seq)), audience) for entry in entries
        ]

    def _ops(self, session: Session, entry: Entry, line: Line | None, audience: Audience) -> Drawn:
        fact = entry.event
        if audience == "customer" and fact.audience != "customer":
            return None
        ops: list[Op] = []
        if line is not None:
            ops.append(self._appended(line, audience))
        if isinstance(fact, REDRAWS_ASK):
            ops += self._ask_card(session, fact.ask_id, entry.stream, audience)
        if isinstance(fact, ticket.AnswerMarked):
            ops += self._messages(session, entry, audience, fact.before_id, fact.message_id)
        if isinstance(fact, ticket.AnswerUnmarked):
            ops += self._messages(session, entry, audience, fact.before_id)
        if audience == "guest":
            return ops + _refreshed_for_guest(entry, fact)
        if isinstance(fact, room.AskReached) and _waits(session, fact.invitation_id):
            ops.append(("toast", self._reached(session, fact)))
        if isinstance(fact, ticket.TicketBecameYours) and entry.actor not in ("system", entry.stream):
            ops.append(("toast", self._became_yours(session, fact, entry)))
        if isinstance(fact, PolicyAnnounced):
            ops.append(("toast", self._switched(session, fact, entry)))
        if isinstance(fact, ticket.ModeMoved):
            ops += self._room_names(fact)
        return ops + _refreshed(entry, fact)

    def _ask_card(self, session: Session, ask_id: int, stream: str, audience: Audience) -> list[Op]:
        asked = asks(session, [ask_id]).get(ask_id)
        if asked is None:
            return []
        line = Line(stream=stream, seq=0, at=asked.ask.at, ask=asked)
        html = self._line(line, audience)
        return [("replace", f"#{line.dom_id}", html)]

    def _messages(self, session: Session, entry: Entry, audience: Audience, *ids: int | None) -> list[Op]:
        """Messages of the room whose mark as the answer changed."""
        number = entry.data["ticket_id"]
        posted = [
            Entry(
                entry.stream,
                0,
                "room.message_posted",
                entry.at,
                entry.actor,
                {"ticket_id": number, "message_id": id_},
            )
            for id_ in ids
            if id_ is not None
        ]
        return [
            (
                "replace",
                f"#{line.dom_id}",
                self._line(line, audience),
            )
            for one in posted
            for line in lines(session, [one], audience)
            if line is not None
        ]

    def _room_names(self, fact: ticket.ModeMoved) -> list[Op]:
        """The lane is called otherwise in the other mode."""
        return [
            (
                "replace",
                f"#room-name-{place}-{fact.ticket_id}",
                self._html(
                    "desk/_room_name.html",
                    {"place": place, "number": fact.ticket_id, "name": mode_of(fact.mode).room_name},
                ),
            )
            for place in ("tab", "lane")
        ]

    def _appended(self, line: Line, audience: Audience) -> Op:
        return ("append", _log_of(line.stream), self._line(line, audience))

    def _line(self, line: Line, audience: Audience) -> str:
        return str(self._render.macro("lanes/line.html", "line")(line, audience)).strip()

    def _html(self, template: str, context: Mapping[str, Any]) -> str:
        return str(self._render.piece(template, context))

    def _reached(self, session: Session, fact: room.AskReached) -> str:
        asked, subject, who = session.execute(
            select(Ask, Ticket.subject, Person.name)
            .join(Ticket, Ticket.id == Ask.ticket_id)
            .join(Person, Person.id == Ask.asked_by)
            .where(Ask.id == fact.ask_id)
        ).one()
        return self._html(
            "desk/_asked_toast.html",
            {
                "ask": asked,
                "subject": subject,
                "who": who,
                "invitation": fact.invitation_id,
                "one": next(
                    one
                    for one in asks(session, [fact.ask_id])[fact.ask_id].invited
                    if one.invitation.id == fact.invitation_id
                ),
            },
        )

    def _became_yours(self, session: Session, fact: ticket.TicketBecameYours, entry: Entry) -> str:
        subject, owner = session.execute(
            select(Ticket.subject, Ticket.owner_id).where(Ticket.id == fact.ticket_id)
        ).one()
        reason = session.scalar(
            select(Ownership.reason)
            .where(Ownership.ticket_id == fact.ticket_id, Ownership.owner_id == owner)
            .order_by(Ownership.position.desc())
            .limit(1)
        )
        who = faces(session, [entry.actor]).get(entry.actor)
        context = {"subject": subject, "number": fact.ticket_id, "reason": reason or "", "who": who}
        return self._html("desk/_yours_toast.html", context)

    def _switched(self, session: Session, fact: PolicyAnnounced, entry: Entry) -> str:
        team = session.scalars(select(Team.name).where(Team.id == fact.team_id)).one()
        who = faces(session, [entry.actor]).get(entry.actor)
        return self._html(
            "desk/_switched_toast.html",
            {
                "team": team,
                "policy": policy_name(fact.policy, fact.share),
                "who": who.name if who else "",
            },
        )


def _log_of(stream: str) -> str:
    return f"#log-{stream.replace(':', '-')}"


def _refreshed(entry: Entry, fact: Event) -> list[Op]:
    number = entry.stream.partition(":")[2]
    names = {
        "ticket": number,
        "team": getattr(fact, "team_id", number),
        "customer": getattr(fact, "customer_id", number),
    }
    return [("refresh", name.format(**names)) for name in REFRESH.get(type(fact), ())]


def _refreshed_for_guest(entry: Entry, fact: Event) -> list[Op]:
    """Their page has one piece that changes with the ticket."""
    return [("refresh", f".guest-{entry.stream.partition(':')[2]}")] if type(fact) in REFRESH else []


def _waits(session: Session, invitation_id: int) -> bool:
    return session.scalar(select(Invitation.state).where(Invitation.id == invitation_id)) == "pending"
