"""The proof of ownership: every ticket's chain, link by link."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from swarm.people.models import Person
from swarm.text.language import _
from swarm.tickets.models import Ownership, Ticket

TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Checked:
    """A ticket whose chain was walked; `problem` is empty where it holds."""

    ticket_id: int
    problem: str


class Link(NamedTuple):
    """What the proof needs of a link."""

    position: int
    owner_id: int
    from_id: int | None


def walk(session: Session) -> Iterator[Checked]:
    """Every ticket there is, some hundred held at a time."""
    after = 0
    while True:
        rows = session.execute(
            select(Ticket.id, Ticket.owner_id, Ticket.owner_version, Ticket.status, Person.active)
            .join(Person, Person.id == Ticket.owner_id, isouter=True)
            .where(Ticket.id > after)
            .order_by(Ticket.id)
            .limit(TOGETHER)
        ).all()
        if not rows:
            return
        chains: dict[int, list[Link]] = {row[0]: [] for row in rows}
        # Columns, not rows of the session: hundreds of thousands of objects would cost more than the walk.
        links = (
            select(Ownership.ticket_id, Ownership.position, Ownership.owner_id, Ownership.from_id)
            .where(Ownership.ticket_id.in_(chains))
            .order_by(Ownership.position)
        )
        for ticket_id, position, owner_id, from_id in session.execute(links):
            chains[ticket_id].append(Link(position, owner_id, from_id))
        for id_, owner, version, status, active in rows:
            yield Checked(id_, _broken(chains[id_]) or _unlike(chains[id_], owner, version, status, active))
        after = rows[-1][0]


def _broken(chain: Sequence[Link]) -> str:
    if not chain:
        return _("it has no chain of owners")
    for place, link in enumerate(chain, start=1):
        if link.position != place:
            return _("link %(place)s of its chain is missing", place=place)
        if link.from_id != (None if place == 1 else chain[place - 2].owner_id):
            return _("link %(place)s of its chain does not follow from the one before", place=place)
    return ""


def _unlike(chain: Sequence[Link], owner: int, version: int, status: str, active: bool | None) -> str:
    if chain[-1].owner_id != owner:
        return _("its owner is not the last of its chain")
    if version != len(chain):
        return _(
            "its owner changed %(times)s times, its chain says %(links)s",
            times=version - 1,
            links=len(chain) - 1,
        )
    if not active and status != "closed":
        return _("its owner no longer works here")
    return ""
