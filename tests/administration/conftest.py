"""The small town, living on a served swarm."""

import pytest

from tests.support.site import Site
from tests.support.town import Town, build


@pytest.fixture
def town(site: Site) -> Town:
    return build(site.store)
