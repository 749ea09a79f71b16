"""Passwords: argon2id (RFC 9106), and one guess costs the same whether or not the account exists."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST = 10
MOST = 200

_hasher = PasswordHasher()
_nobody = _hasher.hash("nobody has this password")


def hash_of(password: str) -> str:
    """An argon2id hash with its own salt; takes tens of milliseconds."""
    return _hasher.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether the password is the kept one; as slow for an account without one."""
    try:
        return _hasher.verify(kept or _nobody, password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False
