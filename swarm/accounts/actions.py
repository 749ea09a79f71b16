"""Writes about getting in: sessions and one-time links."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update

from swarm.accounts.events import PasswordSet, SignedOutEverywhere
from swarm.accounts.models import AccountLink, Link, SessionCase, SessionRow, Token
from swarm.accounts.rules import may_sign_out
from swarm.events.refusals import No, ensure
from swarm.people.events import PersonDeactivated
from swarm.people.models import Customer, Person
from swarm.store import Work
from swarm.text.language import _


class LinkOver(No):
    """A one-time link that was used, has expired, or never was."""


def key_of(secret: str) -> str:
    """What is kept of a secret: SHA-256, hexadecimal. Enough, for the secrets are 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def start_session(work: Work, person_id: int, *, days: int, idle_hours: int, simulated: bool = False) -> str:
    """Sign a colleague in; returns the cookie's secret, which is kept nowhere."""
    secret = secrets.token_urlsafe(32)
    work.session.add(
        SessionRow(
            key=key_of(secret),
            person_id=person_id,
            created_at=work.now,
            seen_at=work.now,
            expires_at=work.now + timedelta(days=days),
            idle_at=work.now + timedelta(hours=idle_hours),
            simulated=simulated,
        )
    )
    return secret


def note_seen(work: Work, key: str) -> None:
    """The session is in use: its idle time begins anew."""
    row = work.session.get(SessionRow, key)
    if row is not None and row.idle_at is not None:
        row.idle_at = work.now + (row.idle_at - row.seen_at)
        row.seen_at = work.now


def end_session(work: Work, key: str) -> None:
    """Sign out one cookie."""
    work.session.execute(
        update(SessionRow)
        .where(SessionRow.key == key, SessionRow.ended_at.is_(None))
        .values(ended_at=work.now)
    )


def end_sessions_of(work: Work, person_id: int, but: Collection[str] = ()) -> None:
    """Sign a colleague out everywhere, but for the named sessions; tokens stay."""
    mine = SessionRow.person_id == person_id, SessionRow.ended_at.is_(None), SessionRow.token_id.is_(None)
    work.session.execute(
        update(SessionRow).where(*mine, SessionRow.key.not_in(but)).values(ended_at=work.now)
    )


def sign_out_everywhere(work: Work, person_id: int) -> None:
    """End somebody's sessions, but for the one that asks. Raises `NotAllowed`."""
    ensure(may_sign_out(work.actor, person_id))
    end_sessions_of(work, person_id, but=[work.actor.session])
    work.record(f"person:{person_id}", SignedOutEverywhere(person_id=person_id))


def end_with_account(work: Work, event: PersonDeactivated) -> None:
    """A deactivated account has no session and no token, and no link leads into it."""
    end_sessions_of(work, event.person_id)
    end_tokens_of(work, event.person_id)
    end_account_links(work, event.person_id)


def end_tokens_of(work: Work, person_id: int) -> None:
    """No program acts for this person any more."""
    mine = Token.person_id == person_id, Token.ended_at.is_(None)
    work.session.execute(update(Token).where(*mine).values(ended_at=work.now))
    sockets = SessionRow.person_id == person_id, SessionRow.token_id.is_not(None)
    work.session.execute(
        update(SessionRow).where(*sockets, SessionRow.ended_at.is_(None)).values(ended_at=work.now)
    )


def end_account_links(work: Work, person_id: int) -> None:
    """Nobody comes into the account by a link that was made before."""
    unused = AccountLink.person_id == person_id, AccountLink.used_at.is_(None)
    work.session.execute(
        update(AccountLink).where(*unused, AccountLink.expires_at > work.now).values(expires_at=work.now)
    )


def set_password(
    work: Work, person_id: int, hashed: str, but: Collection[str] = (), *, tokens_stay: bool = False
) -> None:
    """Change a password; all other sessions of the person end with it, and all tokens unless they stay."""
    work.session.execute(update(Person).where(Person.id == person_id).values(password=hashed))
    end_sessions_of(work, person_id, but)
    if not tokens_stay:
        end_tokens_of(work, person_id)
    work.record(f"person:{person_id}", PasswordSet(person_id=person_id))


def make_link(
    work: Work,
    ticket_id: int,
    customer_id: int,
    days: int,
    secret: str | None = None,
    *,
    beside: bool = False,
) -> str:
    """A link's secret that opens the customer lane once, within `days`; older unused ones of the ticket end.

    `secret`: one that the asker can tell again by themselves, as long and as random as ours. `beside`: others
    stay, for each letter has its own.
    """
    secret = secret or secrets.token_urlsafe(32)
    if not beside:
        work.session.execute(
            update(Link)
            .where(Link.ticket_id == ticket_id, Link.used_at.is_(None), Link.expires_at > work.now)
            .values(expires_at=work.now)
        )
    work.session.add(
        Link(
            key=key_of(secret),
            ticket_id=ticket_id,
            customer_id=customer_id,
            made_by=work.actor.key,
            created_at=work.now,
            expires_at=work.now + timedelta(days=days),
        )
    )
    return secret


def end_links(work: Work, ticket_id: int) -> None:
    """Nobody follows the ticket by a link any more: unused ones end, and so does what used ones opened."""
    work.session.execute(
        update(Link)
        .where(Link.ticket_id == ticket_id, Link.used_at.is_(None), Link.expires_at > work.now)
        .values(expires_at=work.now)
    )
    followed = (
        delete(SessionCase).where(SessionCase.ticket_id == ticket_id).returning(SessionCase.session_key)
    )
    keys = sorted(work.session.scalars(followed))
    work.session.execute(
        update(SessionRow).where(SessionRow.key.in_(keys)).values(stamp=SessionRow.stamp + 1)
    )


@dataclass(frozen=True, slots=True)
class Checked:
    """A link that still opens its ticket for this browser."""

    link: Link
    held: SessionRow | None
    """The session this browser holds as the same customer."""
    opened: bool
    """This browser used the link before."""


def check_link(work: Work, secret: str, cookie: str | None, *, lock: bool = False) -> Checked:
    """The link, unused. Raises `LinkOver`."""
    query = select(Link).where(Link.key == key_of(secret))
    link = work.session.scalars(query.with_for_update() if lock else query).one_or_none()
    if link is None:
        raise LinkOver(_("This link is not one of ours. Please copy it whole, or ask us for a new one."))
    held = _held(work, cookie)
    if link.used_at is not None:
        if held is not None and work.session.get(SessionCase, (held.key, link.ticket_id)) is not None:
            return Checked(link, held, opened=True)
        raise LinkOver(_("This link was used before: it works once. Please ask us for a new one."))
    if link.expires_at <= work.now:
        raise LinkOver(_("This link has expired. Please ask us for a new one."))
    return Checked(link, held, opened=False)


def exchange(work: Work, secret: str, cookie: str | None, days: int) -> tuple[int, str]:
    """Turn a link into a cookie, once: the ticket, and the cookie's secret.

    A browser that follows other tickets keeps its cookie and gains this one. Raises `LinkOver`.
    """
    checked = check_link(work, secret, cookie, lock=True)
    link, held = checked.link, checked.held
    if checked.opened and cookie:
        return link.ticket_id, cookie
    link.used_at = work.now
    if held is None or not cookie:
        cookie = secrets.token_urlsafe(32)
        held = SessionRow(
            key=key_of(cookie),
            customer_id=link.customer_id,
            created_at=work.now,
            seen_at=work.now,
            expires_at=work.now + timedelta(days=days),
        )
        work.session.add(held)
        work.session.flush()
    if work.session.get(SessionCase, (held.key, link.ticket_id)) is None:
        work.session.add(SessionCase(session_key=held.key, ticket_id=link.ticket_id))
        held.stamp += 1
    return link.ticket_id, cookie


def customer_of(work: Work, ticket_customer_id: int | None) -> Customer:
    """The customer a link would be for. Raises `No` for imported history without one."""
    customer = None if ticket_customer_id is None else work.session.get(Customer, ticket_customer_id)
    if customer is None:
        raise No(_("This ticket names no customer who could follow a link."))
    return customer


def _held(work: Work, cookie: str | None) -> SessionRow | None:
    if not cookie:
        return None
    row = work.session.get(SessionRow, key_of(cookie))
    if row is None or row.ended_at is not None or row.expires_at <= work.now:
        return None
    return row if row.customer_id is not None else None
