"""Letters to customers about their case: what sets one off, and what it says.

Nothing of the room is ever read here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from swarm.accounts.actions import make_link
from swarm.outbound import queue
from swarm.outbound.letters import Letter, Said
from swarm.people.models import Customer
from swarm.people.queries import faces
from swarm.settings import Settings
from swarm.store import Work, log
from swarm.text.language import _, use
from swarm.tickets.events import LaneMessagePosted, TicketOpened, TicketReopened, TicketResolved
from swarm.tickets.following import following
from swarm.tickets.models import Ticket
from swarm.tickets.queries import ACTIVE, messages

OPENED, NEWS = "case_opened", "case_news"
MOST_WELCOMES = 5
"""Letters an hour to one address that a case arrived: anybody can type anybody's address."""


@dataclass(frozen=True, slots=True)
class CaseNews:
    """Puts a letter to the customer into the outbox, in the transaction of what it tells of."""

    settings: Settings

    def opened(self, work: Work, event: TicketOpened) -> None:
        """The case arrived; history that is imported did so long ago."""
        ticket = work.session.get_one(Ticket, event.ticket_id)
        if not ticket.imported and self._reaches(work, ticket):
            queue.put(work, OPENED, _about(ticket.id), **self._start(ticket))

    def answered(self, work: Work, event: LaneMessagePosted) -> None:
        """Staff answered."""
        if event.by_staff:
            self._tell(work, event.ticket_id, message=event.message_id)

    def resolved(self, work: Work, event: TicketResolved) -> None:
        """The owner holds it for solved."""
        self._tell(work, event.ticket_id, status="resolved")

    def reopened(self, work: Work, event: TicketReopened) -> None:
        """It was not solved; whoever opened it again by writing knows that."""
        if work.actor.is_staff:
            self._tell(work, event.ticket_id, status="open")

    def _tell(self, work: Work, ticket_id: int, *, message: int | None = None, status: str = "") -> None:
        ticket = work.session.get_one(Ticket, ticket_id)
        if not self._reaches(work, ticket):
            return

        def more(data: dict[str, Any]) -> dict[str, Any]:
            ids = [*data.get("messages", ()), *([] if message is None else [message])]
            news = {"messages": ids, "status": status or data.get("status", "")}
            return {**self._start(ticket), **data, **news}

        queue.gather(work, NEWS, _about(ticket_id), more, self.settings.mail.gather_seconds)

    def _reaches(self, work: Work, ticket: Ticket) -> bool:
        customer = _customer(work, ticket)
        return bool(customer and customer.email) and following(work.session, ticket.id).letters

    def _start(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "ticket_id": ticket.id,
            "number": f"{self.settings.tickets.prefix}-{ticket.id}",
            "link_days": self.settings.links.days,
            "reopen_days": self.settings.tickets.reopen_days,
        }


def case_opened(work: Work, data: Mapping[str, Any]) -> Letter | None:
    """That the case arrived, with a link to it."""
    if (found := _whose(work, data)) is None:
        return None
    ticket, customer = found
    with use(ticket.language):
        if ticket.channel != "page":
            first = _("Hello %(name)s, we opened a case for you.", name=customer.name)
            return _letter(work, ticket, customer, data, ticket.subject, [first])
        # Whoever typed this address need not be who reads it: none of their words go there.
        if _just_opened(work, customer) > MOST_WELCOMES:
            return None
        subject, first = _("We received your request"), _("Hello, your request is with us.")
        last = _("If you did not write to us, somebody typed your address by mistake: do nothing.")
        return _letter(work, ticket, customer, data, subject, [first], last=last, named=False)


def case_news(work: Work, data: Mapping[str, Any]) -> Letter | None:
    """What the customer has not read on the page by now; none where that is nothing."""
    if (found := _whose(work, data)) is None:
        return None
    ticket, customer = found
    follows = following(work.session, ticket.id)
    with use(ticket.language):
        lane = f"lane:{ticket.id}"
        texts = messages(work.session, data["messages"])
        news = [one for _id, one in sorted(texts.items()) if one.seq > follows.read_seq]
        names = faces(work.session, {one.author for one in news})
        said = [Said(who=names[one.author].name, body=one.body) for one in news if one.author in names]
        seen_all = follows.read_seq >= log.heads(work.session, [lane])[lane]
        notices = [] if seen_all else _notices(ticket, data)
        if not said and not notices:
            return None
        first = [_("Hello %(name)s, there is news about your case.", name=customer.name)]
        return _letter(work, ticket, customer, data, ticket.subject, [*first, *notices], said)


def _notices(ticket: Ticket, data: Mapping[str, Any]) -> list[str]:
    match data.get("status"):
        case "resolved" if ticket.status == "resolved":
            return [
                _(
                    "We hold it for resolved. If it is not, write to us within %(days)s days, "
                    "and it is open again.",
                    days=data["reopen_days"],
                )
            ]
        case "open" if ticket.status in ACTIVE:
            return [_("It was not solved after all: it is open again, and we go on with it.")]
    return []


def _letter(
    work: Work,
    ticket: Ticket,
    customer: Customer,
    data: Mapping[str, Any],
    subject: str,
    paragraphs: Sequence[str],
    said: Sequence[Said] = (),
    *,
    last: str = "",
    named: bool = True,
) -> Letter:
    secret = make_link(work, ticket.id, customer.id, int(data["link_days"]), beside=True)
    answer = _("Please answer on that page, where you can also turn these letters off: replies reach nobody.")
    lasts = _(
        "The link works once, within %(days)s days; afterwards that browser keeps the page.",
        days=data["link_days"],
    )
    assert customer.email
    return Letter(
        to=customer.email,
        name=customer.name if named else "",
        language=ticket.language,
        subject=f"[{data['number']}] {subject}",
        paragraphs=tuple(paragraphs),
        said=tuple(said),
        label=_("See your case"),
        path=f"/link/{secret}",
        closing=tuple(text for text in (answer, lasts, last) if text),
        thread=f"case-{ticket.id}-{int(ticket.opened_at.timestamp())}",
    )


def _just_opened(work: Work, customer: Customer) -> int:
    hour = work.now - timedelta(hours=1)
    opened = (
        select(func.count())
        .select_from(Ticket)
        .join(Customer, Customer.id == Ticket.customer_id)
        .where(Customer.email == customer.email, Ticket.channel == "page", Ticket.opened_at > hour)
    )
    return work.session.scalar(opened) or 0


def _whose(work: Work, data: Mapping[str, Any]) -> tuple[Ticket, Customer] | None:
    """The case and whom to write to, unless they do not want it or cannot be reached any more."""
    ticket = work.session.get(Ticket, int(data["ticket_id"]))
    customer = None if ticket is None else _customer(work, ticket)
    if ticket is None or customer is None or not customer.email:
        return None
    return (ticket, customer) if following(work.session, ticket.id).letters else None


def _customer(work: Work, ticket: Ticket) -> Customer | None:
    return None if ticket.customer_id is None else work.session.get(Customer, ticket.customer_id)


def _about(ticket_id: int) -> str:
    return f"ticket:{ticket_id}"
