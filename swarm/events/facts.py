"""An event is a frozen dataclass, defined once, in the past tense, with an audience that has no default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Audience = Literal["customer", "staff"]
"""`customer`: the customer may know as well as staff; `staff`: never leaves the house."""

_known: dict[str, type[Event]] = {}


@dataclass(frozen=True, kw_only=True)
class Event:
    """One fact on one stream; carries ids, the texts live in rows."""

    kind: ClassVar[str]
    audience: ClassVar[Audience]
    headline: ClassVar[str]
    """A msgid; `%(actor)s` is who did it, `%(to)s` the name behind a field `to_id`."""

    def data(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return dict(vars(self))


def event(kind: str, *, audience: Audience, headline: str) -> Callable[[type[Event]], Any]:
    """Register an event class under its wire name.

    Raises `ValueError` where the name is taken.
    """

    def register(cls: type[Event]) -> type[Event]:
        if kind in _known:
            raise ValueError(f"event {kind} is defined twice")
        cls.kind, cls.audience, cls.headline = kind, audience, headline
        _known[kind] = cls
        return cls

    return register


def known_events() -> Mapping[str, type[Event]]:
    """Every event there is, by wire name."""
    return _known


def load(kind: str, data: Mapping[str, Any]) -> Event:
    """The event a log entry stands for. Raises `KeyError` for a name nobody defined."""
    return _known[kind](**data)
