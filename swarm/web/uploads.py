"""Forms that bring files: bytes go to the disk as they arrive, whatever their number."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from swarm.files import names
from swarm.files.kinds import HEAD, UNKNOWN, kind_of
from swarm.files.shelf import Away, Shelf
from swarm.settings import Files
from swarm.text.language import _, ngettext
from swarm.web.errors import BadRequest, Problem, Typed
from swarm.web.forms import LONGEST_FIELD, MOST_FIELDS

_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=?-]{1,70}")


@dataclass
class Arrived:
    """A file whose bytes are here and belong to nothing yet."""

    token: str
    name: str
    bytes: int = 0
    sha256: str = ""
    kind: str = UNKNOWN
    refused: str = ""
    """Why it cannot be taken; its bytes are gone."""


@dataclass
class Sent:
    """A form with files, as it arrived."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    files: list[Arrived] = field(default_factory=list)


def has_files(request: Request) -> bool:
    """Whether this is a form of the kind that can bring files."""
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


async def read(request: Request, shelf: Shelf, limits: Files) -> Sent:
    """The form; a file that is refused stands in it with the reason. Raises `BadRequest`, `Problem`.

    Cut off in the middle, it leaves nothing behind.
    """
    boundary = parse_options_header(request.headers.get("content-type", ""))[1].get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise BadRequest(_("This form could not be read."))
    reader = _Reader(shelf, limits)
    # It takes callbacks by name; its type wants the closed kind of dictionary.
    parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
    try:
        async for chunk in request.stream():
            for start in range(0, len(chunk), 64 * 1024):
                parser.write(chunk[start : start + 64 * 1024])
                await reader.store()
        parser.finalize()
        if not reader.ended:
            raise BadRequest(_("This form could not be read."))
        return Sent([(_utf8(name), _utf8(value)) for name, value in reader.pairs], reader.files)
    except FormParserError:
        reader.give_up()
        raise BadRequest(_("This form could not be read.")) from None
    except OSError as error:
        reader.give_up()
        raise not_kept(error) from error
    except BaseException:
        reader.give_up()
        raise


def not_kept(failure: OSError, typed: Typed | None = None) -> Problem:
    """Why no file is taken: the storage is away, or the disk takes none; `typed` is kept."""
    if isinstance(failure, Away):
        words = _("Files cannot be kept right now: their storage does not answer. Nothing was sent yet.")
        title, status = _("Files cannot be kept"), 503
    else:
        words = _("Files cannot be kept right now: there is no room on the server. Nothing was sent yet.")
        title, status = _("No room for files"), 507
    if typed is not None:
        typed = replace(typed, sentence=words)
    return Problem(status, title, words, {"Retry-After": "30"} if status == 503 else None, typed)


def _utf8(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest(_("This is not written in UTF-8.")) from None


class _Reader:
    """Told by the parser what comes; holds no more than one chunk of it."""

    def __init__(self, shelf: Shelf, limits: Files) -> None:
        self.pairs: list[tuple[bytes, bytes]] = []
        self.files: list[Arrived] = []
        self.ended = False
        self._shelf, self._limits = shelf, limits
        self._header = [b"", b""]
        self._about: dict[bytes, bytes] = {}
        self._field: tuple[bytes, bytearray] | None = None
        self._file: Arrived | None = None
        self._open: IO[bytes] | None = None
        self._digest = hashlib.sha256()
        self._todo: list[tuple[Arrived, bytes | None]] = []
        self._total = 0
        self._parts = 0
        self._first = b""
        self._nameless = False

    def callbacks(self) -> dict[str, object]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._head(0, data[start:end]),
            "on_header_value": lambda data, start, end: self._head(1, data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._part,
            "on_part_data": lambda data, start, end: self._data(data[start:end]),
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    async def store(self) -> None:
        """Write what came, off the event loop."""
        if todo := self._todo:
            self._todo = []
            await asyncio.to_thread(self._write, todo)

    def give_up(self) -> None:
        """Leave nothing behind."""
        if self._open is not None:
            self._open.close()
        for one in self.files:
            self._shelf.drop(one.token)

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_FIELDS:
            raise BadRequest(_("There are too many fields in this."))
        self._about, self._field, self._file = {}, None, None

    def _head(self, place: int, data: bytes) -> None:
        self._header[place] += data

    def _header_end(self) -> None:
        self._about[self._header[0].lower()] = self._header[1]
        self._header = [b"", b""]

    def _part(self) -> None:
        kind, options = parse_options_header(self._about.get(b"content-disposition", b""))
        name = options.get(b"name")
        if kind != b"form-data" or name is None or len(name) > 100:
            raise BadRequest(_("This form could not be read."))
        if b"filename" not in options:
            self._field = (name, bytearray())
            return
        if name != b"files":
            raise BadRequest(_("This form could not be read. Files are not taken here."))
        called = names.clean(options[b"filename"].decode("utf-8", "replace"))
        self._file = Arrived(secrets.token_hex(16), called)
        self._nameless = not options[b"filename"]
        self.files.append(self._file)
        if len(self.files) > self._limits.most:
            self._file.refused = ngettext(
                "At most %(num)s file goes with a message.",
                "At most %(num)s files go with a message.",
                self._limits.most,
            )
        elif refused := names.endings(called) & set(self._limits.refused):
            self._file.refused = _("Files ending in .%(ending)s are not taken.", ending=min(refused))

    def _data(self, data: bytes) -> None:
        if self._field is not None:
            self._field[1].extend(data)
            if len(self._field[1]) > LONGEST_FIELD:
                raise BadRequest(_("One field of this is far too long."))
        elif self._file is not None:
            self._count(self._file, len(data))
            if not self._file.refused:
                self._todo.append((self._file, data))

    def _count(self, file: Arrived, more: int) -> None:
        file.bytes += more
        if file.refused:
            return
        self._total += more
        if file.bytes > self._limits.most_bytes:
            most = f"{self._limits.most_bytes / 1e6:.0f}"
            file.refused = _("This file is too large: at most %(most)s MB.", most=most)
        elif self._total > self._limits.message_bytes:
            most = f"{self._limits.message_bytes / 1e6:.0f}"
            file.refused = _("Together these files are too large: at most %(most)s MB.", most=most)

    def _end(self) -> None:
        if self._field is not None:
            self.pairs.append((self._field[0], bytes(self._field[1])))
        elif self._file is not None:
            if not self._file.bytes:
                # A browser sends an empty part for a field in which nothing was chosen.
                if self._nameless:
                    self.files.remove(self._file)
                    return
                self._file.refused = self._file.refused or _("This file is empty.")
            self._todo.append((self._file, None))

    def _finish(self) -> None:
        self.ended = True

    def _write(self, todo: list[tuple[Arrived, bytes | None]]) -> None:
        for file, data in todo:
            if data is None:
                if self._open is not None:
                    self._open.close()
                    file.sha256 = self._digest.hexdigest()
                self._open, self._digest = None, hashlib.sha256()
                if file.refused:
                    self._shelf.drop(file.token)
                elif file.kind.startswith("program/") and "programs" in self._limits.refused:
                    file.refused = _("Programs are not taken, whatever they are called.")
                    self._shelf.drop(file.token)
                continue
            if file.refused:
                continue
            if self._open is None:
                self._open = _only_ours(self._shelf.arriving(file.token))
                file.kind = UNKNOWN
                self._first = b""
            if len(self._first) < HEAD:
                self._first += data[: HEAD - len(self._first)]
                file.kind = kind_of(self._first)
            self._open.write(data)
            self._digest.update(data)


def _only_ours(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
