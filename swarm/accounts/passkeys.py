"""Passkeys as the second step (WebAuthn level 3)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import PublicKeyCredentialDescriptor

from swarm.accounts.models import Factor
from swarm.accounts.second_step import MOST_FACTORS, confirm, factors_of, finish, half_way
from swarm.events.refusals import NotAllowed, Unfit, Unknown
from swarm.people.models import Person
from swarm.store import Work
from swarm.text.language import _

LONGEST = 20_000
"""Characters of a browser's answer."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passkey is good: this host, from pages of this origin."""

    host: str
    origin: str


def ask_for_new(work: Work, person_id: int, place: Place) -> str:
    """Options for `navigator.credentials.create`, as JSON. Raises `NotAllowed`."""
    known = factors_of(work.session, person_id)
    if len(known) >= MOST_FACTORS:
        raise NotAllowed(_("You have ten already. Remove one first."))
    challenge = secrets.token_bytes(32)
    begun = Factor.person_id == person_id, Factor.confirmed_at.is_(None), Factor.kind == "passkey"
    work.session.execute(delete(Factor).where(*begun))
    work.session.add(
        Factor(
            person_id=person_id,
            kind="passkey",
            name="",
            secret=bytes_to_base64url(challenge),
            created_at=work.now,
        )
    )
    person = work.session.get_one(Person, person_id)
    return options_to_json(
        generate_registration_options(
            rp_id=place.host,
            rp_name="swarm",
            user_id=f"swarm-{person_id}".encode(),
            user_name=person.email,
            user_display_name=person.name,
            challenge=challenge,
            exclude_credentials=_described(known),
        )
    )


def keep_new(work: Work, person_id: int, answer: str, name: str, place: Place) -> Sequence[str]:
    """The passkey counts from now on; recovery codes, where there were none. Raises `Unfit`, `Unknown`."""
    mine = Factor.person_id == person_id, Factor.confirmed_at.is_(None), Factor.kind == "passkey"
    factor = work.session.scalars(select(Factor).where(*mine).with_for_update()).one_or_none()
    if factor is None:
        raise Unknown(_("Begin again: another page of yours asked for a newer passkey."))
    try:
        made = verify_registration_response(
            credential=answer,
            expected_challenge=base64url_to_bytes(factor.secret),
            expected_rp_id=place.host,
            expected_origin=place.origin,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError, RecursionError):
        raise _not_right() from None
    credential = bytes_to_base64url(made.credential_id)
    if work.session.scalar(select(Factor.id).where(Factor.credential == credential)) is not None:
        raise Unfit(_("This passkey is in use already."), "answer")
    factor.secret = bytes_to_base64url(made.credential_public_key)
    factor.credential, factor.count = credential, made.sign_count
    return confirm(work, factor, name)


def ask_for_known(work: Work, secret: str | None, place: Place) -> str:
    """Options for `navigator.credentials.get`, as JSON. Raises `SignInOver`."""
    row, person = half_way(work, secret, lock=True)
    challenge = secrets.token_bytes(32)
    row.challenge = bytes_to_base64url(challenge)
    known = factors_of(work.session, person.id)
    return options_to_json(
        generate_authentication_options(
            rp_id=place.host, challenge=challenge, allow_credentials=_described(known)
        )
    )


def take_answer(work: Work, secret: str | None, answer: str, place: Place) -> tuple[Person, str]:
    """The account whose passkey signed the challenge, once, and where to. Raises `SignInOver`, `Unfit`."""
    row, person = half_way(work, secret, lock=True)
    if not row.challenge:
        raise _not_right()
    for factor in _passkeys(work, person.id):
        try:
            signed = verify_authentication_response(
                credential=answer,
                expected_challenge=base64url_to_bytes(row.challenge),
                expected_rp_id=place.host,
                expected_origin=place.origin,
                credential_public_key=base64url_to_bytes(factor.secret),
                credential_current_sign_count=factor.count,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError, RecursionError):
            continue
        if bytes_to_base64url(signed.credential_id) == factor.credential:
            factor.count, factor.used_at = signed.new_sign_count, work.now
            return finish(work, row, person)
    raise _not_right()


def _passkeys(work: Work, person_id: int) -> Sequence[Factor]:
    mine = Factor.person_id == person_id, Factor.confirmed_at.is_not(None), Factor.kind == "passkey"
    return work.session.scalars(select(Factor).where(*mine).order_by(Factor.id).with_for_update()).all()


def _described(known: Sequence[Factor]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.credential))
        for one in known
        if one.credential is not None
    ]


def _not_right() -> Unfit:
    return Unfit(_("This passkey was not recognised. Try again, or take another way."), "answer")
