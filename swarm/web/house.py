"""What every door is given: one set a process, made in `swarm.main` and handed down."""

from __future__ import annotations

from asyncio import Semaphore
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from swarm.files.shelf import Shelf
from swarm.settings import Settings
from swarm.store import Store
from swarm.web.cookies import Cookie
from swarm.web.errors import Problems
from swarm.web.limits import Limits
from swarm.web.links import Links
from swarm.web.render import Render


@dataclass(frozen=True, slots=True)
class House:
    """The parts a door works with."""

    settings: Settings
    store: Store
    shelf: Shelf
    drawing: Semaphore
    """Pictures one worker draws anew, and files it has scanned, at the same time."""
    render: Render
    problems: Problems
    limits: Limits
    links: Links
    staff_cookie: Cookie
    customer_cookie: Cookie
    half_way_cookie: Cookie
    """Of a sign-in whose second step is missing."""
    guest_cookie: Cookie
    """Numbered: a browser may hold one for each ticket it was invited to."""


def house_of(connection: HTTPConnection) -> House:
    """The house this request came to."""
    house: House = connection.app.state.house
    return house
