"""Links into an account: whoever has one chooses the password, once."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Literal

from sqlalchemy import select

from swarm.accounts.actions import LinkOver, end_account_links, key_of, set_password
from swarm.accounts.events import AccountLinkMade
from swarm.accounts.models import AccountLink
from swarm.events.refusals import Unknown, ensure
from swarm.people.models import Person
from swarm.people.rules import may_manage_accounts
from swarm.store import Work
from swarm.text.language import _

Purpose = Literal["invitation", "reset"]


def make_account_link(work: Work, person_id: int, lasts: timedelta) -> str:
    """The secret of a link; older ones of this account end. Raises `NotAllowed`, `Unknown`."""
    ensure(may_manage_accounts(work.actor))
    return let_in_by_link(work, person_id, lasts)


def let_in_by_link(work: Work, person_id: int, lasts: timedelta) -> str:
    """The same, whoever asks: what is made must reach nobody but this person. Raises `Unknown`."""
    person = work.hold(Person, person_id)
    if person is None or not person.active:
        raise Unknown(_("There is no such person, or they no longer work here."))
    end_account_links(work, person_id)
    secret = secrets.token_urlsafe(32)
    purpose: Purpose = "reset" if person.password else "invitation"
    work.session.add(
        AccountLink(
            key=key_of(secret),
            person_id=person_id,
            purpose=purpose,
            made_by=work.actor.key,
            created_at=work.now,
            expires_at=work.now + lasts,
        )
    )
    work.record(f"person:{person_id}", AccountLinkMade(person_id=person_id, purpose=purpose))
    return secret


def check_account_link(work: Work, secret: str, *, lock: bool = False) -> tuple[AccountLink, Person]:
    """The link, unused, and whose it is. Raises `LinkOver`."""
    query = select(AccountLink).where(AccountLink.key == key_of(secret))
    link = work.session.scalars(query.with_for_update() if lock else query).one_or_none()
    person = None if link is None else work.session.get(Person, link.person_id)
    if link is None or person is None or not person.active:
        raise LinkOver(
            _("This link is not one of ours. Copy it whole, or ask an administrator for a new one.")
        )
    if link.used_at is not None:
        raise LinkOver(_("This link was used before: it works once. Ask an administrator for a new one."))
    if link.expires_at <= work.now:
        raise LinkOver(_("This link has expired. Ask an administrator for a new one."))
    return link, person


def use_account_link(work: Work, secret: str, hashed: str) -> Person:
    """Set the password, once; every session of the account ends. Raises `LinkOver`."""
    link, person = check_account_link(work, secret, lock=True)
    link.used_at = work.now
    work.session.flush()
    set_password(work, person.id, hashed)
    return person
