"""The command that brings in tickets from other tools."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from swarm.cli.plain import err, opened, out
from swarm.events.refusals import No
from swarm.modes.policy import Policy
from swarm.store import Store
from swarm.text.language import _, ngettext
from swarm.tickets.csv_rows import BadRow, ImportRefused, Options, parse_map
from swarm.tickets.csv_values import BadValue
from swarm.tickets.csv_values import language as language_code
from swarm.tickets.importing import Imported, Wishes, bring_in

SOME_BAD = 2


Dates = Literal["day-first", "month-first"]


def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE.csv…", help=_("Files to import."))],
    map: Annotated[
        list[str],
        typer.Option("--map", metavar="FIELD=COLUMN", help=_("Which column a field is in; repeat it.")),
    ] = [],  # noqa: B006  # typer reads the default
    team: Annotated[str, typer.Option(metavar="KEY", help=_("Team for all rows, by key or name."))] = "",
    team_map: Annotated[
        list[str],
        typer.Option(
            "--team-map", metavar="WORD=KEY", help=_("Team a word of the file stands for; repeat it.")
        ),
    ] = [],  # noqa: B006  # typer reads the default
    policy: Annotated[Policy, typer.Option(help=_("How teams made on the way work."))] = "tierless",
    lead: Annotated[
        str,
        typer.Option(
            metavar="EMAIL", help=_("Who leads teams made on the way; else the first administrator.")
        ),
    ] = "",
    language: Annotated[
        str, typer.Option(metavar="CODE", help=_("Of rows that name none; else the one most rows name."))
    ] = "",
    source: Annotated[
        str, typer.Option(metavar="NAME", help=_("Keeps ids of different tools apart."))
    ] = "csv",
    encoding: Annotated[str, typer.Option(help=_("Of the file; else found out."))] = "",
    delimiter: Annotated[str, typer.Option(help=_("comma, semicolon, tab or pipe; else found out."))] = "",
    dates: Annotated[Dates | None, typer.Option(help=_("What 03/04 means; else found out."))] = None,
    zone: Annotated[str, typer.Option(help=_("Time zone of dates that name none."))] = "UTC",
) -> None:
    """Import files one after the other; exit code 2 where some rows were bad and the others went in."""
    options = Options(
        map=parse_map(map),
        encoding=encoding,
        delimiter=delimiter,
        day_first=None if dates is None else dates == "day-first",
        zone=_zone(zone),
        latest=datetime.now(UTC),
    )
    wishes = Wishes(
        source=source.strip() or "csv",
        team=team,
        team_map=_pairs(team_map),
        policy=policy,
        lead=lead,
        language=_language(language),
    )
    code = 0
    with opened() as store:
        for file in files:
            try:
                result = _import(store, file, options, wishes, named=len(files) > 1)
            except ImportRefused as refused:
                err.print(refused.sentence, style="red")
                code = 1
                continue
            if result.bad and code == 0:
                code = SOME_BAD
    raise typer.Exit(code)


def _import(store: Store, file: Path, options: Options, wishes: Wishes, *, named: bool) -> Imported:
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        disable=not err.is_terminal,
    )

    def bad(row: BadRow) -> None:
        where = _("line %(line)s: %(reason)s", line=row.line, reason=row.reason)
        err.print(f"{file}: {where}" if named else where)

    with progress:
        task = progress.add_task(file.name, total=None)
        result = bring_in(
            store,
            file,
            options,
            wishes,
            on_bad=bad,
            on_start=lambda table: progress.update(task, total=table.rows),
            on_progress=lambda rows: progress.advance(task, rows),
        )
    _sum_up(file, result)
    return result


def _sum_up(file: Path, result: Imported) -> None:
    said = [
        ngettext("%(num)s ticket imported", "%(num)s tickets imported", result.added),
        ngettext("%(num)s was there already", "%(num)s were there already", result.already),
        ngettext("%(num)s row was bad", "%(num)s rows were bad", result.bad),
    ]
    out.print(f"{file.name}: {', '.join(said)}.")
    if result.new_teams:
        out.print(_("New teams: %(names)s", names=", ".join(result.new_teams)))


def _pairs(pairs: list[str]) -> tuple[tuple[str, str], ...]:
    found = []
    for pair in pairs:
        word, equals, team = pair.rpartition("=")
        if not equals or not word.strip() or not team.strip():
            raise No(_("Write --team-map as WORD=KEY, not “%(pair)s”.", pair=pair))
        found.append((word.strip(), team.strip()))
    return tuple(found)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise No(_("There is no time zone called “%(name)s”.", name=name)) from None


def _language(code: str) -> str:
    try:
        return language_code(code.strip())
    except BadValue as bad:
        raise No(bad.sentence) from None
