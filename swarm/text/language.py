"""The language a person reads, and the functions that mark and translate texts."""

import gettext as catalogues
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from babel import Locale

LANGUAGES = ("en", "fr", "nl", "pt", "es", "de")
"""What a person may choose; the first is spoken when nothing else fits."""

_FOLDER = Path(__file__).parents[1] / "locale"
_current: ContextVar[str] = ContextVar("language", default=LANGUAGES[0])


@lru_cache
def _catalogue(language: str) -> catalogues.NullTranslations:
    if language == LANGUAGES[0]:
        return catalogues.NullTranslations()
    return catalogues.translation("swarm", _FOLDER, [language])


def load() -> None:
    """Read every catalogue, so that no request waits for one. Raises `OSError` where one was not built."""
    for language in LANGUAGES:
        _catalogue(language)


def own_name(language: str) -> str:
    """What those who speak it call it: “Français”."""
    return (Locale.parse(language).get_display_name(language) or language).capitalize()


def current() -> str:
    """The language of the request, as a tag such as `en`."""
    return _current.get()


def choose(language: str) -> None:
    """Speak `language` for the rest of this task; an unknown one changes nothing."""
    if language in LANGUAGES:
        _current.set(language)


@contextmanager
def use(language: str) -> Iterator[None]:
    """Speak `language` inside the block; an unknown one changes nothing."""
    token = _current.set(language if language in LANGUAGES else _current.get())
    try:
        yield
    finally:
        _current.reset(token)


def best(accept_language: str) -> str:
    """The first of our languages in an Accept-Language header (RFC 9110, 12.5.4)."""
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language[:500].split(",")):
        tag, _semicolon, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        language = tag.strip().lower().partition("-")[0]
        if language in LANGUAGES and 0 < quality <= 1:
            wishes.append((-quality, place, language))
    return min(wishes)[2] if wishes else LANGUAGES[0]


def _(message: str, /, **values: object) -> str:
    """`message` in the current language, `%(name)s` filled from `values`."""
    text = _catalogue(current()).gettext(message)
    return text % values if values else text


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """The form for `number` in the current language; `%(num)s` is the number."""
    text = _catalogue(current()).ngettext(one, many, number)
    return text % {"num": number, **values}


def N_(message: str, /) -> str:
    """Mark for extraction; translate later with `_`."""
    return message


def plain_gettext(message: str) -> str:
    """`message` in the current language with its places left open: Jinja fills them with escaped values."""
    return _catalogue(current()).gettext(message)


def plain_ngettext(one: str, many: str, number: int) -> str:
    """The form for `number` with its places left open."""
    return _catalogue(current()).ngettext(one, many, number)
