"""Statements written out, for the few paths where building one costs more than running it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

_NAME = re.compile(r"(?<!:):(\w+)")
_ROWS = re.compile(r"rows\((:\w+), ([^)]+)\)")
_json = msgspec.json.Encoder()


class Sql:
    """One statement for both databases; `:name` stands for a value.

    `rows(:name, id bigint, word text)` stands for a list of lists, which goes in as one JSON value: the
    statement stays the same for any number of rows.
    """

    def __init__(self, words: str) -> None:
        postgresql = _ROWS.sub(lambda found: _from_json(found, "postgresql"), words.replace("%", "%%"))
        sqlite = _ROWS.sub(lambda found: _from_json(found, "sqlite"), words)
        self._words = {
            # SQLite's one writer holds everything.
            "sqlite": sqlite.replace("FOR UPDATE", ""),
            "postgresql": _NAME.sub(r"%(\1)s", postgresql),
        }

    def run(self, connection: Connection, **values: Any) -> Sequence[Any]:
        """Execute it in the connection's transaction; what it returns, row by row."""
        given = {name: _sent(connection, value) for name, value in values.items()}
        result = connection.exec_driver_sql(self._words[connection.dialect.name], given)
        return result.all() if result.returns_rows else ()


def instant(connection: Connection, at: datetime) -> str:
    """A moment as the database keeps it, for a row that goes in as JSON."""
    if connection.dialect.name == "sqlite":
        return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return at.isoformat()


def _sent(connection: Connection, value: Any) -> Any:
    if isinstance(value, list):
        return _json.encode(value).decode()
    return instant(connection, value) if isinstance(value, datetime) else value


def _from_json(found: re.Match[str], dialect: str) -> str:
    name, columns = found.groups()
    read = []
    for place, column in enumerate(columns.split(", ")):
        word, kind = column.split()
        if dialect == "sqlite":
            read.append(f"json_extract(value, '$[{place}]') AS {word}")
        elif kind == "jsonb":
            read.append(f"(value -> {place})::jsonb AS {word}")
        else:
            read.append(f"(value ->> {place})::{kind} AS {word}")
    source = f"json_each({name})" if dialect == "sqlite" else f"json_array_elements({name}::json)"
    return f"(SELECT {', '.join(read)} FROM {source})"  # noqa: S608 (our own words, no values)
