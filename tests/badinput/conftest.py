"""One served world for a whole module, once on each pair of database and doorbell."""

from collections.abc import Iterator

import pytest

from tests.access.people import World, build
from tests.access.sending import Knocker
from tests.conftest import PAIRS
from tests.support.site import serve_site


@pytest.fixture(scope="module", params=PAIRS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Every kind of person before a running server."""
    if request.param == "sqlite":
        made = request.getfixturevalue("sqlite_maker").make(tmp_path_factory.mktemp("world"))
    else:
        made = request.getfixturevalue("postgres_maker").make()
    with serve_site(made) as site:
        yield build(site)
    if request.param != "sqlite":
        request.getfixturevalue("postgres_maker").drop(made)


@pytest.fixture(scope="module")
def knocker(world: World) -> Iterator[Knocker]:
    """Sends requests as any of them."""
    made = Knocker(world)
    yield made
    made.close()
