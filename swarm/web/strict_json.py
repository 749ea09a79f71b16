"""JSON as RFC 8259 means it, and no more: one meaning for every reader, bounded, every string storable."""

import json
import math
import re
from typing import Any, NoReturn

from swarm.text.language import _
from swarm.web.errors import BadRequest

DEEPEST = 32
# An unfinished string runs to the end, so that looking at it once is enough.
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


def loads(raw: bytes) -> Any:
    """The value; raises BadRequest for anything doubtful, deep or doubled."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest(_("This is not written in UTF-8.")) from None
    if _depth(text) > DEEPEST:
        raise BadRequest(_("This JSON is nested too deeply."))
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int
        )
    except (ValueError, RecursionError):
        raise BadRequest(_("This is not proper JSON.")) from None


def _depth(text: str) -> int:
    depth = deepest = 0
    for mark in _MARKS.finditer(text):
        first = mark.group()[0]
        if first != '"':
            depth += 1 if first in "[{" else -1
            deepest = max(deepest, depth)
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name stands twice")
    for name in result:
        if _SURROGATE.search(name):
            raise ValueError("half a character")
    return result


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("beyond any number")
    return value


def _int(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError("beyond any number")
    return int(digits)
