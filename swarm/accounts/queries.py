"""Who holds a cookie, and whether they still do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from swarm.accounts.actions import key_of
from swarm.accounts.models import SessionCase, SessionRow
from swarm.events import NOBODY, Actor
from swarm.people.models import Customer, Person
from swarm.people.queries import actor_of

SEEN_EVERY = timedelta(minutes=5)
STAMPS_AT_ONCE = 5000
"""SQLite takes at most 32,766 values in one statement."""


def actor_by_cookie(session: Session, secret: str | None, now: datetime) -> Actor:
    """Whoever holds the cookie; `NOBODY` for none, an ended or an expired one."""
    return actor_by_session(session, key_of(secret), now) if secret else NOBODY


def actor_by_session(session: Session, key: str, now: datetime) -> Actor:
    """Whoever holds the session with this key; `NOBODY` where it is over."""
    row = session.get(SessionRow, key)
    if row is None or row.ended_at is not None or row.expires_at <= now:
        return NOBODY
    if row.idle_at is not None and row.idle_at <= now:
        return NOBODY
    if row.person_id is not None:
        person = session.get(Person, row.person_id)
        return actor_of(session, person, session_key=row.key) if person and person.active else NOBODY
    customer = session.get(Customer, row.customer_id)
    if customer is None:
        return NOBODY
    cases = session.scalars(select(SessionCase.ticket_id).where(SessionCase.session_key == row.key))
    return Actor(
        key=f"customer:{customer.id}",
        name=customer.name,
        language=customer.language,
        session=row.key,
        stamp=row.stamp,
        customer_id=customer.id,
        cases=frozenset(cases),
    )


def seen_long_ago(session: Session, key: str, now: datetime) -> bool:
    """Whether it is time to note that the session is in use."""
    row = session.get(SessionRow, key)
    return row is not None and now - row.seen_at > SEEN_EVERY


def stamps(session: Session, keys: Collection[str], now: datetime) -> Mapping[str, int]:
    """For each session that still holds, a number that moves whenever its rights do."""
    held: dict[str, int] = {}
    for some in _batches(sorted(keys)):
        held |= _stamps(session, some, now)
    return held


def _stamps(session: Session, keys: Collection[str], now: datetime) -> dict[str, int]:
    rows = session.execute(
        select(SessionRow.key, SessionRow.stamp, Person.stamp)
        .join(Person, Person.id == SessionRow.person_id, isouter=True)
        .where(
            SessionRow.key.in_(keys),
            SessionRow.ended_at.is_(None),
            SessionRow.expires_at > now,
            (SessionRow.idle_at.is_(None)) | (SessionRow.idle_at > now),
            (SessionRow.person_id.is_(None)) | Person.active,
        )
    )
    return {key: own if of_person is None else of_person for key, own, of_person in rows}


def sessions_of(session: Session, person_id: int, now: datetime) -> Sequence[SessionRow]:
    """Sessions of a colleague that hold, last used first."""
    return session.scalars(
        select(SessionRow)
        .where(
            SessionRow.person_id == person_id,
            SessionRow.ended_at.is_(None),
            SessionRow.expires_at > now,
            (SessionRow.idle_at.is_(None)) | (SessionRow.idle_at > now),
        )
        .order_by(SessionRow.seen_at.desc(), SessionRow.key)
    ).all()


def person_by_email(session: Session, email: str) -> Person | None:
    """An active colleague by address."""
    return session.scalars(select(Person).where(Person.email == email.lower(), Person.active)).one_or_none()


def anybody(session: Session) -> bool:
    """Whether anybody has an account; without, the first one is set up."""
    return bool(session.scalar(select(func.count()).select_from(select(Person.id).limit(1).subquery())))


def _batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), STAMPS_AT_ONCE):
        yield keys[start : start + STAMPS_AT_ONCE]
