"""A ticket that somebody owns, and guests of it."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

import httpx2
import pytest

from swarm.people.models import Customer, Guest
from swarm.store import Work
from swarm.tickets.actions import take
from tests.support.site import Site, Visitor
from tests.support.town import Town, build


@dataclass
class Desk:
    """Ina owns a tierless ticket."""

    site: Site
    town: Town
    ticket: int
    ina: Visitor

    def invite(self, name: str = "Rui", **form: str) -> str:
        """The path of the link that Ina is shown."""
        return link_in(self.ina.post(f"/tickets/{self.ticket}/guests", {"name": name, **form}))

    def guest(self, name: str = "Rui") -> tuple[Visitor, str]:
        """Somebody who came by a link, and the address of their page."""
        visitor = self.site.stranger()
        came = visitor.post(self.invite(name))
        assert came.status_code == 303, came.text
        return visitor, came.headers["location"]

    def withdraw(self, page: str, by: Visitor | None = None) -> httpx2.Response:
        """End the access of the guest with this page."""
        form = {"guest": page.rpartition("/")[2]}
        return (by or self.ina).post(f"/tickets/{self.ticket}/guests/withdrawal", form)

    def row(self, page: str) -> Guest:
        """What is kept of a guest."""
        return self.site.look(lambda work: work.session.get_one(Guest, int(page.rpartition("/")[2])))

    def person(self, name: str) -> Visitor:
        """A colleague's browser."""
        return self.site.person(self.town.people[name])


def link_in(answer: httpx2.Response) -> str:
    """The path of the link that a page shows."""
    found = re.search(r'id="link"[^>]*>\s*https?://[^/]+(/join/[\w-]+)', answer.text)
    assert found, answer.text
    return found[1]


def say(visitor: Visitor, page: str, body: str, client_id: str = "") -> httpx2.Response:
    """A guest writes in the room, through the form."""
    return visitor.post(f"{page}/messages", {"body": body, "client_id": client_id or secrets.token_hex(8)})


@pytest.fixture
def desk(site: Site) -> Desk:
    town = build(site.store)
    ticket = town.open("hive")
    town.act("ina", take, ticket)

    def name(work: Work) -> None:
        customer = work.session.get_one(Customer, town.customer_id)
        customer.name, customer.email, customer.company = (
            "Wilhelmina Kemp",
            "wilhelmina@kemp.example",
            "Kempflowers",
        )

    site.do(name)
    return Desk(site, town, ticket, site.person(town.people["ina"]))
