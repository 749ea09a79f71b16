"""A served world on one pair of database and doorbell."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.access.people import World, build
from tests.support.processes import free_port
from tests.support.site import serve_site

if TYPE_CHECKING:
    from tests.support.backends import Backend, PostgresMaker


def served(
    request: pytest.FixtureRequest, pair: str, homes: pytest.TempPathFactory, **settings: str
) -> Iterator[World]:
    """For a fixture of any scope; the database goes with it. Letters find nobody at home, and wait."""
    settings = {
        "mail__server": "127.0.0.1",
        "mail__port": str(free_port()),
        "mail__sender": "desk@example.org",
        # Tried again by the clock, they would change rows under those who compare them.
        "mail__customers": "false",
        "mail__gather_seconds": "3600",
        **settings,
    }
    if pair == "sqlite":
        made: Backend = request.getfixturevalue("sqlite_maker").make(homes.mktemp("world"))
        with serve_site(made, **settings) as site:
            yield build(site)
        return
    maker: PostgresMaker = request.getfixturevalue("postgres_maker")
    made = maker.make()
    with serve_site(made, **settings) as site:
        yield build(site)
    maker.drop(made)
