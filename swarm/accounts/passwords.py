"""Passwords: argon2id (RFC 9106), and one guess costs the same whether or not the account exists."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST = 10
MOST = 200

T = TypeVar("T")

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


async def off_the_loop(at_once: int, work: Callable[[], T]) -> T:
    """Run `hash_of` or `fits` in a thread; at most `at_once` run together, for each takes 64 MiB."""
    return await asyncio.get_running_loop().run_in_executor(_threads(at_once), work)


@lru_cache
def _threads(at_once: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(at_once, "swarm-password")
