"""What an examination finds: one sentence a check."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

import psycopg
from redis.exceptions import RedisError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from swarm.events.refusals import No
from swarm.logs import without_secrets
from swarm.text.language import _

Level = Literal["ok", "warning", "error"]
FAILURES = (SQLAlchemyError, psycopg.Error, sqlite3.Error, RedisError, OSError, TimeoutError, No)
"""What a part that is broken raises when it is examined."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `error` says that the desk cannot keep a promise, `warning` that it may come to that."""

    check: str
    level: Level
    sentence: str


def ok(check: str, sentence: str) -> Finding:
    """As it should be."""
    return Finding(check, "ok", sentence)


def warning(check: str, sentence: str) -> Finding:
    """It works, and somebody should look at it."""
    return Finding(check, "warning", sentence)


def error(check: str, sentence: str) -> Finding:
    """It does not work, or breaks a promise."""
    return Finding(check, "error", sentence)


def guarded(check: str, examine: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What `examine` finds; a part too broken to be examined is a finding itself."""
    try:
        yield from examine()
    except FAILURES as failure:
        yield error(check, _("This could not be checked: %(why)s", why=said(failure)))


def said(failure: Exception) -> str:
    """The first line of what went wrong, without secrets."""
    cause = failure.orig if isinstance(failure, DBAPIError) and failure.orig else failure
    lines = without_secrets(str(cause)).strip().splitlines()
    return " ".join((lines[0] if lines else type(failure).__name__).split())


def masked(url: str) -> str:
    """An address without password and without the options that may hold one."""
    return make_url(url).set(query={}).render_as_string(hide_password=True)


def is_local(host: str) -> bool:
    """Whether it is this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
