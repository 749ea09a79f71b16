"""swarm as a worker that can be told to die at a certain instruction, or to break a promise."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.app import START, App
from tests.support.backends import Backend


class Altered(App):
    """swarm as `App` starts it, or altered first."""

    def __init__(self, backend: Backend, home: Path, what: str = "", **more: Any) -> None:
        super().__init__(backend, home, **more)
        self.mutant = what
        self.heal()

    def die_at(self, point: str, count: int) -> None:
        """Start so from now on: to die the `count`th time that a point is reached."""
        # A mutant's own delay comes before the end, or nobody would see what it said in vain.
        self._begin_with(f"alter({point!r}, {count})", self._itself())

    def heal(self) -> None:
        """Start without dying from now on."""
        self._begin_with(self._itself())

    def _itself(self) -> str:
        return f"alter({self.mutant!r}, 0)" if self.mutant else "pass"

    def _begin_with(self, *said: str) -> None:
        self.command[2] = "; ".join(("from tests.faults.launch import alter", *said, START))


def alter(what: str, count: int) -> None:
    """Make this process so."""
    if what in POINTS:
        POINTS[what](_Countdown(count))
    else:
        from tests.faults.mutants import MUTANTS

        MUTANTS[what]()


class _Countdown:
    def __init__(self, left: int) -> None:
        self._left = left

    def __call__(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _before_commit(die: _Countdown) -> None:
    from swarm.store.store import Store

    last = Store._last

    def struck(self: Store, *asked: Any) -> None:
        die()
        last(self, *asked)

    Store._last = struck  # type: ignore[method-assign, assignment]


def _before_answer(die: _Countdown) -> None:
    from swarm.store.store import Store

    announce = Store._announce

    def told(self: Store, entries: Any) -> None:
        die()
        announce(self, entries)

    Store._announce = told  # type: ignore[method-assign]


def _before_delivery(die: _Countdown) -> None:
    from swarm.live.turns import Turns

    deliver = Turns._deliver

    def delivered(self: Turns, stream: Any, job: Any) -> None:
        die()
        deliver(self, stream, job)

    Turns._deliver = delivered  # type: ignore[method-assign]


POINTS: dict[str, Callable[[_Countdown], None]] = {
    "before the commit": _before_commit,
    "between commit and answer": _before_answer,
    "between answer and delivery": _before_delivery,
}
"""Where kill -9 strikes."""
