"""A CSV file as text: its encoding, its delimiter, and its records with the line each starts on."""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from typing import TextIO, cast

import charset_normalizer

from swarm.text.language import N_, _

# What stands for bytes that are no text in the file's encoding; no strict decoder gives this character.
UNDECODABLE = "\udcff"
DELIMITERS = (",", ";", "\t", "|")
MAX_LINE = 1_000_000  # characters of one physical line
MAX_RECORD = 2_000_000  # characters of one record, over all its lines
_CHUNK = 1 << 16
_SAMPLE = 1 << 18
# Below this many columns, prose with a comma looks like a row: reading doesn't try to find its way back.
_SEARCHABLE_WIDTH = 4

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SPREADSHEET = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_BINARY = (
    b"%PDF",
    b"\x1f\x8b",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"SQLite format 3",
    b"\x7fELF",
    b"7z\xbc\xaf",
    b"BZh",
)
_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13, 27}) + b"\x7f"
_WESTERN = frozenset("äöüßÄÖÜéèêëÉÈÊËàâÀÂçÇîïÎÏôùûñÑáíóúÁÍÓÚãõÃÕÿœŒæ¿¡«»„“”‘’‚–—…€£§°ºª©®\u00a0")
_OTHER_ENCODINGS = [
    "cp1252", "iso8859_15", "cp1250", "iso8859_2", "cp1251", "koi8_r", "cp1253", "cp1254", "mac_roman",
    "cp850", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr",
]  # fmt: skip

OUT_OF_PLACE = N_("A quotation mark is opened or closed where it can't be.")
NEVER_CLOSED = N_("A quotation mark is opened here and never closed.")
TOO_LONG = N_("This row is too long to be a ticket; perhaps a quotation mark is never closed.")


class ImportRefused(Exception):
    """The file as a whole can't be read; `sentence` says why to the person who gave it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Encoding:
    name: str
    bom: int  # bytes before the text


@dataclass(frozen=True, slots=True)
class Record:
    line: int  # the physical line it starts on, from 1
    last_line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    line: int
    last_line: int  # the last line that couldn't be read because of it
    reason: str


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return UNDECODABLE, error.end


codecs.register_error("swarm.mark", _mark)


def find_encoding(path: Path, named: str = "") -> Encoding:
    """Reads the whole file once, a piece at a time. Raises ImportRefused."""
    try:
        kind = path.stat()
        if path.is_dir():
            raise ImportRefused(_("%(path)s is a folder, not a file.", path=path))
        if not S_ISREG(kind.st_mode):
            raise ImportRefused(_("%(path)s is not an ordinary file.", path=path))
        with path.open("rb") as file:
            start = file.read(_CHUNK)
        _refuse_binary(path, start)
        bom, of_bom = next(((b, name) for b, name in _BOMS if start.startswith(b)), (b"", ""))
        if kind.st_size == len(bom):
            raise ImportRefused(_("%(path)s is empty.", path=path))
        if named:
            return Encoding(_known(named), len(bom) if _known(named) == _known(of_bom or "ascii") else 0)
        if of_bom:
            return Encoding(of_bom, len(bom))
        wide = _wide(start)
        if wide:
            return Encoding(wide, 0)
        if _many_controls(start):
            raise ImportRefused(_("%(path)s is not a text file.", path=path))
        return Encoding(_narrow(path), 0)
    except FileNotFoundError:
        raise ImportRefused(_("There is no file %(path)s.", path=path)) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ImportRefused(_("%(path)s can't be read: %(why)s.", path=path, why=why)) from None


def _known(name: str) -> str:
    try:
        codec = codecs.lookup(name)
        "".encode(codec.name)
        return codec.name
    except (LookupError, ValueError):
        raise ImportRefused(_("There is no encoding called “%(name)s”.", name=name)) from None


def _refuse_binary(path: Path, start: bytes) -> None:
    if start.startswith(_SPREADSHEET):
        raise ImportRefused(
            _("%(path)s is a workbook or an archive. Save the sheet as CSV and import that.", path=path)
        )
    if start.startswith(_BINARY):
        raise ImportRefused(_("%(path)s is not a text file.", path=path))


def _many_controls(start: bytes) -> bool:
    controls = len(start) - len(start.translate(None, _CONTROLS))
    return controls > max(4, len(start) // 20)


def _wide(start: bytes) -> str:
    """UTF-16 without a mark: nearly every other byte of European text is zero."""
    half = len(start) // 2
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if half >= 4 and odd > half * 0.7 and even < half * 0.1:
        return "utf-16-le"
    if half >= 4 and even > half * 0.7 and odd < half * 0.1:
        return "utf-16-be"
    return ""


def _narrow(path: Path) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")("swarm.mark")
    good = bad = 0
    sample = bytearray()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            text = decoder.decode(chunk)
            if text.isascii():
                continue
            marks = text.count(UNDECODABLE)
            bad += marks
            good += len(text) - len(text.encode("ascii", "ignore")) - marks
            if marks and len(sample) < _SAMPLE:
                sample += chunk
    if decoder.decode(b"", final=True):
        bad += 1
    # A few broken bytes in a file full of good UTF-8 are broken rows, not another encoding.
    if not bad or good > bad:
        return "utf-8"
    high = bytes(byte for byte in sample if byte >= 0x80)
    if frozenset(high.decode("cp1252", "replace")) <= _WESTERN:
        return "cp1252"
    best = charset_normalizer.from_bytes(bytes(sample), cp_isolation=_OTHER_ENCODINGS).best()
    return best.encoding if best else "cp1252"


def open_text(path: Path, encoding: Encoding) -> TextIO:
    """The text after the byte order mark. Raises ImportRefused."""
    try:
        file = path.open("r", encoding=encoding.name, errors="swarm.mark", newline="")
        if encoding.bom:
            file.seek(encoding.bom)
        return cast(TextIO, file)
    except OSError as error:
        raise ImportRefused(
            _("%(path)s can't be read: %(why)s.", path=path, why=error.strerror or error)
        ) from None


def find_delimiter(text: str) -> str:
    """The delimiter of a file that starts with `text`: the one that gives even rows, then more columns."""
    named = re.match(r"sep=([,;\t|])\r?\n?", text, re.IGNORECASE)
    if named:
        return named[1]
    best, best_score = DELIMITERS[0], (0.0, 0)
    for delimiter in DELIMITERS:
        rows = []
        try:
            for cells in csv.reader(text.splitlines(keepends=True), delimiter=delimiter):
                if cells:
                    rows.append(len(cells))
                if len(rows) == 100:
                    break
        except csv.Error:
            pass
        rows = rows[:-1] if len(rows) > 2 else rows  # the last may be cut off by the sample's end
        if not rows or rows[0] < 2:
            continue
        even = sum(1 for width in rows if width == rows[0]) / len(rows)
        if (even, rows[0]) > best_score:
            best, best_score = delimiter, (even, rows[0])
    return best


@dataclass(slots=True)
class Lines:
    """Physical lines, read no further than asked, of which some can be given back."""

    file: TextIO
    number: int = 0  # of the last line dropped
    ahead: deque[str | None] = field(default_factory=deque)  # None: a line over MAX_LINE, thrown away

    def at(self, index: int) -> str | None:
        """The line `index` after the dropped ones. Raises StopIteration at the end of the file."""
        while len(self.ahead) <= index:
            line = self.file.readline(MAX_LINE)
            if not line:
                raise StopIteration
            if len(line) < MAX_LINE or line[-1] in "\r\n":
                self.ahead.append(line)
                continue
            while (more := self.file.readline(MAX_LINE)) and more[-1] not in "\r\n":
                pass
            self.ahead.append(None)
        return self.ahead[index]

    def drop(self, count: int) -> None:
        for _each in range(count):
            self.ahead.popleft()
        self.number += count


def records(lines: Lines, delimiter: str, width: int = 0) -> Iterator[Record | Broken]:
    """Records one after the other. After a broken one, reading goes on at the next line that starts a record
    of `width` cells, so that one quotation mark too many doesn't take the rest of the file with it.
    """
    while True:
        try:
            lines.at(0)
        except StopIteration:
            return
        cells, taken, reason = _record(lines, delimiter)
        start = lines.number + 1
        if not reason:
            lines.drop(taken)
            if cells:
                yield Record(start, lines.number, tuple(cells))
            continue
        if width < _SEARCHABLE_WIDTH:
            lines.drop(taken)
        else:
            lines.drop(1)
            _find_way_back(lines, delimiter, width)
        yield Broken(start, lines.number, reason)


def _find_way_back(lines: Lines, delimiter: str, width: int) -> None:
    while True:
        try:
            lines.at(0)
        except StopIteration:
            return
        cells, _taken, reason = _record(lines, delimiter)
        if not reason and len(cells) == width:
            return
        lines.drop(1)


def _record(lines: Lines, delimiter: str) -> tuple[Sequence[str], int, str]:
    """The cells of the record that starts at the first line, how many lines it took, why it can't be read."""
    taken = size = 0
    ended = overlong = False

    def source() -> Iterator[str]:
        nonlocal taken, size, ended, overlong
        while True:
            try:
                line = lines.at(taken)
            except StopIteration:
                ended = True
                return
            taken += 1
            size += len(line or "")
            if line is None or size > MAX_RECORD:
                overlong = True
                return
            yield line

    try:
        cells = next(csv.reader(source(), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        if overlong or "field larger than" in str(error):
            return (), max(taken, 1), TOO_LONG
        return (), max(taken, 1), NEVER_CLOSED if ended else OUT_OF_PLACE
    return cells, taken, TOO_LONG if overlong else ""
