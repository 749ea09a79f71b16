"""On PostgreSQL and Redis with three workers, rooms lose, double and reorder nothing whatever is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import programs_of
from tests.faults.history import findings
from tests.faults.houses import on_postgres, seed_of_the_day
from tests.faults.running import Run, play, report
from tests.faults.strikes import DATABASE, LINES, REDIS, WORKERS, drawn, fitting

pytestmark = pytest.mark.fault


@pytest.fixture
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    """Three workers, whose logs are in the report of a failure."""
    with on_postgres(tmp_path, seed=seed_of_the_day()) as made:
        yield made
        request.node.stash.setdefault(programs_of, []).extend(made.workers)


@pytest.mark.parametrize("to", [WORKERS, LINES, REDIS, DATABASE])
def test_no_message_is_lost_doubled_or_reordered_by_what_happens_to(
    to: str, run: Run, record_property: Callable[[str, object], None]
) -> None:
    names = fitting(run, to)
    history = asyncio.run(play(run, drawn(run, names)))
    said = report(history, run.seed)
    record_property("said", f"three workers: {said}")
    assert findings(history) == [], said
    assert {one.name for one in history.struck} == set(names)
    assert sum(call.outcome == "ok" for call in history.calls) > 100, "the run says something"
