"""A program outside, and a swarm that may reach it."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from html import unescape

import pytest
from sqlalchemy import select

from swarm.outbound.models import Delivery, Webhook
from swarm.tickets.actions import take
from swarm.tickets.posting import post
from tests.support.backends import Backend
from tests.support.receiver import Receiver, receiving
from tests.support.site import PATIENCE, Site, Visitor, serve_site
from tests.support.town import Town, build

Serve = Callable[..., AbstractContextManager[Site]]
MESSAGES = ("lane.message_posted", "room.message_posted")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def serve_hooks(backend: Backend) -> Serve:
    """A swarm that may reach this machine."""

    def serve(**settings: str) -> AbstractContextManager[Site]:
        usual = {"webhooks__networks": "127.0.0.0/8", "webhooks__http": "true", "webhooks__seconds": "2"}
        return serve_site(backend, **{**usual, **settings})

    return serve


@pytest.fixture
def site(serve_hooks: Serve) -> Iterator[Site]:
    with serve_hooks() as site:
        yield site


@dataclass
class Outside:
    """A webhook to the receiver, and a ticket about which there is something to tell."""

    site: Site
    town: Town
    receiver: Receiver
    root: Visitor
    id: int
    secret: str
    ticket: int

    def say(self, text: str = "Something", lane: str = "room") -> None:
        """A message, which is told."""
        self.town.act("ina", post, self.ticket, lane, text, secrets.token_hex(8))  # type: ignore[arg-type]

    def until(self, fits: Callable[[list[Delivery]], bool]) -> list[Delivery]:
        """The deliveries, once it is so."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            rows = self.site.look(
                lambda work: list(
                    work.session.scalars(
                        select(Delivery).where(Delivery.webhook_id == self.id).order_by(Delivery.id)
                    )
                )
            )
            if fits(rows):
                return rows
        raise TimeoutError([(row.state, row.tries, row.status, row.said) for row in rows])

    def until_webhook(self, fits: Callable[[Webhook], bool]) -> Webhook:
        """Its row, once it is so."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            row = self.site.look(lambda work: work.session.get_one(Webhook, self.id))
            if fits(row):
                return row
        raise TimeoutError((row.state, row.failures, row.failing_since))


def secret_in(html: str) -> str:
    found = re.search(r'id="link"[^>]*>(whsec_[^<]+)<', html)
    assert found, html
    return unescape(found[1])


def outside(site: Site, receiver: Receiver, events: tuple[str, ...] = MESSAGES, *, url: str = "") -> Outside:
    """Added by an administrator on the page."""
    town = build(site.store)
    ticket = town.open("hive")
    town.act("ina", take, ticket)
    root = site.person(town.people["root"])
    made = root.post("/webhooks", {"name": "Dashboard", "url": url or receiver.url, "events": list(events)})
    assert made.status_code == 201, made.text
    id_ = site.look(lambda work: work.session.scalars(select(Webhook.id)).one())
    return Outside(site, town, receiver, root, id_, secret_in(made.text), ticket)


@pytest.fixture
def out(site: Site, receiver: Receiver) -> Outside:
    return outside(site, receiver)
