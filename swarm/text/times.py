"""Moments as a person reads them: in their time zone and language."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel.dates import format_date, format_datetime, format_skeleton, format_time, format_timedelta

from swarm.text.language import _, current

_zone: ContextVar[str] = ContextVar("zone", default="UTC")


@lru_cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones()) | {"UTC"}


def zone() -> ZoneInfo:
    """The reader's time zone."""
    return ZoneInfo(_zone.get() or "UTC")


def choose_zone(name: str) -> None:
    """Tell times in zone `name` (IANA) for the rest of this task; an unknown one changes nothing."""
    if name in _known():
        _zone.set(name)


@contextmanager
def for_everybody() -> Iterator[None]:
    """Draw for readers in any zone inside the block."""
    token = _zone.set("")
    try:
        yield
    finally:
        _zone.reset(token)


def reader_is_known() -> bool:
    """Whether what is drawn is for one reader, whose zone is known or assumed."""
    return bool(_zone.get())


@contextmanager
def use_zone(name: str) -> Iterator[None]:
    """Tell times in zone `name` (IANA) inside the block; an unknown one changes nothing."""
    token = _zone.set(name if name in _known() else _zone.get())
    try:
        yield
    finally:
        _zone.reset(token)


def short(at: datetime, now: datetime) -> str:
    """A few words for a list: “now”, “12 min. ago”, “14:05”, “3 Nov”, “3 Nov 2023”."""
    here, today = at.astimezone(zone()), now.astimezone(zone())
    passed = now - at
    if timedelta(seconds=-30) < passed < timedelta(minutes=1):
        return _("now")
    if timedelta(0) < passed < timedelta(hours=1):
        return format_timedelta(-passed, add_direction=True, format="short", locale=current())
    if here.date() == today.date():
        return format_time(here, "short", tzinfo=zone(), locale=current())
    if here.year == today.year:
        return _day(here.date(), "MMMd", current())
    return _day(here.date(), "yMMMd", current())


def exact(at: datetime) -> str:
    """The whole moment with its zone, as “Tuesday, 3 November 2026 at 14:05:00 UTC”."""
    return _exact(at.replace(microsecond=0), zone().key, current())


@lru_cache(4096)
def _day(on: date, skeleton: str, language: str) -> str:
    if language == "en":
        # The plain skeleton puts the month first, as only America does.
        return format_date(on, "d MMM y" if "y" in skeleton else "d MMM", locale=language)
    return format_skeleton(skeleton, on, locale=language)


@lru_cache(4096)
def _exact(at: datetime, zone_name: str, language: str) -> str:
    # Lines of a conversation share their seconds, and formatting one costs more than drawing it.
    here = ZoneInfo(zone_name)
    return format_datetime(at.astimezone(here), "full", tzinfo=here, locale=language)


@lru_cache(1024)
def stamp(at: datetime) -> str:
    """For machines and `<time datetime>`: RFC 3339 in UTC, seconds."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
