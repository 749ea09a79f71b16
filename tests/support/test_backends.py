"""Each test gets a fresh, migrated database of its own, on both pairs."""

import pytest
from sqlalchemy import create_engine, inspect, text

from tests.support.backends import Backend


def tables(backend: Backend) -> list[str]:
    engine = create_engine(backend.database_url)
    found = inspect(engine).get_table_names()
    engine.dispose()
    return found


@pytest.mark.parametrize("turn", [1, 2])
def test_what_one_test_writes_the_next_does_not_see(backend: Backend, turn: int) -> None:
    assert "alembic_version" in tables(backend)
    assert "left_behind" not in tables(backend)
    engine = create_engine(backend.database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_behind (turn integer)"))
    engine.dispose()


def test_a_blank_database_has_no_tables(blank_backend: Backend) -> None:
    assert tables(blank_backend) == []


def test_only_the_second_pair_has_redis(backend: Backend) -> None:
    assert (backend.redis_url is None) == (backend.name == "sqlite")
