"""The customer's own way of following a case: how far they have read, and whether they want letters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from swarm.events.refusals import NotAllowed
from swarm.store import Work, log
from swarm.text.language import _
from swarm.tickets.events import LettersStopped, LettersWanted
from swarm.tickets.models import Following, Ticket
from swarm.tickets.queries import find


def following(session: Session, ticket_id: int) -> Following:
    """How the customer follows it; as everybody does at first, where nothing was said yet."""
    return session.get(Following, ticket_id) or Following(ticket_id=ticket_id, read_seq=0, letters=True)


def mark_read(work: Work, ticket_id: int, seq: int) -> None:
    """The customer has seen the lane up to here; never goes back. Raises `Unknown`, `NotAllowed`."""
    _own(work, ticket_id)
    seq = min(seq, log.heads(work.session, [f"lane:{ticket_id}"])[f"lane:{ticket_id}"])
    _put(work, ticket_id, where=Following.read_seq < seq, read_seq=seq)


def set_letters(work: Work, ticket_id: int, wanted: bool) -> None:
    """Whether the customer wants letters about it. Raises `Unknown`, `NotAllowed`."""
    ticket = _own(work, ticket_id, lock=True)
    if following(work.session, ticket_id).letters == wanted:
        return
    work.actor = replace(work.actor, key=f"customer:{ticket.customer_id}")
    _put(work, ticket_id, letters=wanted)
    what = LettersWanted if wanted else LettersStopped
    work.record(f"lane:{ticket_id}", what(ticket_id=ticket_id))


def _own(work: Work, ticket_id: int, *, lock: bool = False) -> Ticket:
    ticket = find(work.session, work.actor, ticket_id, lock=lock)
    if work.actor.customer_id is None:
        raise NotAllowed(_("Only the customer says this."))
    return ticket


def _put(work: Work, ticket_id: int, *, where: Any = None, **values: Any) -> None:
    dialect = postgresql if work.session.get_bind().dialect.name == "postgresql" else sqlite
    new = dialect.insert(Following).values(**{"read_seq": 0, "letters": True, **values}, ticket_id=ticket_id)
    work.session.execute(
        new.on_conflict_do_update(index_elements=[Following.ticket_id], set_=values, where=where)
    )
