"""Statements written out, for the few paths where building one costs more than running it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from swarm.store import pipeline

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
        self._sqlite = _ROWS.sub(self._rows, words).replace(
            "FOR UPDATE", ""
        )  # its one writer holds everything
        self._names: list[str] = []
        unnested = _ROWS.sub(_unnested, words.replace("json_object(", "jsonb_build_object("))
        self._postgresql = _NAME.sub(self._numbered, unnested)

    def run(self, connection: Connection, **values: Any) -> Sequence[Any]:
        """Execute it in the connection's transaction; what it returns, row by row. Raises `DBAPIError`."""
        return together(connection, (self, values))[0]

    def bound(self, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The words for SQLite, and the values as it takes them."""
        return self._sqlite, {
            name: _json.encode(value).decode() if name in self._kinds else _text(value, "sqlite")
            for name, value in values.items()
        }

    def said(self, values: Mapping[str, Any]) -> pipeline.Said:
        """The words for PostgreSQL, and the values as it takes them."""
        given: dict[str, str] = {}
        for name, value in values.items():
            if name not in self._kinds:
                given[name] = _text(value, "postgresql")
                continue
            for place, kind in enumerate(self._kinds[name]):
                given[f"{name}_{place}"] = _array([row[place] for row in value], kind)
        return self._postgresql, [given[name] for name in self._names]

    def _rows(self, found: re.Match[str]) -> str:
        name, columns = found[1], [column.split() for column in found[2].split(", ")]
        self._kinds[name.removeprefix(":")] = [kind for _word, kind in columns]
        read = [f"json_extract(value, '$[{place}]') AS {word}" for place, (word, _kind) in enumerate(columns)]
        return f"(SELECT {', '.join(read)} FROM json_each({name}))"  # noqa: S608 (our own words, no values)

    def _numbered(self, found: re.Match[str]) -> str:
        if found[1] not in self._names:
            self._names.append(found[1])
        return f"${self._names.index(found[1]) + 1}"


Asked = tuple[Sql, Mapping[str, Any]]
Rows = Sequence[Any]
"""What a statement returned, row by row."""


def together(connection: Connection, *asked: Asked) -> list[Rows]:
    """Execute several statements in order, on PostgreSQL in one round trip; the rows of each.

    Goes past SQLAlchemy's cursors, which cost more than these statements. Raises `DBAPIError`.
    """
    lent = connection.connection
    raw: Any = lent.driver_connection
    try:
        if connection.dialect.name == "sqlite":
            return [raw.execute(*sql.bound(values)).fetchall() for sql, values in asked]
        return pipeline.ask(raw, lent.info, [sql.said(values) for sql, values in asked])
    except (sqlite3.Error, psycopg.Error) as failure:
        raise _wrapped(connection, failure) from failure


def and_commit(connection: Connection, *asked: Asked) -> list[Rows]:
    """Execute these and commit, in one round trip; the rows of each. PostgreSQL only. Raises `DBAPIError`.

    The commit of the connection's transaction has nothing left to do.
    """
    lent = connection.connection
    raw: Any = lent.driver_connection
    try:
        return pipeline.ask(raw, lent.info, [sql.said(values) for sql, values in asked], commit=True)
    except psycopg.Error as failure:
        raise _wrapped(connection, failure) from failure


def _wrapped(connection: Connection, failure: Exception) -> DBAPIError | Exception:
    dialect = connection.dialect
    return DBAPIError.instance(
        None, None, failure, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
    )


def instant(connection: Connection, at: datetime) -> str:
    """A moment as the database keeps it."""
    return str(_text(at, connection.dialect.name))


def _text(value: Any, dialect: str) -> Any:
    if not isinstance(value, datetime):
        return value if dialect == "sqlite" else str(value)
    if dialect == "sqlite":
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return value.isoformat()


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
