"""Commands that keep a desk safe: backup, restore, doctor."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import Progress as Bar
from rich.progress import TextColumn, TimeElapsedColumn

from swarm.cli.plain import err, out, read_settings
from swarm.events.refusals import No
from swarm.files.storages import shelf_of
from swarm.keeping import archive
from swarm.keeping.archive import Manifest
from swarm.keeping.backup import Progress, stream, take
from swarm.keeping.doctor import examine
from swarm.keeping.restore import restore as restore_into
from swarm.text.language import _, ngettext

MEGABYTE = 1_000_000


def backup(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help=_("A new file, a folder to make one in, or - for standard output.")
        ),
    ],
    check: Annotated[
        bool,
        typer.Option("--check", help=_("Only read the file that is there, and say whether it is whole.")),
    ] = False,
) -> None:
    """Back up a desk in use; or check a backup, which needs no database."""
    if check:
        with archive.opened(Path(file)) as packed:
            packed.verify()
        out.print(_("%(path)s is whole. %(what)s", path=file, what=_what(packed.manifest)))
        return
    settings = read_settings()
    shelf = shelf_of(settings.files)
    if file == "-":
        if sys.stdout.isatty():
            raise No(_("A backup is not for a terminal: send it into a file or another program."))
        with _told() as progress:
            stream(settings.database.url, sys.stdout.buffer, shelf=shelf, progress=progress)
        sys.stdout.buffer.flush()
        return
    path = Path(file)
    if path.is_dir():
        path = path / f"swarm-{datetime.now(UTC):%Y%m%d-%H%M%S}.zip"
    with _told() as progress:
        taken = take(settings.database.url, path, shelf=shelf, progress=progress)
    size = f"{taken.bytes / MEGABYTE:.1f} MB"
    out.print(_("%(path)s, %(size)s. %(what)s", path=path, size=size, what=_what(taken.manifest)))


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=_("What swarm backup made."))],
    with_sessions: Annotated[
        bool,
        typer.Option(
            "--with-sessions",
            help=_("Also who is signed in and links not yet used: when nobody worked on since the backup."),
        ),
    ] = False,
) -> None:
    """Fill an empty database with a backup; all of it, or nothing."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    settings = read_settings()
    shelf = shelf_of(settings.files)
    with _told() as progress:
        manifest = restore_into(
            settings.database.url, file, shelf=shelf, with_sessions=with_sessions, progress=progress
        )
    out.print(_("The backup of %(when)s is restored. %(what)s", when=manifest.taken_at, what=_what(manifest)))


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help=_("For programs."))] = False,
) -> None:
    """Examine the installation; exit code 1 where something is broken."""
    found = []
    for finding in examine(os.environ):
        found.append(finding)
        if not as_json:
            style = {"ok": "green", "warning": "yellow", "error": "red"}[finding.level]
            out.print(f"{finding.level:8}", style=style, end="")
            out.print(f"{finding.check}: {finding.sentence}")
    if as_json:
        print(msgspec.json.encode(found).decode())
    raise typer.Exit(1 if any(finding.level == "error" for finding in found) else 0)


def _what(manifest: Manifest) -> str:
    tickets, messages = manifest.tables["tickets"].rows, manifest.tables["messages"].rows
    said = [
        ngettext("%(num)s ticket", "%(num)s tickets", tickets),
        ngettext("%(num)s message", "%(num)s messages", messages),
    ]
    noted = manifest.tables["files"].rows if "files" in manifest.tables else 0
    kept = sum(not name.endswith(".safe") for name in manifest.files)
    if noted:
        said.append(ngettext("%(num)s file", "%(num)s files", kept))
    missing = ngettext(
        "%(num)s file is noted whose bytes are not kept any more.",
        "%(num)s files are noted whose bytes are not kept any more.",
        noted - kept,
    )
    return f"{', '.join(said)}." + (f" {missing}" if noted > kept else "")


@contextmanager
def _told() -> Iterator[Progress]:
    """What is under way, on a terminal."""
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed}"), TimeElapsedColumn())
    with Bar(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        tasks = {}

        def progress(table: str, more: int) -> None:
            if table not in tasks:
                tasks[table] = bar.add_task(table, total=None)
            bar.advance(tasks[table], more)

        yield progress
