"""What runs by the clock runs on one worker at a time; when that one is killed, another goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.app import START, App
from tests.support.backends import Backend

pytestmark = pytest.mark.fault

EVERY = 0.5
PATIENCE = 30.0
OFTEN = f"""
import os
import structlog
from swarm import main
log = structlog.get_logger()
main.schedule = lambda settings: {{"tick": ({EVERY}, lambda work: log.info("tick_ran"))}}
"""


@pytest.fixture
def worker(backend: Backend, tmp_path: Path) -> Iterator[Callable[[], App]]:
    """Starts one more on the same database, with a job that says when it ran."""
    with ExitStack() as stack:

        def start() -> App:
            made = App(backend, tmp_path)
            made.command[2] = OFTEN + START
            return stack.enter_context(made)

        yield start


def ran(app: App) -> int:
    return app.output.count("tick_ran")


def until(true: Callable[[], bool]) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < PATIENCE, "it did not come"
        time.sleep(0.05)
    return time.monotonic() - began


def test_one_runs_it_and_the_other_takes_over_when_it_is_killed(worker: Callable[[], App]) -> None:
    first = worker()
    until(lambda: ran(first) > 0)
    second = worker()
    so_far = ran(first)
    until(lambda: ran(first) > so_far + 5)
    assert ran(second) == 0
    first.kill()
    until(lambda: ran(second) > 3)
    assert ran(first) > 0


def test_who_stops_hands_it_over_at_once(worker: Callable[[], App]) -> None:
    first = worker()
    until(lambda: ran(first) > 0)
    second = worker()
    first.stop()
    assert "leases_kept" not in first.output
    until(lambda: ran(second) > 0)
