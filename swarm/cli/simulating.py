"""The command that lets simulated people loose on a server, and prints what happened."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from swarm.cli.plain import out
from swarm.events.refusals import No
from swarm.simulation import Account, Figures, simulate
from swarm.text.language import _


def simulate_people(
    url: Annotated[str, typer.Argument(help=_("Address of a server."))],
    people: Annotated[int, typer.Option(min=4, max=2000, help=_("How many people."))] = 20,
    minutes: Annotated[float, typer.Option(min=0.1, max=1440, help=_("For how long."))] = 5,
    seed: Annotated[int, typer.Option(help=_("Seed: the same number, the same chance."))] = 1,
    pace: Annotated[float, typer.Option(min=0.1, max=100, help=_("How many times a person's speed."))] = 1,
    accounts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help=_("An account a line, address and password: for a server without the demo.")
        ),
    ] = None,
) -> None:
    """Simulated people against a server; exit code 1 after any error."""
    figures = Figures()
    try:
        asyncio.run(
            simulate(
                url,
                people=people,
                seconds=minutes * 60,
                seed=seed,
                pace=pace,
                figures=figures,
                given=() if accounts is None else _read(accounts),
            )
        )
    except KeyboardInterrupt:
        out.print(_("Interrupted: this is what happened until then."))
    out.print(figures.tables())
    if figures.limits:
        out.print(
            _(
                "The server's limits shaped this run: people waited %(seconds)s seconds in all.",
                seconds=f"{figures.limited_seconds:.0f}",
            )
        )
    if figures.errors:
        raise typer.Exit(1)


def _read(path: Path) -> list[Account]:
    """Who may sign in. Raises `No`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise No(_("%(file)s cannot be read.", file=path)) from None
    found = [line.split(maxsplit=1) for line in lines if line.strip()]
    if not found or any(len(parts) != 2 for parts in found):
        raise No(_("%(file)s needs an account a line: an address, a space, a password.", file=path))
    return [
        Account(email, "/sign-in", {"email": email, "password": password.strip()})
        for email, password in found
    ]
