"""Several statements in one round trip: each answers for itself, and one that fails takes all with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from swarm.events import NOBODY
from swarm.store import Store, Work, log
from swarm.store.sql import Rows, Sql, together
from tests.support.backends import PostgresMaker

SUMS = Sql("SELECT a + b, word FROM rows(:pairs, a int, b int, word text) AS p ORDER BY a")
BROKEN = Sql("SELECT 1 / CAST(:nothing AS int)")
LATER = Sql("INSERT INTO streams (key, last_seq) VALUES (:key, 1)")


@pytest.fixture
def on_postgresql(postgres_maker: PostgresMaker) -> Iterator[Store]:
    backend = postgres_maker.make()
    store = Store(backend.database_url, connections=1)
    yield store
    store.close()
    postgres_maker.drop(backend)


def head(store: Store, stream: str) -> int:
    return store.read_now(NOBODY, lambda work: log.heads(work.session, [stream])[stream])


def test_each_statement_has_its_own_answer_in_its_place(store: Store) -> None:
    def ask(work: Work) -> list[list[tuple[object, ...]]]:
        words = 'quo"te', "back\\slash", "{brace}, comma", "naïve ☃", "NULL", ""
        pairs = [[place, place, word] for place, word in enumerate(words)]
        rows = together(
            work.session.connection(),
            log.numbering({"room:1": 3}),
            (SUMS, {"pairs": pairs}),
            (SUMS, {"pairs": []}),
        )
        return [[tuple(row) for row in its] for its in rows]

    numbered, sums, none = store.write_now(NOBODY, ask)
    assert numbered == [("room:1", 3)]
    assert [word for _sum, word in sums] == ['quo"te', "back\\slash", "{brace}, comma", "naïve ☃", "NULL", ""]
    assert [both for both, _word in sums] == [0, 2, 4, 6, 8, 10]
    assert none == []


def test_one_that_fails_takes_the_others_with_it_and_the_connection_goes_on(on_postgresql: Store) -> None:
    def spoil(work: Work) -> None:
        together(
            work.session.connection(),
            log.numbering({"room:1": 1}),
            (BROKEN, {"nothing": 0}),
            (LATER, {"key": "room:2"}),
        )

    for _again in range(3):
        with pytest.raises(DBAPIError):
            on_postgresql.write_now(NOBODY, spoil)
    assert (head(on_postgresql, "room:1"), head(on_postgresql, "room:2")) == (0, 0)
    number = on_postgresql.write_now(
        NOBODY, lambda work: log.number(work.session.connection(), {"room:1": 1})
    )
    assert number["room:1"] == range(1, 2)


def test_what_goes_with_the_commit_is_stored_with_it_or_not_at_all(on_postgresql: Store) -> None:
    def write(work: Work) -> None:
        log.number(work.session.connection(), {"room:1": 1})
        work.at_last((LATER, {"key": "room:2"}))

    on_postgresql.write_now(NOBODY, write)
    assert (head(on_postgresql, "room:1"), head(on_postgresql, "room:2")) == (1, 1)

    def spoiled(work: Work) -> None:
        log.number(work.session.connection(), {"room:1": 1})
        work.at_last((LATER, {"key": "room:3"}), (BROKEN, {"nothing": 0}))

    with pytest.raises(DBAPIError):
        on_postgresql.write_now(NOBODY, spoiled)
    assert (head(on_postgresql, "room:1"), head(on_postgresql, "room:3")) == (1, 0)


def test_a_statement_that_the_server_forgot_is_prepared_anew(on_postgresql: Store) -> None:
    def number(work: Work) -> int:
        return log.number(work.session.connection(), {"room:1": 1})["room:1"][0]

    def forget(work: Work) -> None:
        work.session.execute(text("DEALLOCATE ALL"))

    assert on_postgresql.write_now(NOBODY, number) == 1
    on_postgresql.write_now(NOBODY, forget)
    assert on_postgresql.write_now(NOBODY, number) == 2
    assert on_postgresql.write_now(NOBODY, number) == 3


def test_a_value_that_is_much_longer_than_the_socket_s_buffer_arrives(on_postgresql: Store) -> None:
    word = "x" * 20_000_000

    def ask(work: Work) -> list[int]:
        pairs = [[1, 1, word], [2, 2, word]]
        [sums] = together(work.session.connection(), (SUMS, {"pairs": pairs}))
        return [len(its) for _sum, its in sums]

    assert on_postgresql.write_now(NOBODY, ask) == [len(word)] * 2


def test_what_the_last_statements_returned_is_told_before_anything_is_announced(store: Store) -> None:
    told: list[object] = []
    store.on_commit(lambda entries: told.append([entry.kind for entry in entries]))

    def write(work: Work) -> None:
        for stream in ("room:1", "room:2"):
            numbering = log.numbering({stream: 2})
            entry = log.Entry(stream, 2, stream, work.now, "system", {})

            def then(rows: Sequence[Rows], entry: log.Entry = entry) -> None:
                told.append([[tuple(row) for row in its] for its in rows])
                work.recorded.append(entry)

            work.at_last(numbering, (SUMS, {"pairs": [[1, 1, stream]]}), then=then)

    store.write_now(NOBODY, write)
    assert told == [
        [[("room:1", 2)], [(2, "room:1")]],
        [[("room:2", 2)], [(2, "room:2")]],
        ["room:1", "room:2"],
    ]
