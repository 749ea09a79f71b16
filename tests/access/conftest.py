"""Served worlds: one for everything that must leave it as it was, and others to change."""

from collections.abc import Iterator

import pytest

from tests.access.people import World
from tests.access.sending import Knocker
from tests.access.serving import served
from tests.conftest import PAIRS

TOKEN = "a-token-that-none-of-them-has"
"""Set, so that not even this machine reads the metrics without it."""


@pytest.fixture(scope="session", params=PAIRS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Every kind of person before a running server, for tests that change nothing."""
    yield from served(request, request.param, tmp_path_factory, metrics__token=TOKEN)


@pytest.fixture(scope="session")
def knocker(world: World) -> Iterator[Knocker]:
    """Sends requests as any of them."""
    made = Knocker(world)
    yield made
    made.close()


@pytest.fixture(scope="module", params=PAIRS)
def own_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world of the module's own."""
    yield from served(request, request.param, tmp_path_factory, metrics__token=TOKEN)


@pytest.fixture(scope="session")
def sqlite_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """For what the database has no part in; nothing is changed here either."""
    yield from served(request, "sqlite", tmp_path_factory, metrics__token=TOKEN)
