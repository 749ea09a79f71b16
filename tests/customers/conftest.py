"""The small town with two records of one person, and doors to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pytest

from swarm.events import SYSTEM
from swarm.people.actions import add_customer
from swarm.people.models import Customer
from swarm.store import Work
from swarm.tickets import actions as tickets
from swarm.tickets.opening import NewTicket, open_ticket
from tests.support.site import Site, Visitor
from tests.support.town import Town, build


@dataclass
class Desk:
    """A served town, with verbs about customers."""

    site: Site
    town: Town

    def person(self, name: str) -> Visitor:
        """A browser of this colleague."""
        return self.site.person(self.town.people[name])

    def customer(self, name: str, email: str | None = None, company: str = "") -> int:
        """A new record."""
        return self.site.do(lambda work: add_customer(work, name=name, email=email, company=company).id)

    def ticket(self, customer: int, team: str = "hive", owner: str = "", subject: str = "It broke") -> int:
        """A new ticket of theirs, taken by `owner` where one is named."""

        do = partial(open_for, team=self.town.teams[team], customer=customer, subject=subject)
        id_ = self.site.store.write_now(SYSTEM, do)
        if owner:
            self.town.act(owner, tickets.take, id_)
        return id_

    def record(self, customer: int) -> Customer:
        """The row as it stands now."""
        return self.site.look(lambda work: work.session.get_one(Customer, customer))

    def merge(self, who: Visitor, keep: int, other: int) -> int:
        """Merge as the page does; the status of the answer."""
        form = {
            "other": other,
            "version": self.record(keep).version,
            "other_version": self.record(other).version,
        }
        return who.post(f"/customers/{keep}/merge", form).status_code


@pytest.fixture
def desk(site: Site) -> Desk:
    return Desk(site, build(site.store))


def open_for(work: Work, team: int, customer: int, subject: str = "It broke") -> int:
    """A new ticket of this customer."""
    new = NewTicket(
        team_id=team,
        subject=subject,
        body="It broke.",
        customer=work.session.get_one(Customer, customer),
        language="en",
        client_id="opening-0001",
    )
    return open_ticket(work, new).id
