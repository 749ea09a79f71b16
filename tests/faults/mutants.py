"""Promises broken on purpose, each of which a run must notice.

A mutant replaces methods and names of the product, which types forbid: hence each `type: ignore` below.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

SLOWLY = 0.4
"""Seconds by which a mutant delays its commit, so that what it told before can be seen to be untrue."""


def _no_unique_key() -> None:
    import swarm.watching as watching
    from swarm.tickets import posting, turns
    from swarm.tickets.opening import store_message

    posting._earlier = lambda *_args: None

    def unlike(drafts: Sequence[Any]) -> list[Any]:
        return [replace(draft, client_id=f"{draft.client_id}#{secrets.token_hex(4)}") for draft in drafts]

    def post(work: Any, drafts: Sequence[Any], *more: Any) -> list[Any]:
        return turns.post_turn(work, unlike(drafts), *more)

    watching.post_turn = post  # type: ignore[attr-defined, assignment]
    posting.store_message = lambda work, ticket, lane, author, body, client_id, **more: store_message(  # type: ignore[attr-defined]
        work, ticket, lane, author, body, f"{client_id}#{secrets.token_hex(4)}", **more
    )


def _acknowledge_before_commit() -> None:
    from swarm.store.store import Store

    tried, last = Store._tried, Store._last

    def slowly(self: Store, *asked: Any) -> None:
        time.sleep(SLOWLY)
        last(self, *asked)

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

    Store._last = slowly  # type: ignore[method-assign, assignment]
    Store._tried = early  # type: ignore[method-assign]


def _numbers_with_holes() -> None:
    from swarm.store import log

    number, numbering = log.number, log.numbering

    def more(counts: Any) -> Any:
        return {key: count + 1 for key, count in counts.items()}

    def holes(connection: Any, counts: Any) -> Any:
        given = number(connection, counts)
        return {key: range(numbers.start + 1, numbers.stop + 1) for key, numbers in given.items()}

    log.number = holes
    log.numbering = lambda counts: numbering(more(counts))


def _open_rooms() -> None:
    from swarm import watching

    watching.may_watch = lambda *_args: True


def _out_of_order() -> None:
    from swarm.live.turns import Turns
    from swarm.store.store import Store

    deliver, last = Turns._deliver, Store._last

    def slowly(self: Store, *asked: Any) -> None:
        # Only what comes together can be turned round.
        time.sleep(SLOWLY / 2)
        last(self, *asked)

    def turned(self: Turns, stream: Any, job: Any) -> None:
        job.pieces = {group: list(pieces)[::-1] for group, pieces in job.pieces.items()}
        deliver(self, stream, job)

    Turns._deliver = turned  # type: ignore[method-assign]
    Store._last = slowly  # type: ignore[method-assign, assignment]


def _rings_before_commit() -> None:
    from swarm.store.store import Store
    from swarm.store.work import Work

    finish = Work.finish
    commit = Store._commit
    ring: list[Callable[[Sequence[Any]], None]] = []

    def committed(self: Store, jobs: Sequence[Any]) -> Any:
        ring[:] = self._listeners
        return commit(self, jobs)

    def ghost(one: Any) -> Any:
        return replace(one, fresh=one.fresh._replace(client_id=f"ghost-{one.seq}"))

    def early(self: Work) -> None:
        finish(self)
        # As of other transactions, which were rolled back and whose numbers these got.
        told = [ghost(one) if one.fresh else one for one in self.recorded]
        for listener in ring if told else ():
            listener(told)
        # Or the true ring overtakes it, and pages are never told the untrue one.
        time.sleep(SLOWLY / 4)

    Store._commit = committed  # type: ignore[method-assign]
    Work.finish = early  # type: ignore[method-assign]


def _deaf_hub() -> None:
    from swarm.live.doorbell_redis import RedisDoorbell, _Ring
    from swarm.live.heads import Heads

    async def nothing(self: Heads) -> None:
        return None

    hear = RedisDoorbell._hear

    def deaf(self: RedisDoorbell, message: Any) -> None:
        from swarm.live import doorbell_redis

        if message["type"] != "message" or not isinstance(doorbell_redis._decode(message["data"]), _Ring):
            hear(self, message)

    Heads.compare = nothing  # type: ignore[method-assign]
    RedisDoorbell._hear = deaf  # type: ignore[method-assign]


def _forgets_what_was_missed() -> None:
    from swarm.live.joining import Joining

    settle = Joining._settle

    def from_now_on(self: Joining, socket: Any, stream: Any, shown: int, wish: Any, pasts: Any) -> None:
        past = pasts.get(stream.key)
        settle(self, socket, stream, past.head if past else shown, wish, pasts)

    Joining._settle = from_now_on  # type: ignore[method-assign]


def _a_retry_is_told_another_number() -> None:
    import swarm.watching as watching
    from swarm.desk import writing
    from swarm.tickets import posting, turns

    post_turn, write = turns.post_turn, posting.post

    def other(outcome: Any) -> Any:
        return replace(outcome, seq=outcome.seq + 1) if getattr(outcome, "repeated", False) else outcome

    watching.post_turn = lambda *asked: [other(one) for one in post_turn(*asked)]  # type: ignore[attr-defined]
    writing.write = lambda *args, **more: other(write(*args, **more))  # type: ignore[attr-defined]


MUTANTS: dict[str, Callable[[], None]] = {
    "no unique key": _no_unique_key,
    "acknowledges before the commit": _acknowledge_before_commit,
    "rings before the commit": _rings_before_commit,
    "a deaf hub": _deaf_hub,
    "forgets what was missed": _forgets_what_was_missed,
    "a retry is told another number": _a_retry_is_told_another_number,
    "numbers with holes": _numbers_with_holes,
    "open rooms": _open_rooms,
    "out of order": _out_of_order,
}
