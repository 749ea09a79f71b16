"""Streams are numbered without a hole, hold what may stand on them, and are never rewritten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from swarm.events import NOBODY, SYSTEM
from swarm.people.events import TeamChanged
from swarm.store import Store, Work, log
from swarm.tickets.events import TicketHeld, TicketTaken
from tests.support.backends import Backend
from tests.support.town import Town, open_store

TOGETHER = 8
EACH = 25


class Spoiled(Exception):
    """What a test's own transaction raises."""


def seqs(store: Store, stream: str) -> list[int]:
    return [
        entry.seq for entry in store.read_now(NOBODY, lambda work: log.after(work.session, stream, 0, 1000))
    ]


def test_numbers_have_no_hole_while_many_write_and_some_fail(store: Store, backend: Backend) -> None:
    second = open_store(backend)

    def write(place: int) -> list[int]:
        given = []
        for number in range(EACH):

            def do(work: Work, number: int = number) -> int:
                seq = work.record("room:1", TeamChanged(team_id=place))
                if number % 5 == 4:
                    raise Spoiled
                return seq

            try:
                given.append((store, second)[place % 2].write_now(NOBODY, do))
            except Spoiled:
                continue
        return given

    with ThreadPoolExecutor(TOGETHER) as pool:
        given = list(pool.map(write, range(TOGETHER)))
    second.close()
    stored = TOGETHER * EACH * 4 // 5
    assert sorted(seq for some in given for seq in some) == list(range(1, stored + 1))
    assert seqs(store, "room:1") == list(range(1, stored + 1))
    assert all(some == sorted(some) for some in given)


def test_a_stream_is_read_in_order_from_either_end(store: Store) -> None:
    for _time in range(7):
        store.write_now(NOBODY, lambda work: work.record("room:1", TeamChanged(team_id=1)))

    def look(work: Work) -> list[list[int]]:
        session = work.session
        pages = [log.after(session, "room:1", 2, 3), log.before(session, "room:1", 6, 3)]
        return [[entry.seq for entry in page] for page in pages]

    assert store.read_now(NOBODY, look) == [[3, 4, 5], [3, 4, 5]]
    heads = store.read_now(NOBODY, lambda work: log.heads(work.session, ["room:1", "room:2"]))
    assert heads == {"room:1": 7, "room:2": 0}


def test_an_entry_comes_back_as_the_fact_it_was(store: Store) -> None:
    fact = TicketTaken(ticket_id=3, from_id=1, to_id=2)
    store.write_now(SYSTEM, lambda work: work.record("room:3", fact))
    (entry,) = store.read_now(NOBODY, lambda work: log.after(work.session, "room:3", 0, 10))
    assert (entry.event, entry.actor, entry.kind) == (fact, "system", "ticket.taken")
    assert entry.at.utcoffset() is not None


def test_nothing_internal_can_stand_in_a_customer_lane(store: Store) -> None:
    with pytest.raises(ValueError, match="internal"):
        store.write_now(
            SYSTEM, lambda work: work.record("lane:3", TicketTaken(ticket_id=3, from_id=1, to_id=2))
        )
    assert seqs(store, "lane:3") == []
    assert store.write_now(SYSTEM, lambda work: work.record("lane:3", TicketHeld(ticket_id=3))) == 1


@pytest.mark.parametrize("table", ["events", "ownerships"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET at = at", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_rewrite_history(town: Town, table: str, statement: str) -> None:
    town.open("ladder")

    def rewrite(work: Work) -> Any:
        return work.session.execute(text(statement.format(table)))

    with pytest.raises(DBAPIError, match="append-only"):
        town.store.write_now(SYSTEM, rewrite)
