"""Statements written out, for the few paths where building one costs more than running it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

_NAME = re.compile(r"(?<!:):(\w+)")
_ROWS = re.compile(r"rows\(\s*(:\w+), ([^)]+?)\s*\)")
_json = msgspec.json.Encoder()


class Sql:
    """One statement for both databases; `:name` stands for a value.

    `rows(:name, id bigint, word text)` stands for a list of lists: the statement stays the same for any
    number of rows. They go in as one JSON value, to PostgreSQL as an array for each column, of which its
    planner expects few rows.
    """

    def __init__(self, words: str) -> None:
        self._kinds: dict[str, Sequence[str]] = {}
        sqlite = _ROWS.sub(self._rows, words)
        self._words = {
            # SQLite's one writer holds everything.
            "sqlite": sqlite.replace("FOR UPDATE", ""),
            "postgresql": _NAME.sub(
                r"%(\1)s",
                _ROWS.sub(_unnested, words.replace("%", "%%").replace("json_object(", "jsonb_build_object(")),
            ),
        }

    def run(self, connection: Connection, **values: Any) -> Sequence[Any]:
        """Execute it in the connection's transaction; what it returns, row by row. Raises `DBAPIError`."""
        return together(connection, (self, values))[0]

    def bound(self, connection: Connection, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The words for this database, and the values as it takes them."""
        dialect = connection.dialect.name
        given: dict[str, Any] = {}
        for name, value in values.items():
            if name not in self._kinds:
                given[name] = instant(connection, value) if isinstance(value, datetime) else value
            elif dialect == "sqlite":
                given[name] = _json.encode(value).decode()
            else:
                for place, kind in enumerate(self._kinds[name]):
                    given[f"{name}_{place}"] = _array([row[place] for row in value], kind)
        return self._words[dialect], given

    def _rows(self, found: re.Match[str]) -> str:
        name, columns = found[1], [column.split() for column in found[2].split(", ")]
        self._kinds[name.removeprefix(":")] = [kind for _word, kind in columns]
        read = [f"json_extract(value, '$[{place}]') AS {word}" for place, (word, _kind) in enumerate(columns)]
        return f"(SELECT {', '.join(read)} FROM json_each({name}))"  # noqa: S608 (our own words, no values)


Asked = tuple[Sql, Mapping[str, Any]]


def together(connection: Connection, *asked: Asked) -> list[Sequence[Any]]:
    """Execute several statements in order, on PostgreSQL in two round trips; the rows of each.

    Goes past SQLAlchemy's cursors, which cost more than these statements. Raises `DBAPIError`.
    """
    dialect = connection.dialect
    raw: Any = connection.connection.driver_connection
    bound = [sql.bound(connection, values) for sql, values in asked]
    try:
        if dialect.name == "sqlite":
            return [raw.execute(*one).fetchall() for one in bound]
        # PostgreSQL does not watch how long a transaction stands still after a pipeline: the last goes alone.
        begun = raw.info.transaction_status != TransactionStatus.IDLE
        with raw.pipeline() if len(bound) > 1 or not begun else nullcontext():
            cursors = [raw.execute(*one) for one in (bound[:-1] if begun else bound)]
        if begun:
            cursors.append(raw.execute(*bound[-1]))
        return [cursor.fetchall() if cursor.description else () for cursor in cursors]
    except (sqlite3.Error, psycopg.Error) as failure:
        error = dialect.loaded_dbapi.Error
        raise DBAPIError.instance(
            None, None, failure, error, hide_parameters=True, dialect=dialect
        ) from failure


def instant(connection: Connection, at: datetime) -> str:
    """A moment as the database keeps it."""
    if connection.dialect.name == "sqlite":
        return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return at.isoformat()


def _array(column: Sequence[Any], kind: str) -> str:
    """A column in PostgreSQL's own words for an array: the driver takes ten times as long to find them."""
    if kind in ("bigint", "int"):
        return "{" + ",".join(map(str, column)) + "}"
    texts = [_json.encode(one).decode() for one in column] if kind == "jsonb" else column
    quoted = [one.replace("\\", "\\\\").replace('"', '\\"') for one in texts]
    return '{"' + '","'.join(quoted) + '"}' if quoted else "{}"


def _unnested(found: re.Match[str]) -> str:
    columns = [column.split() for column in found[2].split(", ")]
    arrays = [f"{found[1]}_{place}::{kind}[]" for place, (_word, kind) in enumerate(columns)]
    words = ", ".join(word for word, _kind in columns)
    return f"(SELECT * FROM unnest({', '.join(arrays)}) AS r({words}))"  # noqa: S608 (our own words, no values)
