"""Whether what people send can be kept, and looked at before."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from urllib.parse import urlsplit

from swarm.files.shelf import Away
from swarm.files.storages import shelf_of
from swarm.keeping.findings import Finding, error, is_local, ok, warning
from swarm.settings import Settings
from swarm.text.language import _

SLOW = 2.0
"""Seconds for keeping, reading and forgetting something small."""


def examine(settings: Settings) -> Iterator[Finding]:
    """The folder, the storage, the scanner."""
    yield from _folder(settings)
    if settings.files.storage != "disk":
        yield from _storage(settings)
    if settings.files.scan:
        yield from _scanner(settings)


def _folder(settings: Settings) -> Iterator[Finding]:
    check, folder = _("Files"), Path(settings.files.folder).resolve()
    nearest = next(one for one in (folder, *folder.parents) if one.is_dir())
    try:
        with TemporaryFile(dir=nearest) as tried:
            tried.write(b"\0" * 4096)
            tried.flush()
            os.fsync(tried.fileno())
    except OSError as refused:
        yield error(
            check, _("Nothing can be kept in %(folder)s: %(why)s.", folder=folder, why=refused.strerror)
        )
    else:
        here = _("They can be kept in %(folder)s.", folder=folder)
        there = _("They arrive in %(folder)s.", folder=folder)
        yield ok(check, here if settings.files.storage == "disk" else there)
    if folder.is_dir() and folder.stat().st_mode & 0o044:
        yield warning(check, _("Others on this machine may read %(path)s: chmod 700.", path=folder))


def _storage(settings: Settings) -> Iterator[Finding]:
    check, files = _("Storage of files"), settings.files
    where = f"{files.bucket} · {files.endpoint or files.region}"
    began = time.monotonic()
    try:
        shelf_of(files).try_out()
    except Away as away:
        yield error(
            check, _("%(where)s does not keep files: %(why)s. None are taken.", where=where, why=away)
        )
        return
    except OSError:
        # Of the folder, which was told already.
        return
    took = time.monotonic() - began
    sentence = _("%(where)s keeps files; to and fro took %(ms)s ms.", where=where, ms=round(took * 1000))
    yield ok(check, sentence) if took < SLOW else warning(check, sentence)
    split = urlsplit(files.endpoint)
    if split.scheme == "http" and not is_local(split.hostname or ""):
        yield warning(check, _("Files go to %(where)s unencrypted: use https.", where=where))


def _scanner(settings: Settings) -> Iterator[Finding]:
    check, files = _("Virus scan"), settings.files
    with NamedTemporaryFile() as harmless:
        harmless.write(b"Nothing but this line.\n")
        harmless.flush()
        try:
            command = [*shlex.split(files.scan), harmless.name]
            # What the operator set as the scanner, without a shell.
            done = subprocess.run(command, capture_output=True, timeout=files.scan_seconds)  # noqa: S603
            code = done.returncode
        except (OSError, ValueError, subprocess.TimeoutExpired):
            code = -1
    if code == 0:
        yield ok(check, _("The scanner finds nothing in a harmless file, as it should."))
    else:
        yield error(check, _("The scanner does not work on a harmless file, so that no files are taken."))
