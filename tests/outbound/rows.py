"""Letters as rows and as they arrive."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.message import EmailMessage

from sqlalchemy import select

from swarm.outbound import queue
from swarm.outbound.models import Mail
from tests.support.site import PATIENCE, Site
from tests.support.town import Town


def put(site: Site, town: Town, name: str = "ina") -> None:
    """A link into this person's account is to go to them."""
    person = town.people[name]
    site.do(
        lambda work: queue.put(work, "account_link", about=f"person:{person}", person_id=person, hours=72)
    )


def mails(site: Site) -> list[Mail]:
    """The table."""
    return site.look(lambda work: list(work.session.scalars(select(Mail).order_by(Mail.id))))


def until(site: Site, fits: Callable[[list[Mail]], bool]) -> list[Mail]:
    """The table, once it is so: there is nothing to be told by, but its rows."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if fits(found := mails(site)):
            return found
    raise TimeoutError([(one.state, one.tries, one.problem) for one in mails(site)])


def body(letter: EmailMessage, kind: str) -> str:
    """The letter as text, `plain` or `html`."""
    part = letter.get_body((kind,))
    assert part is not None
    return str(part.get_content())
