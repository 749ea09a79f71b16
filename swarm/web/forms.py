"""What people send, read into msgspec structs: unknown fields refused, all bounded, a sentence a problem."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from swarm.text.language import _
from swarm.web import fields, strict_json
from swarm.web.errors import BadRequest, Invalid, Typed, WrongType
from swarm.web.fields import Many, ManyLines, Number, OneLine, Secret

__all__ = [
    "Form",
    "Invalid",
    "Many",
    "ManyLines",
    "Number",
    "OneLine",
    "Secret",
    "Typed",
    "build",
    "read_form",
    "read_json",
    "read_query",
    "typed_again",
    "typed_of",
]

MOST_FIELDS = 200
LONGEST_FIELD = 262_144
"""Bytes of one field; the words of a form are bounded by their own types."""

_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=?-]{1,70}")

S = TypeVar("S", bound=msgspec.Struct)


class Form(msgspec.Struct, forbid_unknown_fields=True):
    """One form; `__post_init__` may raise Invalid for what only shows across fields."""


async def read_form(request: Request, form: type[S]) -> S:
    """The sent form; raises Invalid, BadRequest, WrongType, TooLarge."""
    kind, options = _content_type(request)
    if kind == "application/x-www-form-urlencoded":
        pairs = _parse_urlencoded(await request.body())
    elif kind == "multipart/form-data":
        pairs = await _parse_multipart(request, options.get(b"boundary", b""))
    else:
        raise WrongType
    return _build(form, pairs)


def build(form: type[S], pairs: Iterable[tuple[str, str]]) -> S:
    """The form out of names and values, however they came; raises Invalid, BadRequest."""
    return _build(form, _sized(list(pairs)))


def typed_of(form: type[msgspec.Struct], pairs: Iterable[tuple[str, str]]) -> Typed:
    """What was sent, to be shown again."""
    return _typed(_fields(form), _by_name(pairs))


def read_query(request: Request, form: type[S]) -> S:
    """The query string as a form; raises Invalid, BadRequest."""
    return _build(form, _parse_urlencoded(request.scope["query_string"]))


async def read_json(request: Request, form: type[S]) -> S:
    """The sent JSON object; raises Invalid, BadRequest, WrongType, TooLarge."""
    kind, _options = _content_type(request)
    if kind != "application/json":
        # Anything else a foreign page could send without asking first.
        raise WrongType
    sent = strict_json.loads(await request.body())
    if not isinstance(sent, dict):
        raise BadRequest(_("A JSON object is needed here."))
    known = _fields(form)
    problems = {name: _unknown() for name in sent if name not in known}
    values: dict[str, Any] = {}
    for name, field in known.items():
        if name in sent:
            try:
                values[name] = field.from_json(sent[name])
            except ValueError as error:
                problems[name] = str(error)
        elif field.required:
            problems[name] = fields.needed()
    return _finish(form, values, problems, Typed())


def typed_again(form: msgspec.Struct, sentence: str = "") -> Typed:
    """A form that was read but then refused with `sentence`, to be shown again; secrets are left out."""
    values: dict[str, str] = {}
    chosen: dict[str, tuple[str, ...]] = {}
    for name, field in _fields(type(form)).items():
        value = getattr(form, name)
        if field.secret:
            continue
        if field.repeated:
            chosen[name] = tuple(_as_sent(item) for item in value)
        else:
            values[name] = _as_sent(value)
    return Typed(values, chosen, sentence=sentence)


def _as_sent(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else ""
    if isinstance(value, Enum):
        value = value.value
    return "" if value is None else str(value)


def _content_type(request: Request) -> tuple[str, dict[bytes, bytes]]:
    """Type and options of the body; everything is UTF-8 here, so another charset is refused."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if options.get(b"charset", b"utf-8").lower() != b"utf-8":
        raise WrongType
    return kind.decode("latin-1").lower(), options


def _parse_urlencoded(raw: bytes) -> list[tuple[str, str]]:
    try:
        text = raw.decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError:
        raise BadRequest(_("This is not written in UTF-8.")) from None
    except ValueError:
        raise BadRequest(_("There are too many fields in this.")) from None
    return _sized(pairs)


async def _parse_multipart(request: Request, boundary: bytes) -> list[tuple[str, str]]:
    if not _BOUNDARY.fullmatch(boundary):
        raise BadRequest(_("This form could not be read."))
    # Starlette turns broken UTF-8 into other letters; Latin-1 keeps every byte for our own, strict reading.
    latin = Headers({"content-type": f'multipart/form-data; boundary="{boundary.decode()}"; charset=latin-1'})
    parser = MultiPartParser(
        latin, request.stream(), max_files=0, max_fields=MOST_FIELDS, max_part_size=LONGEST_FIELD
    )
    try:
        sent = (await parser.parse()).multi_items()
        return _sized([(_utf8(name), _utf8(value)) for name, value in sent if isinstance(value, str)])
    except MultiPartException:
        raise BadRequest(_("This form could not be read. Files are not taken here.")) from None
    except UnicodeDecodeError:
        raise BadRequest(_("This is not written in UTF-8.")) from None


def _utf8(latin: str) -> str:
    return latin.encode("latin-1").decode("utf-8")


def _sized(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    for name, value in pairs:
        if len(name) > 100 or len(value) > LONGEST_FIELD:
            raise BadRequest(_("One field of this is far too long."))
    return pairs


@lru_cache
def _fields(form: type[msgspec.Struct]) -> dict[str, fields.Field]:
    return {field.name: field for field in fields.of(form)}


def _build(form: type[S], pairs: Iterable[tuple[str, str]]) -> S:
    sent = _by_name(pairs)
    known = _fields(form)
    typed = _typed(known, sent)
    problems = {name: _unknown() for name in sent if name not in known}
    values: dict[str, Any] = {}
    for name, field in known.items():
        given = sent.get(name, [])
        if not field.repeated and len(given) > 1:
            problems[name] = _("This was sent %(times)s times.", times=len(given))
            continue
        try:
            value = field.from_form(given)
        except ValueError as error:
            problems[name] = str(error)
        else:
            if value is not msgspec.UNSET:
                values[name] = value
    return _finish(form, values, problems, typed)


def _by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    sent: dict[str, list[str]] = {}
    for name, value in pairs:
        sent.setdefault(name, []).append(value)
    return sent


def _finish(form: type[S], values: dict[str, Any], problems: dict[str, str], typed: Typed) -> S:
    if problems:
        raise Invalid(problems, typed)
    try:
        return form(**values)
    except Invalid as invalid:
        raise Invalid(invalid.problems, typed) from None


def _typed(known: dict[str, fields.Field], sent: dict[str, list[str]]) -> Typed:
    """Only known fields, and no secrets, are shown again."""
    kept = {name: given for name, given in sent.items() if name in known and not known[name].secret}
    return Typed(
        values={name: fields.showable(given[-1]) for name, given in kept.items() if not known[name].repeated},
        chosen={
            name: tuple(map(fields.showable, given)) for name, given in kept.items() if known[name].repeated
        },
    )


def _unknown() -> str:
    return _("This field is not known here.")
