"""The checker of histories finds what it is there to find, and nothing in a good one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.history import Call, History, Row, Watcher, findings

ROOM = "room:1"


def good() -> History:
    """Two messages, one of which nobody knows the fate of, and everybody saw both."""
    return History(
        calls=[
            Call(ROOM, "a", 0.0, 1.0, "ok", 1),
            Call(ROOM, "b", 2.0, 3.0, "ok", 3),
            Call(ROOM, "c", 2.5, 9.0, "info"),
            Call(ROOM, "d", 4.0, 5.0, "fail"),
            Call(ROOM, "e", 4.0, 9.0, "info"),
        ],
        rows=[Row(ROOM, 1, "a"), Row(ROOM, 3, "b"), Row(ROOM, 4, "c")],
        heads={ROOM: 4},
        numbers={ROOM: [1, 2, 3, 4]},
        nodes={"one": {ROOM: [(3, "b"), (4, "c")]}},
        watchers=[Watcher("w", ROOM, shown=[(3, "b"), (4, "c")], since=1)],
        outsiders=[Watcher("customer", "lane:1", received=["hello"])],
        inside=["secret"],
    )


def lose(history: History) -> None:
    del history.rows[1]


def double(history: History) -> None:
    history.rows.append(Row(ROOM, 5, "a"))
    history.heads, history.numbers = {ROOM: 5}, {ROOM: [1, 2, 3, 4, 5]}


def phantom(history: History) -> None:
    del history.calls[2]


def failed_but_stored(history: History) -> None:
    history.calls[1] = replace(history.calls[1], outcome="fail", seq=None)


def wrong_number(history: History) -> None:
    history.calls[1] = replace(history.calls[1], seq=2)


def gap(history: History) -> None:
    history.numbers = {ROOM: [1, 3, 4]}


def head_without_log(history: History) -> None:
    history.heads = {ROOM: 5}


def later_first(history: History) -> None:
    history.calls[0] = replace(history.calls[0], seq=3)
    history.calls[1] = replace(history.calls[1], seq=1)
    history.rows[0], history.rows[1] = Row(ROOM, 3, "a"), Row(ROOM, 1, "b")


def disagree(history: History) -> None:
    history.nodes = {"one": {ROOM: [(1, "a"), (4, "c")]}}


def shown_twice(history: History) -> None:
    history.watchers[0].shown.append((4, "c"))


def out_of_order(history: History) -> None:
    history.watchers[0].shown.reverse()


def hole(history: History) -> None:
    history.watchers[0].shown.pop(0)


def shows_a_phantom(history: History) -> None:
    history.watchers[0].shown.append((5, "x"))


def leak(history: History) -> None:
    history.outsiders[0].received.append('{"html": "the secret is"}')


def broken_promise(history: History) -> None:
    history.watchers[0].faults.append("number 7 came after 5")


def seen_on_the_way(history: History) -> None:
    history.broken.append("Redis is away: people wait 5.0 s")


def hole_before_it_was_closed(history: History) -> None:
    history.watchers[0].until = 3
    history.watchers[0].shown = [(4, "c")]


BROKEN: dict[str, Callable[[History], None]] = {
    "lost:": lose,
    "stored twice": double,
    "phantom": phantom,
    "failed but stored": failed_but_stored,
    "wrong number": wrong_number,
    "gap": gap,
    "the head": head_without_log,
    "order in": later_first,
    "does not agree": disagree,
    "times": shown_twice,
    "out of order": out_of_order,
    "does not show": hole,
    "not stored": shows_a_phantom,
    "was sent": leak,
    "came after": broken_promise,
    "people wait": seen_on_the_way,
    "does not show room:1 [(3, 'b')]": hole_before_it_was_closed,
}


def test_a_good_history_has_no_findings() -> None:
    assert findings(good()) == []


def test_a_page_that_was_closed_owes_nothing_that_came_later() -> None:
    history = good()
    history.watchers[0].until = 3
    history.watchers[0].shown.pop()
    assert findings(history) == []


@pytest.mark.parametrize("finding", BROKEN)
def test_a_broken_history_is_found_out(finding: str) -> None:
    history = good()
    BROKEN[finding](history)
    assert any(finding in one for one in findings(history)), findings(history)
