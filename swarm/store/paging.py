"""Keyset pages: a list costs the same at a thousand and a million rows."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, tuple_

T = TypeVar("T")
Key = tuple[ColumnElement[Any], bool]
"""A column and whether it descends."""


MOST = 2**63 - 1
"""The largest number a column holds."""


class BadCursor(ValueError):
    """The page's address was not made by us."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows and where the next ones begin."""

    rows: Sequence[T]
    next: str | None


def encode(values: Sequence[Any]) -> str:
    """A cursor that fits in an address."""
    plain = [{"t": value.timestamp()} if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def decode(cursor: str, kinds: Sequence[type]) -> list[Any]:
    """The values in a cursor, each of its kind. Raises `BadCursor`."""
    try:
        plain = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        values = [datetime.fromtimestamp(v["t"], UTC) if isinstance(v, dict) else v for v in plain]
    except (ValueError, KeyError, TypeError, OSError, OverflowError, RecursionError) as problem:
        raise BadCursor("not one of our cursors") from problem
    too_large = any(isinstance(value, int) and not -MOST <= value <= MOST for value in values)
    if too_large or [type(value) for value in values] != list(kinds):
        raise BadCursor("not one of our cursors")
    return values


def beyond(keys: Sequence[Key], cursor: str) -> ColumnElement[bool]:
    """The condition for rows that come after the cursor. Raises `BadCursor`.

    All keys run the same way: only then do databases enter an index on them at the very row.
    """
    kinds = [column.type for column, _ in keys]
    values = tuple_(*decode(cursor, [kind.python_type for kind in kinds]), types=kinds)
    columns, descends = tuple_(*(column for column, _ in keys)), keys[0][1]
    assert all(other == descends for _, other in keys)
    return columns < values if descends else columns > values
