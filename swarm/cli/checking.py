"""Commands that apply the configuration and prove a promise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swarm import seeds
from swarm.cli.plain import OPERATOR, As, acting, err, group, opened, out
from swarm.store import Work
from swarm.text.language import _, ngettext
from swarm.tickets.chains import walk

config = group(_("Teams, skills and people from a file."))
ownership = group(_("The promise that a ticket has exactly one owner."))


@config.callback()
def _config() -> None:
    """Keeps `apply` a word of its own."""


@ownership.callback()
def _ownership() -> None:
    """Keeps `check` a word of its own."""


@config.command("apply", help=_("Make the file count again and say what that changed; takes nothing away."))
def apply(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help=_("Else config/teams.toml."))] = None,
    by: As = "",
) -> None:
    def do(work: Work) -> list[str]:
        acting(work, by)
        return seeds.apply(work, file)

    with opened() as store:
        changed = store.write_now(OPERATOR, do)
    for line in changed or [_("Nothing to change.")]:
        out.print(line)


@ownership.command("check", help=_("Walk every ticket's chain of owners; exit code 1 where one is broken."))
def check() -> None:
    def read(work: Work) -> tuple[int, int]:
        count = broken = 0
        for checked in walk(work.session):
            count += 1
            if checked.problem:
                broken += 1
                err.print(
                    _("Ticket %(id)s: %(problem)s", id=checked.ticket_id, problem=checked.problem),
                    style="red",
                )
        return count, broken

    with opened() as store:
        count, broken = store.read_now(OPERATOR, read)
    walked = ngettext("%(num)s ticket walked", "%(num)s tickets walked", count)
    found = ngettext("%(num)s broken chain", "%(num)s broken chains", broken)
    out.print(f"{walked}, {found}.")
    raise typer.Exit(1 if broken else 0)
