"""Served worlds: for what must leave them as they were, and others to change."""

from collections.abc import Iterator

import pytest

from tests.access.people import World
from tests.access.serving import served
from tests.conftest import PAIRS


@pytest.fixture(scope="module", params=PAIRS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world of the module's own, once on each pair."""
    yield from served(request, request.param, tmp_path_factory)


@pytest.fixture(scope="session")
def sqlite_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """For what the database has no part in: every test leaves it as it was."""
    yield from served(request, "sqlite", tmp_path_factory)
