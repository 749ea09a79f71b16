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


@event("account.factor_added", audience="staff", headline=N_("%(person)s added a second step: %(name)s"))
@dataclass(frozen=True, kw_only=True)
class FactorAdded(Event):
    """Signing in asks for more than the password from here on."""

    person_id: int
    name: str


@event(
    "account.factor_removed",
    audience="staff",
    headline=N_("%(actor)s removed a second step of %(person)s: %(name)s"),
)
@dataclass(frozen=True, kw_only=True)
class FactorRemoved(Event):
    """An app or a passkey opens nothing any more."""

    person_id: int
    name: str


@event("account.recovery_codes_made", audience="staff", headline=N_("%(person)s made new recovery codes"))
@dataclass(frozen=True, kw_only=True)
class RecoveryCodesMade(Event):
    """Older ones open nothing any more."""

    person_id: int


@event(
    "account.recovery_code_used", audience="staff", headline=N_("%(person)s signed in with a recovery code")
)
@dataclass(frozen=True, kw_only=True)
class RecoveryCodeUsed(Event):
    """One code less."""

    person_id: int


@event(
    "account.second_step_required",
    audience="staff",
    headline=N_("%(actor)s set who needs a second step: %(roles)s"),
)
@dataclass(frozen=True, kw_only=True)
class SecondStepRequired(Event):
    """People of these roles sign in with a second step or not at all."""

    roles: str


@event(
    "account.token_made", audience="staff", headline=N_("%(actor)s made the token “%(name)s” for %(person)s")
)
@dataclass(frozen=True, kw_only=True)
class TokenMade(Event):
    """A program may act as this person, within `scopes`."""

    person_id: int
    name: str
    scopes: str


@event(
    "account.token_ended", audience="staff", headline=N_("%(actor)s ended the token “%(name)s” of %(person)s")
)
@dataclass(frozen=True, kw_only=True)
class TokenEnded(Event):
    """It opens nothing any more."""

    person_id: int
    name: str
