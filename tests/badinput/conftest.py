"""A served world for a module: once on each pair, or on SQLite alone where no query is reached."""

from collections.abc import Iterator

import pytest

from tests.access.people import World
from tests.access.serving import served
from tests.conftest import PAIRS


@pytest.fixture(scope="module", params=PAIRS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    yield from served(request, request.param, tmp_path_factory)


@pytest.fixture(scope="module")
def sqlite_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    yield from served(request, "sqlite", tmp_path_factory)
