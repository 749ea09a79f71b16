"""A small house with two teams, for what customers do."""

from __future__ import annotations

import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import unescape
from typing import Any, TypeVar

import httpx2
from sqlalchemy import func, select

from swarm.people.actions import add_person, create_team, set_membership
from swarm.people.queries import person_actor
from swarm.store import Work
from swarm.tickets.models import Message, Ticket
from swarm.tickets.posting import post
from tests.support.site import Site, Visitor

T = TypeVar("T")


@dataclass(frozen=True)
class House:
    """Ids of who is there."""

    mira: int
    otto: int
    support: int
    billing: int


def furnish(site: Site) -> House:
    """Two people, each leading a team."""

    def do(work: Work) -> House:
        mira = add_person(work, name="Mira Jansen", email="mira@example.org", role="agent").id
        otto = add_person(work, name="Otto Brandt", email="otto@example.org", role="agent").id
        support = create_team(
            work,
            key="support",
            name="Product support",
            duty_lead_id=mira,
            policy="tierless",
            share=0,
            tiers=[],
        ).id
        billing = create_team(
            work,
            key="billing",
            name="Billing",
            duty_lead_id=otto,
            policy="tiered",
            share=0,
            tiers=["One", "Two"],
        ).id
        set_membership(work, mira, {support: 1})
        set_membership(work, otto, {billing: 1})
        return House(mira, otto, support, billing)

    return site.do(do)


def opening(house: House, **other: Any) -> dict[str, Any]:
    """The form of a new ticket, filled in; `None` leaves a field away."""
    form = {
        "name": "Laura Kemp",
        "email": "laura@kemp.example.org",
        "company": "Kemp Flowers",
        "language": "en",
        "team": str(house.support),
        "subject": "The export stops",
        "body": "It stops at **40 %**.",
        "client_id": secrets.token_urlsafe(32),
        **other,
    }
    return {name: value for name, value in form.items() if value is not None}


def link_in(answer: httpx2.Response) -> str:
    """The path of the one-time link that a page shows."""
    found = re.search(r'id="link"[^>]*>\s*https?://[^/]+(/link/[\w-]+)', answer.text)
    assert found, answer.text
    return found[1]


def field_in(answer: httpx2.Response, name: str) -> str:
    """What stands in an input or a text area of the page."""
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', answer.text)
    found = found or re.search(
        rf'<textarea[^>]*name="{name}"[^>]*>\n?(.*?)</textarea>', answer.text, re.DOTALL
    )
    assert found, f"no field {name}"
    return unescape(found[1])


def enter(site: Site, house: House, visitor: Visitor | None = None, **other: Any) -> tuple[Visitor, int]:
    """A customer who opened a ticket and then its link; and the ticket's number."""
    visitor = visitor or site.stranger()
    opened = visitor.post("/open", opening(house, **other))
    assert opened.status_code == 201, opened.text
    followed = visitor.post(link_in(opened))
    assert followed.status_code == 303, followed.text
    return visitor, int(followed.headers["location"].rpartition("/")[2])


def tickets(site: Site) -> int:
    """How many there are."""
    return site.look(lambda work: work.session.scalar(select(func.count()).select_from(Ticket)) or 0)


def bodies(site: Site, number: int) -> list[str]:
    """What stands in the customer lane, in order."""
    query = (
        select(Message.body).where(Message.ticket_id == number, Message.lane == "lane").order_by(Message.seq)
    )
    return site.look(lambda work: list(work.session.scalars(query)))


def staff_says(site: Site, person: int, number: int, lane: Any, body: str) -> None:
    """A colleague writes, beside the doors."""

    def do(work: Work) -> None:
        work.actor = person_actor(work.session, person)
        post(work, number, lane, body, secrets.token_hex(8))

    site.do(do)


def at_once(times: int, act: Any) -> list[Any]:
    """Run `act` in that many threads together."""
    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(lambda _: act(), range(times)))
