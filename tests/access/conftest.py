"""One served world for a whole module, once on each pair of database and doorbell."""

from collections.abc import Iterator

import pytest

from tests.access.people import World
from tests.access.sending import Knocker
from tests.access.serving import served
from tests.conftest import PAIRS


@pytest.fixture(scope="module", params=PAIRS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Every kind of person before a running server."""
    yield from served(request, request.param, tmp_path_factory)


@pytest.fixture(scope="module")
def knocker(world: World) -> Iterator[Knocker]:
    """Sends requests as any of them."""
    made = Knocker(world)
    yield made
    made.close()
