"""Tickets out of a CSV file, row by row, the bad ones with line and reason. Knows no database."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from swarm.text.clean import scrub
from swarm.text.language import _
from swarm.tickets import csv_values
from swarm.tickets.csv_columns import find_columns, parse_map
from swarm.tickets.csv_text import (
    DELIMITERS,
    UNDECODABLE,
    Broken,
    Encoding,
    ImportRefused,
    Lines,
    Record,
    find_delimiter,
    find_encoding,
    open_text,
    records,
)
from swarm.tickets.csv_values import BadValue, shown

__all__ = ["BadRow", "ImportRefused", "Options", "Row", "Table", "describe", "parse_map", "read_rows"]

MAX_SUBJECT = 200
MAX_FILLED_SUBJECT = 120
MAX_TEXT = 20_000
MAX_WORD = 200
# Vertical tab, form feed and NEL are white space to swarm.text.clean.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_EMAIL = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")
_HEAD = 1 << 16


@dataclass(frozen=True, slots=True)
class Options:
    map: tuple[tuple[str, str], ...] = ()  # field and column, see parse_map
    encoding: str = ""  # empty: found out
    delimiter: str = ""  # empty: found out
    day_first: bool | None = None  # of 03/04/2024; None: found out
    zone: tzinfo = UTC  # of dates that name none
    latest: datetime | None = None  # a ticket opened after it is a bad row


@dataclass(frozen=True, slots=True)
class Table:
    """What was found out about the file before its first row."""

    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    fields: Mapping[str, tuple[int, ...]]
    rows: int  # good and bad, as many as read_rows gives
    day_first: bool | None
    bom: int = 0

    @property
    def mapping(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(self.columns[index] for index in found) for name, found in self.fields.items()}

    @property
    def unused(self) -> tuple[str, ...]:
        used = {index for found in self.fields.values() for index in found}
        return tuple(name for index, name in enumerate(self.columns) if index not in used)


@dataclass(frozen=True, slots=True)
class Row:
    """One ticket. What the file doesn't say is empty; the subject and the body stand in for each other."""

    line: int  # the physical line it starts on, from 1
    external_id: str
    subject: str
    body: str
    answer: str
    team: str
    priority: str  # low, normal, high, urgent
    language: str
    category: str
    tags: tuple[str, ...]
    customer_name: str
    customer_email: str
    company: str
    opened_at: datetime | None
    status: str  # open, waiting, on_hold, resolved, closed
    digest: str = field(default="", compare=False)  # of all but the line


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    reason: str
    last_line: int  # further than `line` where what follows couldn't be read either


def describe(path: Path, options: Options | None = None) -> Table:
    """Reads the file through once, a piece at a time. Raises ImportRefused."""
    options = options or Options()
    encoding = find_encoding(path, options.encoding)
    with open_text(path, encoding) as file:
        head = file.read(_HEAD)
    if not head.strip():
        raise ImportRefused(_("%(path)s is empty.", path=path))
    delimiter = _named_delimiter(options.delimiter) or find_delimiter(head)
    with open_text(path, encoding) as file:
        lines = Lines(file)
        header = _header(lines, delimiter)
        fields = find_columns(header, options.map)
        dates = fields.get("opened_at", ())
        rows = 0

        def date_cells() -> Iterator[str]:
            nonlocal rows
            for record in records(lines, delimiter, len(header)):
                rows += 1
                if dates and isinstance(record, Record) and len(record.cells) == len(header):
                    yield record.cells[dates[0]]

        found = csv_values.day_first(date_cells())
    day_first = found if options.day_first is None else options.day_first
    return Table(encoding.name, delimiter, header, fields, rows, day_first, encoding.bom)


def read_rows(
    path: Path, options: Options | None = None, table: Table | None = None
) -> Iterator[Row | BadRow]:
    """Every record of the file in order, holding one at a time. Raises ImportRefused before the first."""
    options = options or Options()
    table = table or describe(path, options)
    seen: dict[bytes, int] = {}
    with open_text(path, Encoding(table.encoding, table.bom)) as file:
        lines = Lines(file)
        _header(lines, table.delimiter)
        for record in records(lines, table.delimiter, len(table.columns)):
            if isinstance(record, Broken):
                yield BadRow(record.line, _(record.reason), record.last_line)
                continue
            try:
                row = _row(record, table, options)
                _only_once(row, seen)
                yield row
            except BadValue as bad:
                yield BadRow(record.line, bad.sentence, record.last_line)


def _named_delimiter(named: str) -> str:
    delimiter = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}.get(named, named)
    if delimiter and delimiter not in DELIMITERS:
        raise ImportRefused(_("A delimiter is a comma, a semicolon, a tab or a pipe."))
    return delimiter


def _header(lines: Lines, delimiter: str) -> tuple[str, ...]:
    try:
        if re.fullmatch(r"sep=.\s*", lines.at(0) or "", re.IGNORECASE):
            lines.drop(1)
    except StopIteration:
        pass
    first = next(records(lines, delimiter), None)
    if first is None:
        raise ImportRefused(_("The file has no header."))
    if isinstance(first, Broken):
        raise ImportRefused(_("The header can't be read: %(why)s", why=_(first.reason)))
    if any(UNDECODABLE in name or _CONTROL.search(name) for name in first.cells):
        raise ImportRefused(_("The header holds characters that are not text."))
    return tuple(" ".join(name.split()) for name in first.cells)


def _row(record: Record, table: Table, options: Options) -> Row:
    if len(record.cells) != len(table.columns):
        raise BadValue(
            _(
                "This row has %(found)d columns, the header has %(wanted)d.",
                found=len(record.cells),
                wanted=len(table.columns),
            )
        )
    for name, cell in zip(table.columns, record.cells, strict=True):
        if UNDECODABLE in cell:
            raise BadValue(
                _(
                    "The column “%(column)s” holds bytes that are not text in %(encoding)s.",
                    column=shown(name),
                    encoding=table.encoding,
                )
            )
        if control := _CONTROL.search(cell):
            raise BadValue(
                _(
                    "The column “%(column)s” holds a control character (%(code)s).",
                    column=shown(name),
                    code=f"U+{ord(control[0]):04X}",
                )
            )

    def text(name: str, limit: int, lines: bool = True) -> str:
        cell = scrub("".join(record.cells[index] for index in table.fields.get(name, ())[:1]), lines)
        if len(cell) > limit:
            raise BadValue(
                _(
                    "The column “%(column)s” is %(length)d characters long; the most is %(limit)d.",
                    column=shown(table.mapping[name][0]),
                    length=len(cell),
                    limit=limit,
                )
            )
        return cell

    def word(name: str, limit: int = MAX_WORD) -> str:
        return text(name, limit, lines=False)

    subject, body = word("subject", MAX_SUBJECT), text("body", MAX_TEXT)
    subject = subject or _first_line(body)
    if not subject:
        raise BadValue(_("This row has neither a subject nor a body."))
    email = word("customer_email", 254)
    if email and not _EMAIL.fullmatch(email):
        raise BadValue(_("“%(word)s” is not an e-mail address.", word=shown(email)))
    listed = (
        (record.cells[index], not table.columns[index][-1:].isdigit())
        for index in table.fields.get("tags", ())
    )
    row = Row(
        line=record.line,
        external_id=word("external_id"),
        subject=subject,
        body=body or subject,
        answer=text("answer", MAX_TEXT),
        team=word("team"),
        priority=csv_values.priority(word("priority")),
        language=csv_values.language(word("language")),
        category=csv_values.category(word("category", 60)),
        tags=csv_values.tags(listed),
        customer_name=word("customer_name"),
        customer_email=email,
        company=word("company"),
        opened_at=csv_values.moment(word("opened_at"), options.zone, table.day_first, options.latest),
        status=csv_values.status(word("status")),
    )
    return _with_digest(row)


def _first_line(body: str) -> str:
    """The first line with something in it, cut after a word."""
    line = next((scrub(part) for part in body.split("\n") if scrub(part)), "")
    if len(line) <= MAX_FILLED_SUBJECT:
        return line
    cut = line[:MAX_FILLED_SUBJECT].rsplit(" ", 1)[0][: MAX_FILLED_SUBJECT - 1]
    return cut.rstrip(" ,;:–-") + "…"


def _with_digest(row: Row) -> Row:
    content = asdict(row)
    del content["line"], content["digest"]
    content["opened_at"] = row.opened_at.isoformat() if row.opened_at else ""
    written = json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return replace(row, digest=hashlib.sha256(written.encode("ascii")).hexdigest())


def _only_once(row: Row, seen: dict[bytes, int]) -> None:
    name = "id:" + row.external_id if row.external_id else "row:" + row.digest
    key = hashlib.blake2b(name.encode("utf-8"), digest_size=16).digest()
    before = seen.setdefault(key, row.line)
    if before == row.line:
        return
    if row.external_id:
        raise BadValue(
            _("The id “%(id)s” is already that of line %(line)d.", id=shown(row.external_id), line=before)
        )
    raise BadValue(_("This row is the same as line %(line)d.", line=before))
