"""The file a backup is: a zip with one member a table and a manifest; knows no database.

    manifest.json         `Manifest`, written last
    tables/NAME.jsonl     a JSON array a line, in the order of the manifest's columns, sorted by primary key
    files/TOKEN           what people attached, and TOKEN.safe its safe copy; named in `Manifest.files`

A time is ISO 8601 in UTC with microseconds. Both databases write the same bytes for the same rows.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, Self

import msgspec

from swarm.events.refusals import No
from swarm.text.language import _

FORMAT: Final = "swarm-backup"
VERSION = 1
"""Grows when an older swarm could not read what a newer one writes."""
MANIFEST = "manifest.json"
MOST_MANIFEST = 64 * 1024 * 1024
"""Bytes: some half a million files."""
CHUNK = 1024 * 1024
"""Bytes held at a time."""
LONGEST_LINE = 64 * 1024 * 1024
"""Bytes of one row."""
LEVEL = 4
"""Of deflate: twice as fast as the usual 6, and a few percent larger."""

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)
"""What reading a damaged zip may raise."""
_TABLE = re.compile(r"[a-z][a-z0-9_]{0,62}")
_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}")


class BadArchive(No):
    """The file is not a whole backup that this swarm can read."""


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file's bytes must be, unpacked."""

    bytes: int
    sha256: str


class Rows(Member, frozen=True, forbid_unknown_fields=True):
    """What a table's bytes must be, unpacked."""

    rows: int
    columns: tuple[str, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup holds."""

    format: str = FORMAT
    version: int = VERSION
    revision: str
    """Of the tables, as `swarm migrate` counts."""
    epoch: str
    """Of the database it was taken from; a restored one gets its own."""
    taken_at: str
    swarm: str
    """The version that wrote it."""
    database: str
    tables: Mapping[str, Rows]
    files: Mapping[str, Member] = {}


class _Head(msgspec.Struct):
    """What every version's manifest begins with."""

    format: str
    version: int


class Writer:
    """Puts members into an archive one after the other; nothing is held but a chunk.

    A context: what ends early gets no end, and nobody takes it for a backup.
    """

    def __init__(self, out: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)
        self.tables: dict[str, Rows] = {}
        self.files: dict[str, Member] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        # Nothing more to write: without this, the end would be written when the object goes.
        self._zip.fp = None

    def table(self, name: str, columns: tuple[str, ...], batches: Iterable[tuple[int, bytes]]) -> None:
        """A table's rows, as batches of their number and their lines."""
        count = 0

        def lines() -> Iterator[bytes]:
            nonlocal count
            for rows, text in batches:
                count += rows
                yield text

        kept = self._member(_table(name), lines())
        self.tables[name] = Rows(kept.bytes, kept.sha256, count, columns)

    def file(self, name: str, chunks: Iterable[bytes]) -> None:
        """What somebody attached, under a name of our own making."""
        if not _FILE.fullmatch(name):
            raise ValueError(f"{name!r} is not a name for a file in a backup")
        self.files[name] = self._member(f"files/{name}", chunks)

    def close(self, manifest: Manifest) -> None:
        """Write the manifest, and with it the end: without it nobody takes the file for a backup."""
        self._zip.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
        self._zip.close()

    def _member(self, name: str, chunks: Iterable[bytes]) -> Member:
        digest, size = hashlib.sha256(), 0
        with self._zip.open(name, "w", force_zip64=True) as member:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                member.write(chunk)
        return Member(size, digest.hexdigest())


class Archive:
    """A backup that is read: members by the names its manifest gives, and nothing else may be in it."""

    def __init__(self, packed: zipfile.ZipFile, manifest: Manifest) -> None:
        self._zip = packed
        self.manifest = manifest

    def table(self, name: str) -> Iterator[bytes]:
        """A table's lines, whole lines together. Raises `BadArchive` where they are not what was written."""
        rest, rows, about = b"", 0, self.manifest.tables[name]
        for chunk in self._chunks(_table(name), about):
            head, newline, tail = chunk.rpartition(b"\n")
            if not newline:
                rest += chunk
                if len(rest) > LONGEST_LINE:
                    raise _damaged(_table(name))
                continue
            lines, rest = rest + head + newline, tail
            rows += lines.count(b"\n")
            yield lines
        if rest or rows != about.rows:
            raise _damaged(_table(name))

    def file(self, name: str) -> Iterator[bytes]:
        """The bytes of what somebody attached. Raises `BadArchive` where they are not what was written."""
        return self._chunks(f"files/{name}", self.manifest.files[name])

    def verify(self) -> None:
        """Read everything once. Raises `BadArchive`."""
        for name in self.manifest.tables:
            for _lines in self.table(name):
                pass
        for name, about in self.manifest.files.items():
            for _chunk in self._chunks(f"files/{name}", about):
                pass

    def _chunks(self, name: str, about: Member) -> Iterator[bytes]:
        digest, size = hashlib.sha256(), 0
        try:
            with self._zip.open(name) as member:
                while chunk := member.read(CHUNK):
                    size += len(chunk)
                    if size > about.bytes:
                        raise _damaged(name)
                    digest.update(chunk)
                    yield chunk
        except _BROKEN:
            raise _damaged(name) from None
        if (size, digest.hexdigest()) != (about.bytes, about.sha256):
            raise _damaged(name)


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """A backup, its manifest read and its members counted. Raises `BadArchive`."""
    try:
        packed = zipfile.ZipFile(path)
    except OSError as error:
        raise BadArchive(_("%(path)s cannot be read: %(why)s.", path=path, why=error.strerror)) from None
    except _BROKEN:
        raise BadArchive(
            _("%(path)s is not a backup, or not a whole one: it has no end.", path=path)
        ) from None
    with packed:
        yield Archive(packed, _manifest(packed))


def _manifest(packed: zipfile.ZipFile) -> Manifest:
    foreign = BadArchive(_("This file was not made by swarm backup."))
    try:
        with packed.open(MANIFEST) as member:
            text = member.read(MOST_MANIFEST + 1)
        head = msgspec.json.decode(text, type=_Head)
    except (KeyError, msgspec.MsgspecError, *_BROKEN):
        raise foreign from None
    if head.format != FORMAT:
        raise foreign
    if head.version != VERSION:
        raise BadArchive(
            _("This backup was made by another version of swarm, whose backups this one does not read.")
        )
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.MsgspecError:
        raise foreign from None
    _only_what_belongs(packed, manifest)
    return manifest


def _only_what_belongs(packed: zipfile.ZipFile, manifest: Manifest) -> None:
    named = all(map(_TABLE.fullmatch, manifest.tables)) and all(map(_FILE.fullmatch, manifest.files))
    wanted = {MANIFEST, *map(_table, manifest.tables), *(f"files/{name}" for name in manifest.files)}
    there = [info.filename for info in packed.infolist()]
    if not named or sorted(there) != sorted(wanted):
        raise BadArchive(_("This backup does not hold exactly what its manifest says."))
    for info in packed.infolist():
        if info.compress_type not in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED) or info.flag_bits & 1:
            raise BadArchive(_("This backup is packed in a way that swarm backup does not use."))


def _table(name: str) -> str:
    return f"tables/{name}.jsonl"


def _damaged(name: str) -> BadArchive:
    return BadArchive(_("The backup is damaged: %(name)s is not what was written.", name=name))
