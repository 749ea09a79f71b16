"""Figures and how they are printed: each beside its reference, with the ratio and what was promised."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

out = Console(highlight=False, width=118)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line: what was measured, what it stands beside, and their ratio."""

    what: str
    ours: str
    reference: str
    ratio: float | None = None
    promised: str = ""
    """As a person reads it; empty where nothing is promised."""
    kept: bool = True


def at_most(ratio: float, most: float) -> tuple[str, bool]:
    """The promise that a ratio stays below, and whether it does."""
    return f"≤ {most:g} ×", round(ratio, 2) <= most


def at_least(ratio: float, least: float) -> tuple[str, bool]:
    """The promise that a ratio reaches, and whether it does."""
    return f"≥ {least:g} ×", round(ratio, 2) >= least


def show(title: str, figures: Sequence[Figure]) -> None:
    """Print a part's figures."""
    table = Table("", "swarm", "reference", "ratio", "promised", title=title, title_justify="left", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for one in figures:
        ratio = "" if one.ratio is None else f"{one.ratio:.2f} ×"
        verdict = f"{one.promised} {'kept' if one.kept else 'MISSED'}" if one.promised else ""
        table.add_row(one.what, one.ours, one.reference, ratio, verdict)
    out.print(table)
    out.print()


def milliseconds(seconds: Sequence[float]) -> str:
    """The middle and the slow end."""
    return f"{ms(median(seconds))} / {ms(p99(seconds))} ms"


def ms(seconds: float) -> str:
    """Milliseconds with two digits."""
    return f"{seconds * 1000:.2f}"


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def p99(values: Sequence[float]) -> float:
    """What only one in a hundred exceeds."""
    return sorted(values)[min(len(values) - 1, len(values) * 99 // 100)]
