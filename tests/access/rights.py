"""Who is who at a door, and the two kinds of rule a door can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.access.people import STAFF

GROUPS: Mapping[str, tuple[str, ...]] = {
    "nobody": (),
    "staff": tuple(STAFF),
    "managers": ("manager", "administrator"),
    "ladder": ("ladder_owner", "ladder_lead", "ladder_one", "ladder_two"),
    "hive": ("hive_owner", "hive_lead", "hive_one"),
}

SEES = {
    "climbing": "ladder managers",
    "waiting": "ladder managers",
    "swarming": "hive invited swarm managers guest",
    "fresh": "hive managers",
    "solved": "hive managers",
}
"""Who knows of each ticket; for everybody else it does not exist."""
BESIDE = {"beside": "hive managers other_guest"}
"""A ticket of another customer, of which only the other guest is one."""
READS = {name: SEES[name] for name in ("climbing", "swarming")}
OWNERS = {"climbing": "ladder_owner", "swarming": "hive_owner"}
ROOM = {
    "climbing": "ladder_owner ladder_lead",
    "waiting": "ladder_owner ladder_lead ladder_two",
    "swarming": "hive_owner swarm guest",
    "fresh": "hive_lead",
}


@dataclass(frozen=True)
class OnTicket:
    """A door of a ticket: who passes, by ticket. Who only sees it gets 403, all other staff 404."""

    who: Mapping[str, str]
    passed: tuple[int, ...]


@dataclass(frozen=True)
class Plain:
    """A door that is the same whatever the ticket: status by kind or group, the last for all others."""

    status: Mapping[str, int]


def see(who: Mapping[str, str] = READS) -> OnTicket:
    return OnTicket(who, (200,))


def do(**who: str) -> OnTicket:
    return OnTicket(who, (204,))


def ahead(who: Mapping[str, str]) -> OnTicket:
    return OnTicket(who, (201,))


def staff(theirs: int, others: int) -> Plain:
    return Plain({"staff": theirs, "else": others})
