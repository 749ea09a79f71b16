"""What simulated people say to each other: whole conversations, each of which makes sense."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

_FILE = Path(__file__).with_name("stories.toml")


class Customer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who asks."""

    name: str
    company: str


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case from its question to its thanks."""

    team: str
    language: str
    skill: str
    subject: str
    body: str
    first: str
    more: str
    question: str
    tried: str
    answer: str
    solution: str
    thanks: str
    reason: str
    note: str


class Stories(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything there is to say."""

    declines: tuple[str, ...]
    helping: tuple[str, ...]
    """In the room of a visitor who asked: one after another, whatever the case is about."""
    heeding: str
    """To a visitor who answered."""
    serving: tuple[str, ...]
    """To a visitor who came as a customer."""
    customers: dict[str, tuple[Customer, ...]]
    """By language."""
    stories: tuple[Story, ...]


def read() -> Stories:
    """The shipped file."""
    return msgspec.convert(tomllib.loads(_FILE.read_text(encoding="utf-8")), Stories)
