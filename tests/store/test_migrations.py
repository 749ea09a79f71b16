"""An upgrade can be run again, by two at once, and makes the tables that the code knows."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select

import swarm.tables  # noqa: F401  # every table is known from here on
from swarm.events import NOBODY
from swarm.store.engines import sync_url, writing_engine
from swarm.store.instance import ensure
from swarm.store.migrate import upgrade
from swarm.store.tables import Instance, Table
from tests.support.backends import Backend
from tests.support.town import open_store


def test_upgrading_twice_changes_nothing(blank_backend: Backend) -> None:
    upgrade(blank_backend.database_url)
    store = open_store(blank_backend)
    store.write_now(NOBODY, ensure)
    epoch = store.read_now(NOBODY, lambda work: work.session.scalars(select(Instance.epoch)).one())
    upgrade(blank_backend.database_url)
    store.write_now(NOBODY, ensure)
    assert store.read_now(NOBODY, lambda work: work.session.scalars(select(Instance.epoch)).one()) == epoch
    store.close()


def test_two_workers_that_start_together_both_find_the_tables(blank_backend: Backend) -> None:
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for done in [pool.submit(upgrade, blank_backend.database_url) for _worker in range(2)]:
            done.result(60)
    engine = writing_engine(sync_url(blank_backend.database_url), connections=1)
    assert set(Table.metadata.tables) <= set(inspect(engine).get_table_names())
    engine.dispose()


def test_the_migrations_make_exactly_the_tables_of_the_code(backend: Backend) -> None:
    engine = writing_engine(sync_url(backend.database_url), connections=1)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []
    engine.dispose()
