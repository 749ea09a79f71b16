"""Rows on their way between a database and an archive, the same for both databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, cast

import msgspec
import psycopg
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
)
from sqlalchemy.engine import Connection
from sqlalchemy.pool import StaticPool

from swarm.events.refusals import No
from swarm.logs import without_secrets
from swarm.store import migrate
from swarm.text.language import _

Kind = Literal["int", "float", "text", "bool", "time", "json"]

TOGETHER = 1000
"""Rows held at a time."""

_KINDS: Sequence[tuple[type, Kind, Any]] = (
    (Boolean, "bool", bool),
    (Integer, "int", int),
    (Float, "float", float),
    (DateTime, "time", Annotated[datetime, msgspec.Meta(tz=True)]),
    (JSON, "json", Any),
    (String, "text", str),
)
_encoder = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Shape:
    """A table at one revision: what is kept of it, and how."""

    name: str
    columns: tuple[str, ...]
    kinds: tuple[Kind, ...]
    nullable: tuple[bool, ...]
    key: tuple[str, ...]


def shapes(revision: str) -> list[Shape]:
    """The tables of a revision, those that others point at first. Raises `migrate.UnknownRevision`."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        with engine.begin() as connection:
            migrate.upgrade_within(connection, revision)
            found = MetaData()
            found.reflect(connection)
            return [_shape(table) for table in found.sorted_tables if table.name != migrate.VERSIONS]
    finally:
        engine.dispose()


def read(connection: Connection, shape: Shape) -> Generator[tuple[int, bytes]]:
    """A table's rows in order of its key, in batches of their number and their lines."""
    to_bool = [place for place, kind in enumerate(shape.kinds) if kind == "bool"]
    to_json = [place for place, kind in enumerate(shape.kinds) if kind == "json"]
    for batch in _batches(connection, _select(connection.dialect.name, shape)):
        rows = [list(row) for row in batch]
        for place in to_bool:
            for row in rows:
                row[place] = None if row[place] is None else bool(row[place])
        for place in to_json:
            for row in rows:
                row[place] = None if row[place] is None else msgspec.json.decode(row[place])
        yield len(rows), _encoder.encode_lines(rows)


def write(connection: Connection, shape: Shape, texts: Iterator[bytes]) -> None:
    """Put lines into a table, in the connection's transaction.

    Raises `msgspec.MsgspecError` for a line that no row of it can be, `No` where the database refuses one.
    """
    rows = _rows(shape, texts, sqlite=connection.dialect.name == "sqlite")
    columns = ", ".join(map(_quoted, shape.columns))
    raw = connection.connection.driver_connection
    assert raw is not None
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(shape.columns))
        with _sentences():
            raw.executemany(f"INSERT INTO {_quoted(shape.name)} ({columns}) VALUES ({places})", rows)  # noqa: S608 (our own tables)
        return
    with (
        _sentences(),
        raw.cursor() as cursor,
        cursor.copy(f"COPY {_quoted(shape.name)} ({columns}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _shape(table: Table) -> Shape:
    kept = [column for column in table.columns if column.computed is None]
    return Shape(
        # Plain words: SQLAlchemy's names are of a kind of their own.
        str(table.name),
        tuple(str(column.name) for column in kept),
        tuple(map(_kind, kept)),
        tuple(bool(column.nullable) for column in kept),
        tuple(str(column.name) for column in table.primary_key.columns),
    )


def _kind(column: Column[Any]) -> Kind:
    for type_, kind, _decoded in _KINDS:
        if isinstance(column.type, type_):
            return kind
    raise TypeError(f"a backup does not know how to keep {column.table.name}.{column.name}")


def _select(dialect: str, shape: Shape) -> str:
    kinds = dict(zip(shape.columns, shape.kinds, strict=True))
    # Without the collation, the order of letters would depend on the server.
    exact = ' COLLATE "C"' if dialect == "postgresql" else ""
    order = ", ".join(_quoted(name) + (exact if kinds[name] == "text" else "") for name in shape.key)
    columns = ", ".join(_selected(dialect, name, kind) for name, kind in kinds.items())
    return f"SELECT {columns} FROM {_quoted(shape.name)} ORDER BY {order}"  # noqa: S608 (our own tables)


def _selected(dialect: str, name: str, kind: Kind) -> str:
    column = _quoted(name)
    if kind == "time":
        if dialect == "sqlite":
            return f"replace({column}, ' ', 'T') || 'Z'"
        return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    return f"{column}::text" if kind == "json" and dialect == "postgresql" else column


def _batches(connection: Connection, query: str) -> Iterator[Sequence[Sequence[Any]]]:
    raw: Any = connection.connection.driver_connection
    with _sentences():
        if connection.dialect.name == "sqlite":
            cursor = raw.execute(query)
        else:
            # On the server, or the driver would fetch the whole table.
            cursor = cast("psycopg.Connection[Any]", raw).cursor(name="swarm_backup")
            cursor.execute(query.encode())
        with closing(cursor):
            while batch := cursor.fetchmany(TOGETHER):
                yield batch


@contextmanager
def _sentences() -> Iterator[None]:
    """What the driver refuses, for the person at the terminal, without the row it was about."""
    try:
        yield
    except (sqlite3.Error, psycopg.Error) as failure:
        said = without_secrets(str(failure)).partition("\n")[0]
        raise No(_("The database cannot be used: %(why)s", why=said)) from failure


def _rows(shape: Shape, texts: Iterator[bytes], *, sqlite: bool) -> Iterator[Sequence[Any]]:
    decoded = {kind: type_ for _class, kind, type_ in _KINDS}
    fields = [
        decoded[kind] | None if nullable and kind != "json" else decoded[kind]
        for kind, nullable in zip(shape.kinds, shape.nullable, strict=True)
    ]
    decoder = msgspec.json.Decoder(tuple[tuple(fields)])  # type: ignore[misc]
    changed: list[tuple[int, Callable[[Any], Any]]] = []
    for place, kind in enumerate(shape.kinds):
        if kind == "json":
            changed.append((place, _json_text))
        elif kind == "time" and sqlite:
            changed.append((place, _sqlite_time))
    for text in texts:
        for row in decoder.decode_lines(text):
            made = list(row)
            for place, change in changed:
                if made[place] is not None:
                    made[place] = change(made[place])
            yield made


def _json_text(value: Any) -> str:
    return _encoder.encode(value).decode()


def _sqlite_time(value: datetime) -> str:
    return value.isoformat(" ", "microseconds")[:26]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
