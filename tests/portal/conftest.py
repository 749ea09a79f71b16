"""What the portal's tests begin with."""

import pytest

from tests.portal.house import House, furnish
from tests.support.site import Site


@pytest.fixture
def house(site: Site) -> House:
    return furnish(site)
