"""What the demo's files say: who there is, how teams came to work so, what happens to each ticket."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec

from swarm.events import Role
from swarm.modes.policy import Policy
from swarm.people.actions import Availability

FOLDER = Path(__file__).parent
_SPAN = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?")

Do = Literal[
    "take", "reply", "customer", "ask", "accept", "decline", "raise_hand", "room", "leave", "mark_answer",
    "resolve", "hold", "escalate", "return", "hand_over",
]  # fmt: skip


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields of one entry of a file."""


class SkillPart(Part, frozen=True):
    key: str
    name: str


class TeamPart(Part, frozen=True):
    key: str
    name: str
    policy: Policy
    duty_lead: str
    tiers: tuple[int, ...] = ()
    share: int = 50


class Place(Part, frozen=True):
    team: str
    tier: int = 1


class PersonPart(Part, frozen=True):
    key: str
    name: str
    email: str
    role: Role
    availability: Availability
    language: str
    teams: tuple[Place, ...] = ()
    skills: tuple[str, ...] = ()


class Switch(Part, frozen=True):
    team: str
    policy: Policy
    by: str
    ago: str
    note: str
    share: int = 50


class CustomerPart(Part, frozen=True):
    name: str
    email: str
    company: str
    language: str


class Step(Part, frozen=True):
    """One thing somebody did, so long after the step before."""

    after: str
    do: Do
    by: str = ""
    to: str = ""
    text: str = ""
    wait: bool = False
    question: str = ""
    tried: str = ""
    skills: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    why: str = ""
    reason: str = ""
    note: str = ""


class TicketPart(Part, frozen=True):
    """A case, opened so long ago, and everything that happened to it since."""

    team: str
    subject: str
    customer: CustomerPart
    priority: Literal["low", "normal", "high", "urgent"]
    category: str
    tags: tuple[str, ...]
    opened: str
    body: str
    script: tuple[Step, ...]


class Cast(msgspec.Struct, frozen=True):
    """All of the demo."""

    skills: tuple[SkillPart, ...]
    teams: tuple[TeamPart, ...]
    people: tuple[PersonPart, ...]
    switches: tuple[Switch, ...]
    tickets: tuple[TicketPart, ...]


def read(folder: Path = FOLDER) -> Cast:
    """Every file of the folder."""
    found: dict[str, Any] = {**_toml(folder / "people.toml"), **_toml(folder / "switches.toml")}
    found["tickets"] = [
        ticket for path in sorted(folder.glob("tickets*.toml")) for ticket in _toml(path)["tickets"]
    ]
    return msgspec.convert(found, Cast)


def span(text: str) -> timedelta:
    """`1d2h30m` as a length of time. Raises `ValueError`."""
    parts = _SPAN.fullmatch(text)
    if parts is None or not text:
        raise ValueError(f"{text!r} is no length of time such as 1d2h30m")
    days, hours, minutes = (int(part or 0) for part in parts.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
