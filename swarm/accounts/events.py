"""What happens to accounts."""

from __future__ import annotations

from dataclasses import dataclass

from swarm.events import Event, event
from swarm.text.language import N_


@event(
    "account.link_made", audience="staff", headline=N_("%(actor)s made a link into the account of %(person)s")
)
@dataclass(frozen=True, kw_only=True)
class AccountLinkMade(Event):
    """Whoever has the link may choose the account's password, once."""

    person_id: int
    purpose: str


@event("account.password_set", audience="staff", headline=N_("The password of %(person)s was set"))
@dataclass(frozen=True, kw_only=True)
class PasswordSet(Event):
    """The account has another password; sessions elsewhere are over."""

    person_id: int


@event("account.signed_in", audience="staff", headline=N_("%(person)s signed in"))
@dataclass(frozen=True, kw_only=True)
class SignedIn(Event):
    """A session began."""

    person_id: int


@event(
    "account.signed_out_everywhere",
    audience="staff",
    headline=N_("%(actor)s signed %(person)s out everywhere"),
)
@dataclass(frozen=True, kw_only=True)
class SignedOutEverywhere(Event):
    """Sessions of this account are over, but perhaps the one in which it was asked for."""

    person_id: int
