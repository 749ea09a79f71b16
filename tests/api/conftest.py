"""A small town on a served swarm, and programs of its people at the API."""

from collections.abc import Callable

import pytest

from tests.api.program import Program, program_of
from tests.support.site import Site
from tests.support.town import Town, build

Programs = Callable[..., Program]


@pytest.fixture
def town(site: Site) -> Town:
    return build(site.store)


@pytest.fixture
def program(site: Site, town: Town) -> Programs:
    """`program("ina")` may do all that Ina may; `program("ina", "tickets")` that and reading."""

    def make(who: str, *scopes: str, **more: object) -> Program:
        return program_of(site, town.people[who], *scopes, **more)  # type: ignore[arg-type]

    return make
