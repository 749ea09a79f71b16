"""Keyset pages: every row once in order, and no cursor but ours."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.store import paging
from swarm.tickets import actions as tickets
from swarm.tickets.lists import Filters, ListName, page_of
from tests.support.town import Town


def cursor(values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def walk(town: Town, who: str, name: ListName, size: int) -> list[int]:
    """Every ticket of a list, page by page."""

    def page(after: str | None) -> paging.Page[Any]:
        return town.look(who, lambda work: page_of(work.session, work.actor, name, Filters(), after, size))

    found: list[int] = []
    after: str | None = None
    while True:
        some = page(after)
        found += [line.ticket.id for line in some.rows]
        if some.next is None:
            return found
        after = some.next


def test_pages_hold_every_row_once_in_the_order_of_the_whole(town: Town) -> None:
    ids = [town.open("ladder", priority=priority) for priority in (0, 3, 1, 3, 2, 1, 1)]
    by_urgency = sorted(ids, key=lambda id_: (-town.ticket(id_).priority, id_))
    for size in (1, 2, 3, 7, 50):
        assert walk(town, "ada", "queue", size) == by_urgency
        assert walk(town, "mona", "all", size) == ids[::-1]


def test_rows_that_come_and_go_between_pages_move_nobody_else(town: Town) -> None:
    ids = [town.open("ladder") for _ in range(6)]

    def page(after: str | None) -> paging.Page[Any]:
        return town.look("ada", lambda work: page_of(work.session, work.actor, "queue", Filters(), after, 3))

    first = page(None)
    town.act("ada", tickets.take, ids[1])
    town.open("ladder", priority=3)
    assert [line.ticket.id for line in first.rows] == ids[:3]
    assert [line.ticket.id for line in page(first.next).rows] == ids[3:]


TAMPERED = (
    "!",
    "é",
    "AAAA",
    cursor(None),
    cursor({}),
    cursor([]),
    cursor([1]),
    cursor([1, {"t": 1.0}]),
    cursor([1, {"t": 1.0}, 3, 4]),
    cursor(["1", {"t": 1.0}, 3]),
    cursor([True, {"t": 1.0}, 3]),
    cursor([1.0, {"t": 1.0}, 3]),
    cursor([1, {"t": "x"}, 3]),
    cursor([1, {"t": None}, 3]),
    cursor([1, {}, 3]),
    cursor([1, {"t": 1e300}, 3]),
    cursor([1, {"t": 10**17}, 3]),
    cursor([1, {"t": float("nan")}, 3]),
    cursor([1, {"t": float("inf")}, 3]),
    cursor([10**30, {"t": 1.0}, 3]),
    cursor([1, {"t": 1.0}, -(10**30)]),
    cursor([None, {"t": 1.0}, 3]),
    cursor([[1], {"t": 1.0}, 3]),
    base64.urlsafe_b64encode(b"[" * 20_000).decode(),
    base64.urlsafe_b64encode(b"\xff\xfe[1]").decode(),
    base64.urlsafe_b64encode(b"[" + b"9" * 5000 + b"]").decode(),
)


def test_a_cursor_that_is_not_ours_is_refused_before_the_database_sees_it(town: Town) -> None:
    def page(after: str) -> paging.Page[Any]:
        return town.look("ada", lambda work: page_of(work.session, work.actor, "queue", Filters(), after))

    for tampered in TAMPERED:
        with pytest.raises(paging.BadCursor):
            page(tampered)
    assert page("").rows == []


@given(values=st.tuples(st.integers(-(2**63) + 1, 2**63 - 1), st.integers(0, 2**63 - 1)))
def test_a_cursor_comes_back_as_it_was(values: tuple[int, int]) -> None:
    assert paging.decode(paging.encode(values), [int, int]) == list(values)


@given(since=st.integers(0, 7_000_000_000_000_000))
def test_a_time_in_a_cursor_keeps_its_microseconds(since: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=since)
    assert paging.decode(paging.encode([at]), [datetime]) == [at]


@given(st.text(max_size=60))
def test_no_text_but_a_cursor_of_ours_is_read_as_one(text: str) -> None:
    with pytest.raises(paging.BadCursor):
        paging.decode(text, [int, int, int])
