"""An upgrade can be run again, by two at once, and makes the tables that the code knows."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, inspect, select, text
from sqlalchemy import Table as SqlTable
from sqlalchemy.exc import IntegrityError

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


def test_an_upgrade_of_a_database_in_use_keeps_every_row_and_reference(blank_backend: Backend) -> None:
    upgrade(blank_backend.database_url, "0001")
    engine = writing_engine(sync_url(blank_backend.database_url), connections=1)
    old = MetaData()
    old.reflect(engine)
    with engine.begin() as connection:
        for name, given in IN_USE.items():
            connection.execute(old.tables[name].insert().values(_row(old.tables[name], given)))
    before = _rows(engine, old)
    upgrade(blank_backend.database_url)
    assert _rows(engine, old) == before
    with engine.begin() as connection:
        assert len(inspect(connection).get_foreign_keys("invitation_skills")) == 2
        connection.execute(text("UPDATE invitations SET state = 'expired'"))
    for wrong in ("UPDATE invitations SET state = 'no such state'", "UPDATE messages SET lane = 'attic'"):
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(text(wrong))
    engine.dispose()


def test_the_migrations_make_exactly_the_tables_of_the_code(backend: Backend) -> None:
    engine = writing_engine(sync_url(backend.database_url), connections=1)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []
    engine.dispose()


IN_USE: Mapping[str, Mapping[str, object]] = {
    "people": {"role": "agent", "availability": "available"},
    "teams": {"duty_lead_id": 1, "policy": "tierless"},
    "skills": {},
    "tickets": {"mode": "tierless", "status": "open"},
    "asks": {"state": "open"},
    "invitations": {"state": "pending"},
    "invitation_skills": {},
    "messages": {"lane": "room"},
}
"""A row of each, as a database of the first version holds them; what is not said is 1, `x` or now."""


def _row(table: SqlTable, given: Mapping[str, object]) -> dict[str, object]:
    made = {
        int: 1,
        str: "x",
        bool: False,
        datetime: datetime(2026, 11, 1, 12, 30, tzinfo=UTC),
        dict: {},
    }
    return {
        column.name: given.get(column.name, made[column.type.python_type])
        for column in table.columns
        if column.computed is None and (not column.nullable or column.name in given)
    }


def _rows(engine: Engine, tables: MetaData) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            name: [tuple(row) for row in connection.execute(tables.tables[name].select())] for name in IN_USE
        }
