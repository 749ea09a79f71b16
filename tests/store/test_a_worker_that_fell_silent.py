"""What a worker had locked when it froze, or when its machine went, is not locked for hours."""

from threading import Event, Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from swarm.events import SYSTEM
from swarm.store import Store, Work, engines, log
from tests.support.backends import PostgresMaker

PATIENCE = 20.0


def number(work: Work) -> dict[str, range]:
    """The room's next number, in a transaction that has begun."""
    work.session.execute(text("SELECT 1"))
    return log.number(work.session.connection(), {"room:1": 1})


def test_others_go_on_and_nothing_of_it_is_kept(
    postgres_maker: PostgresMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = postgres_maker.make()
    locked, over, failed = Event(), Event(), list[BaseException]()
    other = Store(backend.database_url)
    monkeypatch.setattr(engines, "ABANDONED_SECONDS", 1)
    frozen = Store(backend.database_url)

    def hold(work: Work) -> None:
        number(work)
        locked.set()
        assert over.wait(PATIENCE)
        number(work)

    def write() -> None:
        try:
            frozen.write_now(SYSTEM, hold)
        except DBAPIError as problem:
            failed.append(problem)

    thread = Thread(target=write)
    thread.start()
    try:
        assert locked.wait(PATIENCE)
        given = other._submit(SYSTEM, number).result(PATIENCE)
    finally:
        over.set()
        thread.join()
        frozen.close()
        other.close()
    assert given["room:1"] == range(1, 2), "the number that was given in vain is given again"
    assert failed, "the frozen worker does not believe that it wrote"
    postgres_maker.drop(backend)
