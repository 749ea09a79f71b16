"""The second step of signing in: codes of an app, recovery codes, and who needs one."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Literal

import pyotp
from pyotp.utils import strings_equal
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from swarm.accounts.actions import end_sessions_of, end_tokens_of, key_of
from swarm.accounts.events import (
    FactorAdded,
    FactorRemoved,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    SecondStepRequired,
)
from swarm.accounts.models import Factor, RecoveryCode, SignIn
from swarm.events.refusals import No, NotAllowed, Unfit, Unknown, ensure
from swarm.people.events import RoleSet
from swarm.people.models import Person
from swarm.people.rules import may_manage_accounts
from swarm.store import Work, instance
from swarm.store.tables import Instance
from swarm.text.language import _

MINUTES = 10
"""For the second step, after the password was right."""
TRIES = 5
"""Wrong codes after which one begins with the password again."""
CODES = 10
SECONDS = 30
"""A code of an app is for so long (RFC 6238); the one before and the one after are taken too."""
MOST_FACTORS = 10

Step = Literal["none", "ask", "add"]
Take = Callable[[Work], tuple[Person, str]]
"""Takes what was shown: the account it opens, and where to."""


class SignInOver(No):
    """The password was too long ago, or too many codes were wrong."""


def factors_of(session: Session, person_id: int) -> Sequence[Factor]:
    """What somebody has besides a password, oldest first."""
    mine = select(Factor).where(Factor.person_id == person_id, Factor.confirmed_at.is_not(None))
    return session.scalars(mine.order_by(Factor.id)).all()


def codes_left(session: Session, person_id: int) -> int:
    """How many recovery codes still work."""
    unused = RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None)
    return session.scalar(select(func.count()).select_from(RecoveryCode).where(*unused)) or 0


def roles_that_need_it(session: Session) -> Sequence[str]:
    """Roles that sign in with a second step or not at all."""
    return session.scalars(select(Instance.second_step_roles)).one_or_none() or ()


def step_of(session: Session, person: Person) -> Step:
    """What is missing after the password."""
    if factors_of(session, person.id):
        return "ask"
    return "add" if person.role in roles_that_need_it(session) else "none"


def begin(work: Work, person_id: int, target: str) -> str:
    """Keep that the password was right; the secret of the cookie that goes on."""
    secret = secrets.token_urlsafe(32)
    work.session.execute(delete(SignIn).where(SignIn.expires_at <= work.now))
    work.session.add(
        SignIn(
            key=key_of(secret),
            person_id=person_id,
            target=target,
            created_at=work.now,
            expires_at=work.now + timedelta(minutes=MINUTES),
        )
    )
    return secret


def half_way(work: Work, secret: str | None, *, lock: bool = False) -> tuple[SignIn, Person]:
    """The sign-in that this cookie goes on with, and whose it is. Raises `SignInOver`."""
    query = select(SignIn).where(SignIn.key == key_of(secret or ""), SignIn.expires_at > work.now)
    row = work.session.scalars(query.with_for_update() if lock else query).one_or_none()
    person = None if row is None else work.session.get(Person, row.person_id)
    if row is None or person is None or not person.active or row.tries > TRIES:
        raise SignInOver(_("That took too long, or too many codes were wrong. Sign in again."))
    return row, person


def count_try(work: Work, secret: str | None) -> int:
    """One more guess, in a transaction of its own; whose account it is. Raises `SignInOver`."""
    row, person = half_way(work, secret, lock=True)
    row.tries += 1
    if row.tries > TRIES:
        # Kept, for a row that is gone could not be told from one that never was.
        row.expires_at = work.now
    return person.id


def take_code(work: Work, secret: str | None, code: str) -> tuple[Person, str]:
    """The account this code opens, once, and where to. Raises `SignInOver`, `Unfit`."""
    row, person = half_way(work, secret, lock=True)
    plain = "".join(letter for letter in code if letter.isalnum()).upper()
    if not (_app_made(work, person.id, plain) or _recovers(work, person.id, plain)):
        raise Unfit(_("This code is not right, or was used before. Wait for the next one."), "code")
    return finish(work, row, person)


def finish(work: Work, row: SignIn, person: Person) -> tuple[Person, str]:
    """The second step was right: the account and where to."""
    work.session.delete(row)
    work.session.flush()
    return person, row.target


def new_app(work: Work, person_id: int) -> Factor:
    """A secret for an app, which opens nothing until a code of it was typed."""
    if len(factors_of(work.session, person_id)) >= MOST_FACTORS:
        raise NotAllowed(_("You have ten already. Remove one first."))
    unconfirmed = Factor.person_id == person_id, Factor.confirmed_at.is_(None), Factor.kind == "totp"
    work.session.execute(delete(Factor).where(*unconfirmed))
    factor = Factor(
        person_id=person_id, kind="totp", name="", secret=pyotp.random_base32(), created_at=work.now
    )
    work.session.add(factor)
    work.session.flush()
    return factor


def app_begun(session: Session, person_id: int) -> Factor | None:
    """The secret that waits for its first code."""
    mine = Factor.person_id == person_id, Factor.confirmed_at.is_(None), Factor.kind == "totp"
    return session.scalars(select(Factor).where(*mine)).one_or_none()


def confirm_app(work: Work, person_id: int, code: str, name: str) -> Sequence[str]:
    """From its first code on the app counts; recovery codes, where these are the first. Raises `Unfit`."""
    factor = app_begun(work.session, person_id)
    if factor is None:
        raise Unknown(_("Begin again: another page of yours made a newer secret."))
    work.session.refresh(factor, with_for_update=True)
    plain = "".join(letter for letter in code if letter.isalnum())
    if not _fits(work, factor, plain):
        raise Unfit(_("This code is not right. Does the clock of your phone tell the time?"), "code")
    return confirm(work, factor, name)


def confirm(work: Work, factor: Factor, name: str) -> Sequence[str]:
    """It counts from now on; recovery codes, where there were none."""
    factor.name, factor.confirmed_at = name, work.now
    work.session.flush()
    work.record(f"person:{factor.person_id}", FactorAdded(person_id=factor.person_id, name=name))
    first = len(factors_of(work.session, factor.person_id)) == 1
    return new_codes(work, factor.person_id) if first else ()


def new_codes(work: Work, person_id: int) -> Sequence[str]:
    """Recovery codes instead of the older ones, shown this once: 80 random bits each."""
    work.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    codes = [base64.b32encode(secrets.token_bytes(10)).decode() for _code in range(CODES)]
    work.session.add_all(RecoveryCode(key=_key(person_id, code), person_id=person_id) for code in codes)
    work.record(f"person:{person_id}", RecoveryCodesMade(person_id=person_id))
    return ["-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in codes]


def remove_factor(work: Work, person_id: int, factor_id: int) -> None:
    """An app or passkey opens nothing any more. Raises `Unknown`, and `NotAllowed` for the last needed."""
    person = work.hold(Person, person_id)
    factor = work.session.get(Factor, factor_id)
    if person is None or factor is None or factor.person_id != person_id or factor.confirmed_at is None:
        raise Unknown(_("There is no such second step."))
    if len(factors_of(work.session, person_id)) == 1:
        if person.role in roles_that_need_it(work.session):
            raise NotAllowed(_("Your role needs a second step. Add another one before you remove this."))
        work.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    work.session.delete(factor)
    work.record(f"person:{person_id}", FactorRemoved(person_id=person_id, name=factor.name))


def clear_factors(work: Work, person_id: int) -> None:
    """Somebody lost everything: they sign in by password alone, and add a new one. Raises `NotAllowed`."""
    ensure(may_manage_accounts(work.actor))
    if work.hold(Person, person_id) is None:
        raise Unknown(_("There is no such person."))
    for factor in factors_of(work.session, person_id):
        work.record(f"person:{person_id}", FactorRemoved(person_id=person_id, name=factor.name))
    work.session.execute(delete(Factor).where(Factor.person_id == person_id))
    work.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    work.session.execute(delete(SignIn).where(SignIn.person_id == person_id))
    end_sessions_of(work, person_id)
    end_tokens_of(work, person_id)


def require(work: Work, roles: Sequence[str]) -> None:
    """Who needs a second step; who has none is signed out and adds one at the door. Raises `NotAllowed`."""
    ensure(may_manage_accounts(work.actor))
    here = instance.locked(work)
    if sorted(roles) == sorted(here.second_step_roles):
        return
    me = work.actor.person_id
    if me is not None and work.actor.role in roles and not factors_of(work.session, me):
        raise NotAllowed(_("Add a second step to your own account first: you would be signed out."))
    here.second_step_roles = sorted(roles)
    work.session.flush()
    has_one = select(Factor.person_id).where(Factor.confirmed_at.is_not(None))
    without = select(Person.id).where(Person.role.in_(roles), Person.active, Person.id.not_in(has_one))
    for person_id in work.session.scalars(without.order_by(Person.id)).all():
        end_sessions_of(work, person_id)
        end_tokens_of(work, person_id)
    work.record("house:1", SecondStepRequired(roles=", ".join(sorted(roles)) or "–"))


def end_sessions_without(work: Work, event: RoleSet) -> None:
    """Whoever got a role that needs a second step, and has none, comes in by adding one."""
    needs = event.role in roles_that_need_it(work.session)
    if needs and not factors_of(work.session, event.person_id):
        end_sessions_of(work, event.person_id)
        end_tokens_of(work, event.person_id)


def address_for_app(factor: Factor, email: str) -> str:
    """What the app reads from the square: `otpauth://…`."""
    return pyotp.TOTP(factor.secret).provisioning_uri(name=email, issuer_name="swarm")


def _app_made(work: Work, person_id: int, code: str) -> bool:
    mine = select(Factor).where(
        Factor.person_id == person_id, Factor.confirmed_at.is_not(None), Factor.kind == "totp"
    )
    # Locked: of two who type the same code at once, one finds it used.
    held = work.session.scalars(mine.order_by(Factor.id).with_for_update()).all()
    return any(_fits(work, factor, code) for factor in held)


def _fits(work: Work, factor: Factor, code: str) -> bool:
    app, now = pyotp.TOTP(factor.secret, interval=SECONDS), int(work.now.timestamp()) // SECONDS
    for step in (now - 1, now, now + 1):
        if step > factor.count and strings_equal(app.generate_otp(step), code):
            factor.count, factor.used_at = step, work.now
            return True
    return False


def _recovers(work: Work, person_id: int, code: str) -> bool:
    used = (
        update(RecoveryCode)
        .where(RecoveryCode.key == _key(person_id, code), RecoveryCode.used_at.is_(None))
        .values(used_at=work.now)
        .returning(RecoveryCode.key)
    )
    if work.session.scalars(used).one_or_none() is None:
        return False
    work.record(f"person:{person_id}", RecoveryCodeUsed(person_id=person_id))
    return True


def _key(person_id: int, code: str) -> str:
    return key_of(f"{person_id}:{code}")
