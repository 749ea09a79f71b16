"""Who holds a cookie, and whether they still do."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from swarm.accounts.actions import key_of
from swarm.accounts.models import SessionCase, SessionRow
from swarm.events import NOBODY, Actor
from swarm.people.models import Customer, Guest, Person
from swarm.people.queries import actor_of
from swarm.store.sql import Asked, Rows, Sql, together

SEEN_EVERY = timedelta(minutes=5)


def actor_by_cookie(session: Session, secret: str | None, now: datetime) -> Actor:
    """Whoever holds the cookie; `NOBODY` for none, an ended or an expired one."""
    if not secret:
        return NOBODY
    row = session.get(SessionRow, key := key_of(secret))
    # What a token opens is narrower than what a cookie does.
    return NOBODY if row is not None and row.token_id is not None else actor_by_session(session, key, now)


def actor_by_session(session: Session, key: str, now: datetime) -> Actor:
    """Whoever holds the session with this key; `NOBODY` where it is over."""
    row = session.get(SessionRow, key)
    if row is None:
        return _guest(session, key, now)
    if row.ended_at is not None or row.expires_at <= now:
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


def _guest(session: Session, key: str, now: datetime) -> Actor:
    here = Guest.session == key, Guest.ended_at.is_(None), Guest.expires_at > now
    guest = session.scalars(select(Guest).where(*here)).one_or_none()
    return NOBODY if guest is None else guest_actor(guest)


def guest_actor(guest: Guest) -> Actor:
    """A guest's rights never change, they end: the stamp stands still."""
    return Actor(
        key=f"guest:{guest.id}",
        name=guest.name,
        language=guest.language,
        session=guest.session or "",
        stamp=1,
        guest_id=guest.id,
        guest_of=guest.ticket_id,
    )


def seen_long_ago(session: Session, key: str, now: datetime) -> bool:
    """Whether it is time to note that the session is in use."""
    row = session.get(SessionRow, key)
    return row is not None and now - row.seen_at > SEEN_EVERY


# A scalar for each key: joined, a plan made before the table was analysed reads all sessions. A guest is
# looked for only where there is no session.
_STAMP = """coalesce((
    SELECT coalesce(p.stamp, s.stamp) FROM sessions s LEFT JOIN people p ON p.id = s.person_id
    WHERE s.key = k.key AND s.ended_at IS NULL AND s.expires_at > :now
        AND (s.idle_at IS NULL OR s.idle_at > :now) AND (s.person_id IS NULL OR p.active)
    ), (SELECT 1 FROM guests g WHERE g.session = k.key AND g.ended_at IS NULL AND g.expires_at > :now))"""
_STAMPS = Sql(f"SELECT k.key, {_STAMP} FROM rows(:keys, key text) AS k")  # noqa: S608 (our own words)
_STILL = Sql(
    f"""
    SELECT 1 / (count(*) = :count)::int
    FROM rows(:keys, key text, stamp bigint) AS k WHERE {_STAMP} = k.stamp
    """  # noqa: S608 (our own words)
)


def stamps(session: Session, keys: Collection[str], now: datetime) -> Mapping[str, int]:
    """For each session that still holds, a number that moves whenever its rights do."""
    return holding(together(session.connection(), asking_stamps(keys, now))[0]) if keys else {}


def asking_stamps(keys: Collection[str], now: datetime) -> Asked:
    """The question of `stamps`, to be asked with others."""
    return _STAMPS, {"keys": [[key] for key in keys], "now": now}


def holding(rows: Rows) -> dict[str, int]:
    """What the answer says of the sessions that hold."""
    return {key: stamp for key, stamp in rows if stamp is not None}


def still(actors: Mapping[str, Actor], now: datetime) -> Asked:
    """Fails where a session no longer holds or somebody's rights moved; on PostgreSQL."""
    keys = [[key, actor.stamp] for key, actor in actors.items()]
    return _STILL, {"keys": keys, "now": now, "count": len(keys)}


class Holder(NamedTuple):
    """Who holds a session: a colleague, a customer or a guest, whose id is set."""

    key: str
    person_id: int | None
    customer_id: int | None
    name: str
    language: str
    stamp: int
    guest_id: int | None = None
    scopes: str | None = None
    """Of the token, where it is one; none for a cookie."""


_HOLDERS = Sql(
    """
    SELECT s.key, s.person_id, s.customer_id, coalesce(p.name, c.name), coalesce(p.language, c.language),
        coalesce(p.stamp, s.stamp), NULL, t.scopes
    FROM rows(:keys, key text) AS k JOIN sessions s ON s.key = k.key LEFT JOIN people p ON p.id = s.person_id
        LEFT JOIN tokens t ON t.id = s.token_id
        LEFT JOIN customers c ON c.id = s.customer_id AND s.person_id IS NULL
    WHERE s.ended_at IS NULL AND s.expires_at > :now AND (s.idle_at IS NULL OR s.idle_at > :now)
        AND (p.active OR c.id IS NOT NULL)
    """
)


_GUESTS = Sql(
    """
    SELECT g.session, NULL, NULL, g.name, g.language, 1, g.id
    FROM rows(:keys, key text) AS k JOIN guests g ON g.session = k.key
    WHERE g.ended_at IS NULL AND g.expires_at > :now
    """
)


def holders(session: Session, keys: Collection[str], now: datetime) -> Mapping[str, Holder]:
    """Who holds each of these sessions, for those that hold; guests by a query of their own."""
    found: dict[str, Holder] = {}
    for question in (_HOLDERS, _GUESTS):
        if left := [[key] for key in keys if key not in found]:
            rows = question.run(session.connection(), keys=left, now=now)
            found |= {row[0]: Holder(*row) for row in rows}
    return found


class Actors:
    """Whoever holds a session, remembered until their rights move. Callable from any thread."""

    def __init__(self, most: int = 10_000) -> None:
        self._known: dict[str, Actor] = {}
        self._most = most

    def supposed(self, keys: Collection[str]) -> Mapping[str, Actor]:
        """Session → actor, for those that are known, if nothing has moved since."""
        return {key: actor for key in keys if (actor := self._known.get(key)) is not None}

    def found(self, session: Session, stamps: Mapping[str, int], now: datetime) -> Mapping[str, Actor]:
        """Session → actor, for those that hold now; no query where nothing moved."""
        found: dict[str, Actor] = {}
        for key, stamp in stamps.items():
            actor = self._known.get(key)
            if actor is None or actor.stamp != stamp:
                actor = actor_by_session(session, key, now)
            found[key] = actor
        return found

    def remember(self, found: Mapping[str, Actor]) -> None:
        """What was found in a transaction that is committed: in another, others' changes may not be true."""
        if len(self._known) + len(found) > self._most:
            self._known.clear()
        self._known.update(found)


def sessions_of(session: Session, person_id: int, now: datetime) -> Sequence[SessionRow]:
    """Sessions of a colleague that hold, last used first."""
    return session.scalars(
        select(SessionRow)
        .where(
            SessionRow.person_id == person_id,
            SessionRow.ended_at.is_(None),
            SessionRow.token_id.is_(None),
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
