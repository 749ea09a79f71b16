"""What a letter says, before it has a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from swarm.store import Work


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wrote, in markdown."""

    who: str
    body: str


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """To one person, in their language; `path` is an address of ours, it stands before what closes."""

    to: str
    name: str
    language: str
    subject: str
    paragraphs: tuple[str, ...]
    said: tuple[Said, ...] = ()
    label: str = ""
    path: str = ""
    closing: tuple[str, ...] = ()
    thread: str = ""
    """What letters about the same have in common."""


Write = Callable[[Work, Mapping[str, Any]], Letter | None]
"""Writes a letter of one kind from its ids; none where nobody is to get it any more."""
