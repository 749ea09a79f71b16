"""Reads of the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from swarm.audit.models import Audited

PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for; everything that is empty fits all."""

    person_id: int | None = None
    """Who did it, or whom it was done to."""
    ticket_id: int | None = None
    kinds: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    """Before this moment."""


def page(session: Session, search: Search, before: int | None = None) -> Sequence[Audited]:
    """Up to a page and one more, newest first, older than the line `before`."""
    query = select(Audited).order_by(Audited.id.desc()).limit(PAGE + 1)
    if before is not None:
        query = query.where(Audited.id < before)
    if search.person_id is not None:
        key = f"person:{search.person_id}"
        query = query.where(or_(Audited.actor == key, Audited.about == key))
    if search.ticket_id is not None:
        query = query.where(Audited.about == f"ticket:{search.ticket_id}")
    if search.kinds:
        query = query.where(Audited.kind.in_(search.kinds))
    if search.since is not None:
        query = query.where(Audited.at >= search.since)
    if search.until is not None:
        query = query.where(Audited.at < search.until)
    return session.scalars(query).all()
