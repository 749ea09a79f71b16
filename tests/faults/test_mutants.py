"""A desk that breaks a promise on purpose is found out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.faults.history import findings
from tests.faults.houses import on_postgres, on_sqlite, seed_of_the_day
from tests.faults.mutants import MUTANTS
from tests.faults.running import Fault, play, report
from tests.faults.strikes import cut, die_at, kill_a_worker, nothing

pytestmark = pytest.mark.fault

STRICT = 6.0
"""Seconds after which nothing is waited for: a mutant's pages never come together."""
TIMES = 3
"""A short run may miss the moment in which a promise is broken."""
USUAL: Mapping[str, Fault] = {"the line is cut": cut, "a worker is killed": kill_a_worker}
OTHERS: Mapping[str, Mapping[str, Fault]] = {
    # Elsewhere a kill may meet a moment in which nothing is owed.
    "acknowledges before the commit": {"kill -9": partial(die_at, "before the commit")},
    "no unique key": {"kill -9": partial(die_at, "between commit and answer")},
    "a retry is told another number": {"kill -9": partial(die_at, "between commit and answer")},
    # Who reconnects reads the log, and shows what is true again.
    "rings before the commit": {"nothing": nothing},
    "a deaf hub": {"nothing": nothing},
    "out of order": {"nothing": nothing},
    "numbers with holes": {"nothing": nothing},
    "open rooms": {"nothing": nothing},
}
SAYS: Mapping[str, Sequence[str]] = {
    "no unique key": ["stored twice"],
    "acknowledges before the commit": ["lost:"],
    "rings before the commit": ["does not show", "shows what is not stored", "came after"],
    "a deaf hub": ["does not show"],
    "forgets what was missed": ["caught up at"],
    "a retry is told another number": ["wrong number"],
    "numbers with holes": ["gap in"],
    "open rooms": ["was sent", "was let into"],
    "out of order": ["came after"],
}
"""What is found, of which one must be."""


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_caught(mutant: str, tmp_path: Path) -> None:
    # Only where workers hear of each other can one be deaf.
    house = on_postgres if mutant == "a deaf hub" else on_sqlite
    said = []
    for time in range(TIMES):
        home = tmp_path / str(time)
        home.mkdir()
        with house(home, mutant, seed=seed_of_the_day() + time, quiet=STRICT, gives_up=0.0) as run:
            history = asyncio.run(play(run, OTHERS.get(mutant, USUAL).items(), heals=False))
        if any(words in one for words in SAYS[mutant] for one in findings(history)):
            return
        said.append(report(history, run.seed))
    raise AssertionError(f"nobody noticed: {mutant}; {said}")
