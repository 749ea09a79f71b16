"""Tickets: lists, one, opened, written in, moved on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from swarm.api.doors import Call, Door, Nothing
from swarm.api.files import Token
from swarm.api.views import ModeName, Priority, Ticket, Tickets, View, ticket_of, tickets_of
from swarm.events.refusals import ensure
from swarm.lanes.programs import Event, events
from swarm.modes import mode_of
from swarm.store import Work, log
from swarm.store.paging import BadCursor
from swarm.text.language import _
from swarm.tickets import actions, for_customers, queries
from swarm.tickets.lists import Filters, page_of
from swarm.tickets.opening import MOST_TAGS, PRIORITIES
from swarm.tickets.posting import MOST_LETTERS
from swarm.tickets.posting import post as write
from swarm.web.addresses import check_mail
from swarm.web.errors import Invalid
from swarm.web.forms import Form, Many, ManyLines, Number, OneLine

Id = Annotated[int, Number(1)]
Lane = Literal["lane", "room"]
ClientId = Annotated[str, OneLine(64, min=8)]
Tags = Annotated[tuple[Annotated[str, OneLine(40)], ...], Many(MOST_TAGS)]
LanguageOf = Literal["en", "fr", "nl", "pt", "es", "de"]


class TicketsWanted(Form):
    """Which list, what it is narrowed to, and where the page begins."""

    list: Literal["all", "mine", "rooms", "queue"] = "all"
    status: Literal["active", "open", "waiting", "on_hold", "resolved", "closed"] | None = None
    team: Id | None = None
    mode: ModeName | None = None
    priority: Priority | None = None
    language: Annotated[str, OneLine(20, min=0)] = ""
    tag: Annotated[str, OneLine(60, min=0)] = ""
    owner: Id | None = None
    cursor: Annotated[str, OneLine(400, min=0)] = ""
    limit: Annotated[int, Number(1, 100)] = 50


class Opened(Form):
    """A case, and the customer whose it is. `client_id` is yours: the same one opens no second ticket."""

    team: Id
    name: Annotated[str, OneLine(120)]
    subject: Annotated[str, OneLine(200)]
    body: Annotated[str, ManyLines(MOST_LETTERS)]
    client_id: ClientId
    email: Annotated[str, OneLine(254, min=0)] = ""
    company: Annotated[str, OneLine(120, min=0)] = ""
    language: LanguageOf = "en"
    priority: Priority = "normal"
    category: Annotated[str, OneLine(60, min=0)] = ""
    tags: Tags = ()

    def __post_init__(self) -> None:
        if self.email:
            check_mail(self.email)


class Details(Form):
    """What sorts a ticket, all of it."""

    priority: Priority
    category: Annotated[str, OneLine(60, min=0)]
    language: Annotated[str, OneLine(8, min=2)]
    tags: Tags


class Written(Form):
    """A message. `client_id` is yours: the same one is stored once. `wait`: for the customer's answer."""

    body: Annotated[str, ManyLines(MOST_LETTERS)]
    client_id: ClientId
    wait: bool = False
    files: Annotated[tuple[Token, ...], Many(50)] = ()
    """Tokens of files that were sent ahead, in order."""


class Marked(Form):
    """Which message of the room is the answer; none takes the mark back."""

    message: Id | None


class Paced(Form):
    """Go on, wait for the customer, or rest."""

    pace: Literal["open", "waiting", "on_hold"]


class Since(Form):
    """The number you have, and how many you take at a time."""

    after: Annotated[int, Number(0)] = 0
    limit: Annotated[int, Number(1, 500)] = 100


class Message(View):
    """What was written, with its number in the lane."""

    id: int
    lane: Lane
    n: int
    """The number of its event."""
    client_id: str
    body: str


class Events(View):
    """What a lane says after a number, in order and without gaps."""

    items: list[Event]
    head: int
    """The lane's last number now: with an item of it you have everything."""
    epoch: str
    """Which life of the database this is; after a restored backup another: begin anew."""


def list_tickets(work: Work, call: Call[TicketsWanted]) -> Tickets:
    """A page of a list: all you may see, yours, rooms you are in, or the queue of your tiers."""
    sent = call.form
    filters = Filters(
        status=sent.status or "",
        team=sent.team,
        mode=sent.mode or "",
        priority=None if sent.priority is None else PRIORITIES.index(sent.priority),
        language=sent.language,
        tag=sent.tag.lower(),
        owner=sent.owner,
    )
    try:
        page = page_of(work.session, work.actor, sent.list, filters, sent.cursor or None, sent.limit)
    except BadCursor:
        raise Invalid({"cursor": _("This was not made by us. Begin with the first page.")}) from None
    return Tickets(items=tickets_of(work, [line.ticket for line in page.rows]), next=page.next)


def open_ticket(work: Work, call: Call[Opened]) -> Ticket:
    """Open a ticket for a customer, once: sent again with the same client_id it answers the same ticket."""
    sent = call.form
    described = for_customers.Described(
        team_id=sent.team,
        name=sent.name,
        email=sent.email,
        company=sent.company,
        language=sent.language,
        subject=sent.subject,
        body=sent.body,
        client_id=sent.client_id,
        priority=PRIORITIES.index(sent.priority),
        category=sent.category,
        tags=sent.tags,
        channel="api",
    )
    return ticket_of(work, for_customers.open_for_customer(work, described))


def show_ticket(work: Work, call: Call[Nothing]) -> Ticket:
    """One ticket that you may see; for others there is none."""
    return ticket_of(work, queries.find(work.session, work.actor, call.number))


def change_details(work: Work, call: Call[Details]) -> Ticket:
    """Set priority, category, language and tags."""
    sent = call.form
    ticket = actions.change_details(
        work,
        call.number,
        priority=PRIORITIES.index(sent.priority),
        category=sent.category,
        language=sent.language,
        tags=sent.tags,
    )
    return ticket_of(work, ticket)


def post_message(work: Work, call: Call[Written]) -> Message:
    """Write in the customer lane or in the room, once: sent again it answers the same message."""
    sent, lane = call.form, _lane(call.path["lane"])
    posted = write(
        work,
        call.number,
        lane,
        sent.body,
        sent.client_id,
        wait=sent.wait and lane == "lane",
        reopen_days=call.house.settings.tickets.reopen_days,
        files=sent.files,
    )
    return Message(id=posted.message_id, lane=lane, n=posted.seq, client_id=sent.client_id, body=sent.body)


def list_events(work: Work, call: Call[Since]) -> Events:
    """What happened in a lane after a number: messages, and everything else that is shown there."""
    lane, stream = _lane(call.path["lane"]), f"{call.path['lane']}:{call.number}"
    ticket = queries.find(work.session, work.actor, call.number)
    if lane == "room":
        case = queries.case_for(work.session, work.actor, ticket)
        ensure(mode_of(ticket.mode).may_read_room(case))
    entries: Sequence[log.Entry] = log.after(work.session, stream, call.form.after, call.form.limit)
    return Events(
        items=events(work.session, entries, "staff"),
        head=log.heads(work.session, [stream])[stream],
        epoch=log.epoch(work.session),
    )


def mark_answer(work: Work, call: Call[Marked]) -> Ticket:
    """Say which message of the room solved it."""
    if call.form.message is None:
        return ticket_of(work, actions.unmark_answer(work, call.number))
    return ticket_of(work, actions.mark_answer(work, call.number, call.form.message))


def set_pace(work: Work, call: Call[Paced]) -> Ticket:
    """Go on, wait for the customer, or put on hold."""
    return ticket_of(work, actions.set_pace(work, call.number, call.form.pace))


def resolve_ticket(work: Work, call: Call[Nothing]) -> Ticket:
    """Hold it for solved; asks and escalations end with it."""
    return ticket_of(work, actions.resolve(work, call.number))


def reopen_ticket(work: Work, call: Call[Nothing]) -> Ticket:
    """It was not solved after all."""
    return ticket_of(work, actions.reopen(work, call.number))


def _lane(name: str) -> Lane:
    return "room" if name == "room" else "lane"


_ONE = "/tickets/{number:int}"
DOORS: Sequence[Door] = (
    Door("GET", "/tickets", list_tickets),
    Door("POST", "/tickets", open_ticket, "tickets", 201),
    Door("GET", _ONE, show_ticket),
    Door("POST", f"{_ONE}/details", change_details, "tickets"),
    Door("GET", f"{_ONE}/lanes/{{lane}}/events", list_events),
    Door("POST", f"{_ONE}/lanes/{{lane}}/messages", post_message, "tickets", 201, is_post=True),
    Door("POST", f"{_ONE}/answer", mark_answer, "tickets"),
    Door("POST", f"{_ONE}/pace", set_pace, "tickets"),
    Door("POST", f"{_ONE}/resolution", resolve_ticket, "tickets"),
    Door("POST", f"{_ONE}/reopening", reopen_ticket, "tickets"),
)
