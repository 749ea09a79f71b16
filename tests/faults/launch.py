"""swarm with something in it that must not be: it dies at a certain instruction, or breaks a promise.

A mutant replaces methods and names of the product, which types forbid: hence each `type: ignore` below.
"""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.app import START, App
from tests.support.backends import Backend

SLOWLY = 0.15
"""Seconds by which a mutant delays its commit, so that what it told before can be seen to be untrue."""


class Altered(App):
    """swarm as `App` starts it, altered first."""

    def __init__(self, backend: Backend, home: Path, what: str, count: int = 0, **more: Any) -> None:
        super().__init__(backend, home, **more)
        self.altered = [*self.command]
        self.unaltered = [*self.command]
        self.altered[2] = f"from tests.faults.launch import alter; alter({what!r}, {count}); {START}"
        self.command = self.altered

    def heal(self) -> None:
        """Start as it should be from now on."""
        self.command = self.unaltered


def alter(what: str, count: int) -> None:
    """Make this process so."""
    if what in POINTS:
        POINTS[what](_Countdown(count))
    else:
        MUTANTS[what]()


class _Countdown:
    def __init__(self, left: int) -> None:
        self._left = left

    def __call__(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _before_commit(die: _Countdown) -> None:
    from sqlalchemy import event

    from swarm.store.store import Store

    made = Store.__init__

    def init(self: Store, *args: Any, **more: Any) -> None:
        made(self, *args, **more)
        event.listen(self._writing, "commit", lambda _connection: die())

    Store.__init__ = init  # type: ignore[method-assign]


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


def _no_unique_key() -> None:
    import swarm.watching as watching
    from swarm.tickets import posting, turns
    from swarm.tickets.opening import store_message

    together = turns.together  # type: ignore[attr-defined]
    posting._earlier = lambda *_args: None

    def forgets(connection: Any, *asked: Any) -> Any:
        rows = together(connection, *asked)
        return [*rows[:2], ()] if len(rows) == 3 else rows

    def unlike(drafts: Sequence[Any]) -> list[Any]:
        return [replace(draft, client_id=f"{draft.client_id}#{secrets.token_hex(4)}") for draft in drafts]

    post = turns.post_turn
    turns.together = forgets  # type: ignore[attr-defined]
    watching.post_turn = lambda work, drafts: post(work, unlike(drafts))  # type: ignore[attr-defined]
    posting.store_message = lambda work, ticket, lane, author, body, client_id, **more: store_message(  # type: ignore[attr-defined]
        work, ticket, lane, author, body, f"{client_id}#{secrets.token_hex(4)}", **more
    )


def _acknowledge_before_commit() -> None:
    from sqlalchemy import event

    from swarm.store.store import Store

    tried = Store._tried
    made = Store.__init__

    def init(self: Store, *args: Any, **more: Any) -> None:
        made(self, *args, **more)
        event.listen(self._writing, "commit", lambda _connection: time.sleep(SLOWLY))

    def early(self: Store, jobs: Sequence[Any]) -> Any:
        for job in jobs:
            do = job.do

            def and_tell(work: Any, do: Any = do, job: Any = job) -> Any:
                result = do(work)
                if not job.done.done():
                    job.done.set_result(result)
                return result

            job.do = and_tell
        outcomes = tried(self, jobs)
        for job in jobs:
            job.done = type(job.done)()
        return outcomes

    Store.__init__ = init  # type: ignore[method-assign]
    Store._tried = early  # type: ignore[method-assign]


def _numbers_with_holes() -> None:
    from swarm.store import log

    number = log.number

    def holes(connection: Any, counts: Any) -> Any:
        given = number(connection, {key: count + 1 for key, count in counts.items()})
        return {key: range(numbers.start + 1, numbers.stop) for key, numbers in given.items()}

    log.number = holes


def _open_rooms() -> None:
    from swarm import watching

    watching.may_watch = lambda *_args: True


def _out_of_order() -> None:
    from swarm.live.turns import Turns

    deliver = Turns._deliver

    def turned(self: Turns, stream: Any, job: Any) -> None:
        job.pieces = {group: list(pieces)[::-1] for group, pieces in job.pieces.items()}
        deliver(self, stream, job)

    Turns._deliver = turned  # type: ignore[method-assign]


MUTANTS: dict[str, Callable[[], None]] = {
    "no unique key": _no_unique_key,
    "acknowledges before the commit": _acknowledge_before_commit,
    "numbers with holes": _numbers_with_holes,
    "open rooms": _open_rooms,
    "out of order": _out_of_order,
}
"""Promises broken on purpose."""
