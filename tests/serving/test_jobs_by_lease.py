"""What runs by the clock runs on one worker at a time; when that one is gone, another goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.app import START, App
from tests.support.backends import PostgresMaker

pytestmark = pytest.mark.fault

EVERY = 0.5
PATIENCE = 30.0
OFTEN = f"""
import os
import structlog
from swarm import main
log = structlog.get_logger()
main.schedule = lambda settings, shelf: {{"tick": ({EVERY}, lambda work: log.info("tick_ran"))}}
"""


@pytest.fixture
def worker(postgres_maker: PostgresMaker, tmp_path: Path) -> Iterator[Callable[[], App]]:
    """Starts one more on the same database, with a job that says when it ran."""
    backend = postgres_maker.make()
    with ExitStack() as stack:

        def start() -> App:
            made = App(backend, tmp_path)
            made.command[2] = OFTEN + START
            return stack.enter_context(made)

        yield start
    postgres_maker.drop(backend)


def ran(app: App) -> int:
    return app.output.count("tick_ran")


def until(true: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < PATIENCE, "it did not come"
        time.sleep(0.05)


def test_one_runs_it_until_it_stops_or_is_killed_then_another_does(worker: Callable[[], App]) -> None:
    first = worker()
    until(lambda: ran(first) > 0)
    second = worker()
    so_far = ran(first)
    until(lambda: ran(first) > so_far + 5)
    assert ran(second) == 0
    first.stop()
    assert "leases_kept" not in first.output
    until(lambda: ran(second) > 0)
    third = worker()
    second.kill()
    until(lambda: ran(third) > 3)
