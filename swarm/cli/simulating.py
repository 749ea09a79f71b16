"""The command that lets simulated people loose on a server, and prints what happened."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from swarm.cli.plain import out
from swarm.simulation import Figures, simulate
from swarm.text.language import _


def simulate_people(
    url: Annotated[str, typer.Argument(help=_("Address of a server that runs the demo."))],
    people: Annotated[int, typer.Option(min=4, max=2000, help=_("How many people."))] = 20,
    minutes: Annotated[float, typer.Option(min=0.1, max=1440, help=_("For how long."))] = 5,
    seed: Annotated[int, typer.Option(help=_("Chance that can be repeated."))] = 1,
    pace: Annotated[float, typer.Option(min=0.1, max=100, help=_("How many times a person's speed."))] = 1,
) -> None:
    """Simulated people against a server; exit code 1 after any error."""
    figures = Figures()
    try:
        asyncio.run(simulate(url, people=people, seconds=minutes * 60, seed=seed, pace=pace, figures=figures))
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
