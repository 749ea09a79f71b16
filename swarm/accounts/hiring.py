"""A new colleague, and their way into the account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from swarm.accounts.account_links import make_account_link
from swarm.events import Role
from swarm.outbound import queue
from swarm.people.administering import hire
from swarm.people.models import Person
from swarm.store import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class NewColleague:
    """Who comes."""

    name: str
    email: str
    role: Role
    language: str
    rungs: Mapping[int, int]
    """Team id → tier."""


def hire_and_let_in(work: Work, new: NewColleague, *, hours: int, by_mail: bool) -> tuple[Person, str]:
    """An account, and the secret of the link into it; empty where the link goes by mail.

    Raises `NotAllowed`, `Unfit`.
    """
    person = hire(work, name=new.name, email=new.email, role=new.role, language=new.language, rungs=new.rungs)
    if by_mail:
        queue.put(work, "account_link", about=f"person:{person.id}", person_id=person.id, hours=hours)
        return person, ""
    return person, make_account_link(work, person.id, timedelta(hours=hours))
