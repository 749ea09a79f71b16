"""Every door of programs, and where it is."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from swarm.api import asks, files, openapi, owners, people, teams, tickets
from swarm.api.doors import Door, routes_of

DOORS: Sequence[Door] = (
    *tickets.DOORS,
    *files.DOORS,
    *owners.DOORS,
    *asks.DOORS,
    *people.DOORS,
    *teams.DOORS,
)
ROUTES: Sequence[BaseRoute] = (openapi.route(DOORS), *routes_of(DOORS))
