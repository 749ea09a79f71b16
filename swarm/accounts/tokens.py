"""Tokens: a program acts as whoever made it, within what they may now and the token's scopes."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from swarm.accounts.actions import end_session, key_of
from swarm.accounts.events import TokenEnded, TokenMade
from swarm.accounts.models import SessionRow, Token
from swarm.accounts.queries import SEEN_EVERY
from swarm.accounts.rules import may_end_token
from swarm.events import Actor
from swarm.events.refusals import ALLOWED, NotAllowed, Refused, Unfit, Unknown, Verdict, ensure
from swarm.people.models import Person
from swarm.people.queries import actor_of
from swarm.people.rules import may_manage_accounts, may_steer
from swarm.store import Work
from swarm.text.language import _

Scope = Literal["read", "tickets", "teams", "people"]
"""Every token reads; the others add: tickets and asks, teams and skills, accounts."""
SCOPES: Sequence[Scope] = get_args(Scope)
PREFIX = "swarm_"
"""By which programs that look for lost secrets know ours."""
LONGEST_NAME = 60
MOST = 50
"""Tokens that one person has at a time."""
LASTS = (7, 30, 90, 365)
"""Days to choose from: none lasts for ever."""


@dataclass(frozen=True, slots=True)
class Held:
    """Who a token stands for in this moment, and what it may do for them."""

    token_id: int
    actor: Actor
    scopes: frozenset[Scope]
    seen_long_ago: bool


def may_give(actor: Actor, scope: Scope) -> Verdict:
    """Make a token of this scope: nobody gives what they may not do themselves."""
    if scope == "people":
        return may_manage_accounts(actor)
    return may_steer(actor) if scope == "teams" else ALLOWED


def scopes_of(actor: Actor) -> list[Scope]:
    """The scopes that this person may give to a token, besides reading."""
    return [scope for scope in SCOPES if scope != "read" and may_give(actor, scope)]


def make_token(work: Work, person: Actor, *, name: str, scopes: Collection[Scope], days: int) -> str:
    """A new token of this person: its secret, which is kept nowhere. Raises `NotAllowed`, `Unfit`, `Unknown`.

    Whoever makes one for somebody else has the machine itself: pages make their owner's only.
    """
    assert person.person_id is not None
    row = work.hold(Person, person.person_id)
    if row is None or not row.active:
        raise Unknown(_("There is no such person, or they no longer work here."))
    for scope in scopes:
        if isinstance(refused := may_give(person, scope), Refused):
            raise NotAllowed(refused.sentence)
    if days not in LASTS:
        raise Unfit(_("Choose one of the offered."), "days")
    mine = tokens_of(work.session, row.id, work.now)
    if len(mine) >= MOST:
        raise Unfit(_("These are %(most)s tokens already. End some of them.", most=MOST), "name")
    if name in {one.name for one in mine}:
        raise Unfit(_("A token of this name is there already."), "name")
    secret = PREFIX + secrets.token_urlsafe(32)
    given = " ".join(scope for scope in SCOPES if scope == "read" or scope in scopes)
    token = Token(
        key=key_of(secret),
        person_id=row.id,
        name=name,
        scopes=given,
        created_at=work.now,
        expires_at=work.now + timedelta(days=days),
    )
    work.session.add(token)
    work.session.flush()
    # Sockets ask about sessions all the time: a token has one, which ends with it.
    work.session.add(
        SessionRow(
            key=token.key,
            token_id=token.id,
            person_id=row.id,
            created_at=work.now,
            seen_at=work.now,
            expires_at=token.expires_at,
        )
    )
    work.record(f"person:{row.id}", TokenMade(person_id=row.id, name=name, scopes=given))
    return secret


def end_token(work: Work, token_id: int, person_id: int) -> None:
    """A token of this person opens nothing any more. Raises `NotAllowed`, `Unknown`."""
    ensure(may_end_token(work.actor, person_id))
    token = work.hold(Token, token_id)
    if token is None or token.person_id != person_id:
        raise Unknown(_("There is no such token."))
    if token.ended_at is None:
        _end(work, token)


def end_tokens(work: Work, person_id: int) -> int:
    """All tokens of this person; how many there were. Raises `NotAllowed`."""
    ensure(may_end_token(work.actor, person_id))
    mine = tokens_of(work.session, person_id, work.now)
    for token in mine:
        _end(work, token)
    return len(mine)


def tokens_of(session: Session, person_id: int, now: datetime) -> Sequence[Token]:
    """Tokens that work, the newest first."""
    return session.scalars(
        select(Token)
        .where(Token.person_id == person_id, Token.ended_at.is_(None), Token.expires_at > now)
        .order_by(Token.id.desc())
    ).all()


def held_by(session: Session, secret: str, now: datetime) -> Held | None:
    """Who shows this token; none where it is over, or never was."""
    token = session.scalars(select(Token).where(Token.key == key_of(secret))).one_or_none()
    if token is None or token.ended_at is not None or token.expires_at <= now:
        return None
    person = session.get(Person, token.person_id)
    if person is None or not person.active:
        return None
    given = set(token.scopes.split())
    return Held(
        token.id,
        actor_of(session, person),
        frozenset(scope for scope in SCOPES if scope in given),
        token.used_at is None or now - token.used_at > SEEN_EVERY,
    )


def note_used(work: Work, token_id: int) -> None:
    """The token is in use."""
    work.session.execute(update(Token).where(Token.id == token_id).values(used_at=work.now))


def _end(work: Work, token: Token) -> None:
    token.ended_at = work.now
    end_session(work, token.key)
    work.session.flush()
    work.record(f"person:{token.person_id}", TokenEnded(person_id=token.person_id, name=token.name))
