"""The demo, served to browsers, and every page of it with whoever it is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, BrowserContext
from sqlalchemy import select

from swarm import demo
from swarm.accounts.account_links import let_in_by_link
from swarm.accounts.actions import make_link
from swarm.accounts.second_step import begin, new_app
from swarm.people.models import Person, Skill, Team
from swarm.people.queries import person_actor
from swarm.rooms import guests
from swarm.rooms.models import Ask, Invitation
from swarm.settings import Settings
from swarm.store import Work
from swarm.tickets.models import Ticket
from swarm.webhooks import actions as webhooks
from tests.support.processes import free_port
from tests.support.site import Site, serve_site

if TYPE_CHECKING:
    from tests.support.backends import SqliteMaker


@dataclass
class Demo:
    """The served demo and the numbers of what its pages are about."""

    site: Site
    numbers: Mapping[str, int | str]
    people: Mapping[str, int]
    """By role; `owner` has a tierless ticket with an open ask, `climber` a tiered one."""

    guest: str
    """The cookie of one who helps on the tierless ticket."""

    def context(self, browser: Browser, who: str, **options: object) -> BrowserContext:
        """A browser in which `who` is signed in: one of `people`, `customer`, `half_way` or `nobody`."""
        context = browser.new_context(base_url=self.site.url, **options)  # type: ignore[arg-type]
        if who == "guest":
            name = f"guest-{self.numbers['guest']}"
            context.add_cookies([{"name": name, "value": self.guest, "url": self.site.url}])
            return context
        if who == "customer":
            visitor = self.site.customer(int(self.numbers["tierless"]))
        elif who in self.people:
            visitor = self.site.person(self.people[who])
        elif who == "half_way":
            person = self.people["half_way"]
            secret = self.site.do(lambda work: begin(work, person, "/mine"))
            context.add_cookies([{"name": "signing-in", "value": secret, "url": self.site.url}])
            return context
        else:
            return context
        for cookie in visitor.http.cookies.jar:
            context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": self.site.url}])
        return context

    def path(self, door: str) -> str:
        """The address of a page, its gaps filled."""
        for name, value in self.numbers.items():
            door = door.replace(f"{{{name}}}", str(value))
        return door


@pytest.fixture(scope="module")
def shown(sqlite_maker: SqliteMaker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo on SQLite: how a page looks does not depend on the database."""
    backend = sqlite_maker.make(tmp_path_factory.mktemp("looks"))
    mail = {"mail__server": "127.0.0.1", "mail__port": str(free_port()), "mail__sender": "desk@example.org"}
    with serve_site(backend, demo="true", asks__answer_minutes="100000", **mail) as site:
        demo.load(site.store, Settings())
        yield site.do(lambda work: _shown(site, work))


def _shown(site: Site, work: Work) -> Demo:
    pending = work.session.scalars(
        select(Invitation)
        .join(Ask, Ask.id == Invitation.ask_id)
        .join(Ticket, Ticket.id == Ask.ticket_id)
        .where(Ask.state == "open", Ticket.mode == "tierless", Invitation.state == "pending")
    ).first()
    assert pending is not None
    asked = work.session.get_one(Ticket, pending.ticket_id)
    climbing = work.session.scalars(
        select(Ticket).where(Ticket.mode == "tiered", Ticket.queued_for.is_not(None))
    ).first()
    assert climbing is not None
    roles = {
        role: work.session.scalars(select(Person.id).where(Person.role == role, Person.active)).first()
        for role in ("manager", "administrator")
    }
    half_way = work.session.scalars(select(Person.id).where(Person.role == "agent", Person.active)).all()[-1]
    new_app(work, half_way).confirmed_at = work.now
    roles["specialist"] = pending.person_id
    work.actor = person_actor(work.session, asked.owner_id)
    day = timedelta(days=1)
    _guest, used = guests.invite_guest(work, asked.id, "Rui Costa", day)
    _other, unused = guests.invite_guest(work, asked.id, "Iva Novak", day)
    guest, cookie = guests.join(work, used, day)
    work.actor = person_actor(work.session, roles["administrator"] or 0)
    there, told = "https://hooks.example.com/there", ["person.set_swarm_up"]
    webhook = webhooks.add(work, site.settings.webhooks, name="There", url=there, events=told)
    people = {**roles, "owner": asked.owner_id, "climber": climbing.owner_id, "half_way": half_way}
    return Demo(
        site,
        {
            "tierless": asked.id,
            "tiered": climbing.id,
            "person": roles["specialist"] or 0,
            "skill": work.session.scalars(select(Skill.id)).first() or 0,
            "team": work.session.scalars(select(Team.key)).first() or "",
            "link": make_link(work, climbing.id, climbing.customer_id or 0, 7),
            "account": let_in_by_link(work, half_way, timedelta(hours=1)),
            "customer": asked.customer_id or 0,
            "other": climbing.customer_id or 0,
            "webhook": webhook.id,
            "guest": guest,
            "join": unused,
        },
        {name: person or 0 for name, person in people.items()},
        cookie,
    )
