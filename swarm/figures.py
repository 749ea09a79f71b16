"""Figures of several workers in one folder, so that any of them answers for all.

Each worker writes one file, whole or not at all; whoever starts them folds what the dead counted into one
more, so that totals only grow and the folder does not. Nothing is mapped into memory, as prometheus-client
does: on a full disk that kills whoever writes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

GONE = "gone.json"
"""What those counted that are no more."""
_OF_A_WORKER = "*-*.json"
_HALF = ".half"
"""How a file ends that is being written."""

Sample = tuple[str, dict[str, str], float]
"""Name, labels, value."""
Samples = Mapping[str, list[Sample]]
"""By family."""


class Figures(msgspec.Struct, frozen=True):
    """Of one worker, or of all that are gone."""

    totals: Samples = {}
    """What only grows, and is true after the worker's end."""
    now: Samples = {}
    folded: tuple[str, ...] = ()
    """Whose totals are in these ones, though their own file may still be there."""


def keep(folder: Path, name: str, figures: Figures) -> None:
    """Replace a worker's figures; `name` is its process number and what tells it from another of that number.

    Raises `OSError`.
    """
    _write(folder, f"{name}.json", figures)


def read(folder: Path) -> dict[str, Figures]:
    """Everybody's figures by name; those of the dead too. Callable while they are kept and folded."""
    gone = _read(folder / GONE)
    while True:
        found = {path.stem: _read(path) for path in folder.glob(_OF_A_WORKER)}
        before, gone = gone, _read(folder / GONE)
        if gone == before:
            # Nobody was folded meanwhile: nobody is counted twice, or not at all.
            break
    gone = gone or Figures()
    there = {name: figures for name, figures in found.items() if figures and name not in gone.folded}
    return there | {"": gone}


def fold(folder: Path, alive: Collection[int]) -> None:
    """Add up what all but these processes counted, and remove their files. Raises `OSError`.

    For one caller at a time.
    """
    paths = [path for path in folder.glob(_OF_A_WORKER) if _number(path) not in alive]
    for half in folder.glob(f"*-*{_HALF}"):
        if _number(half) not in alive:
            half.unlink()
    if not paths:
        return
    gone = _read(folder / GONE) or Figures()
    dead = [_read(path) for path in paths if path.stem not in gone.folded]
    totals = added(gone.totals, *(figures.totals for figures in dead if figures))
    _write(folder, GONE, Figures(totals=totals, folded=tuple(path.stem for path in paths)))
    for path in paths:
        path.unlink()


def added(*all_of_them: Samples) -> Samples:
    """Samples of the same name and labels, added up."""
    sums: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for samples in all_of_them:
        for family, its in samples.items():
            values = sums.setdefault(family, {})
            for name, labels, value in its:
                key = (name, tuple(labels.items()))
                values[key] = values.get(key, 0.0) + value
    return {
        family: [(name, dict(labels), value) for (name, labels), value in values.items()]
        for family, values in sums.items()
    }


def _number(path: Path) -> int:
    return int(path.stem.partition("-")[0])


def _write(folder: Path, name: str, figures: Figures) -> None:
    half = (folder / name).with_suffix(_HALF)
    half.write_bytes(msgspec.json.encode(figures))
    half.replace(folder / name)


def _read(path: Path) -> Figures | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Figures)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
