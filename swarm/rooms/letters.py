"""Letters to colleagues about what waits for them while they are not here: what sets one off, what it says.

Of rooms they name the ticket and who asks, never what was said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from swarm.outbound import queue
from swarm.outbound.letters import Letter
from swarm.people.models import Person, Seen
from swarm.rooms.events import AskReached
from swarm.rooms.models import Ask, Invitation
from swarm.settings import Settings
from swarm.store import Work, log
from swarm.text.language import _, use
from swarm.tickets.events import CustomerWrote, TicketBecameYours
from swarm.tickets.models import Read, Ticket

KIND = "staff_news"
LEAST = 30.0
"""Seconds a letter waits at least: so long it may take until it is noted that somebody is here."""


@dataclass(frozen=True, slots=True)
class StaffNews:
    """Puts a letter to a colleague into the outbox, in the transaction of what it tells of."""

    settings: Settings

    def asked(self, work: Work, event: AskReached) -> None:
        """An ask reached them."""
        invitation = work.session.get_one(Invitation, event.invitation_id)
        self._tell(work, invitation.person_id, "asks", event.invitation_id)

    def given(self, work: Work, event: TicketBecameYours) -> None:
        """A ticket became theirs, by somebody else's doing."""
        owner = work.session.get_one(Ticket, event.ticket_id).owner_id
        if work.actor.person_id != owner:
            self._tell(work, owner, "given", event.ticket_id)

    def answered(self, work: Work, event: CustomerWrote) -> None:
        """The customer wrote on a ticket of theirs."""
        self._tell(work, work.session.get_one(Ticket, event.ticket_id).owner_id, "answers", event.ticket_id)

    def _tell(self, work: Work, person_id: int, what: str, id_: int) -> None:
        person = work.session.get_one(Person, person_id)
        if what not in person.letters:
            return

        def more(data: dict[str, Any]) -> dict[str, Any]:
            start = {"person_id": person_id, "prefix": self.settings.tickets.prefix}
            known = data.get(what, [])
            ids = known if id_ in known else [*known, id_]
            return {**start, **data, what: ids, "at": work.now.isoformat()}

        queue.gather(work, KIND, f"news:{person_id}", more, max(LEAST, self.settings.mail.gather_seconds))


def staff_news(work: Work, data: Mapping[str, Any]) -> Letter | None:
    """What still waits for them; none where they have been here since."""
    person = work.session.get(Person, int(data["person_id"]))
    seen = None if person is None else work.session.get(Seen, person.id)
    if person is None or not person.active:
        return None
    if seen is not None and seen.at >= datetime.fromisoformat(data["at"]):
        return None
    with use(person.language):
        asks = _asks(work, person, data.get("asks", ()), data["prefix"])
        given = _given(work, person, data.get("given", ()), data["prefix"])
        answers = _answers(work, person, data.get("answers", ()), data["prefix"])
        news = [*asks, *given, *answers]
        if not news:
            return None
        tickets = {ticket for ticket, _sentence in news}
        path = f"/tickets/{tickets.pop()}" if len(tickets) == 1 else "/asked" if asks else "/mine"
        return Letter(
            to=person.email,
            name=person.name,
            language=person.language,
            subject=news[0][1] if len(news) == 1 else _("News for you"),
            paragraphs=tuple(sentence for _ticket, sentence in news),
            label=_("See it"),
            path=path,
            closing=(
                _("You get this because you were not here. Your profile says what you get letters about."),
            ),
        )


_News = list[tuple[int, str]]
"""A ticket, and the sentence about it."""


def _asks(work: Work, person: Person, ids: Sequence[int], prefix: str) -> _News:
    rows = work.session.execute(
        select(Ticket, Person.name)
        .join(Invitation, Invitation.ticket_id == Ticket.id)
        .join(Ask, Ask.id == Invitation.ask_id)
        .join(Person, Person.id == Ask.asked_by)
        .where(Invitation.id.in_(ids), Invitation.state == "pending", Invitation.person_id == person.id)
        .order_by(Invitation.id)
    )
    return [
        (ticket.id, _("%(who)s asks for your help: %(what)s", who=who, what=_named(ticket, prefix)))
        for ticket, who in rows
    ]


def _given(work: Work, person: Person, ids: Sequence[int], prefix: str) -> _News:
    return [
        (ticket.id, _("This is yours now: %(what)s", what=_named(ticket, prefix)))
        for ticket in _owned(work, person, ids)
    ]


def _answers(work: Work, person: Person, ids: Sequence[int], prefix: str) -> _News:
    lanes = [f"lane:{id_}" for id_ in ids]
    query = select(Read.stream, Read.seq).where(Read.person_id == person.id, Read.stream.in_(lanes))
    read = dict(work.session.execute(query).all())
    heads = log.heads(work.session, lanes)
    return [
        (ticket.id, _("The customer answered: %(what)s", what=_named(ticket, prefix)))
        for ticket in _owned(work, person, ids)
        if read.get(f"lane:{ticket.id}", 0) < heads[f"lane:{ticket.id}"]
    ]


def _owned(work: Work, person: Person, ids: Sequence[int]) -> Sequence[Ticket]:
    query = select(Ticket).where(Ticket.id.in_(ids), Ticket.owner_id == person.id)
    return work.session.scalars(query.order_by(Ticket.id)).all()


def _named(ticket: Ticket, prefix: str) -> str:
    return f"{prefix}-{ticket.id} {ticket.subject}"
