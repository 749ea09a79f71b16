"""Marks on everything that must not leave the house, and a net that looks for them."""

from __future__ import annotations

import io
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

import structlog
from sqlalchemy import select

from swarm.accounts.models import Factor, Link, SessionRow, Token
from swarm.accounts.passwords import hash_of
from swarm.customers import actions as customers
from swarm.customers.actions import Known
from swarm.logs import set_up as log_to
from swarm.modes import policy
from swarm.outbound.models import Webhook
from swarm.people import actions as people
from swarm.people.models import Customer, Guest, Person
from swarm.rooms import actions as rooms
from swarm.routing import escalation
from swarm.routing.matching import ask_for_help
from swarm.settings import Log
from swarm.store import Work
from swarm.tickets import actions as tickets
from swarm.tickets.models import Ticket
from swarm.tickets.posting import post
from tests.access.people import GUESTS, World, sign_in


@dataclass
class Marks:
    """Random words, each put into one internal place."""

    words: dict[str, str] = field(default_factory=dict)
    """Where it stands → the word."""

    def put(self, where: str) -> str:
        """A text with a mark in it, for this place; 128 random bits, so that no page has it by chance."""
        return self.words.setdefault(where, f"m{secrets.token_hex(16)}")

    def keep(self, where: str, secret: str) -> None:
        """A secret that is a mark itself."""
        self.words[where] = secret

    def found_in(self, sent: bytes | str, allowed: frozenset[str] = frozenset()) -> list[str]:
        """The places whose words are in it, but for those that may be."""
        raw = sent.encode() if isinstance(sent, str) else sent
        return [where for where, word in self.words.items() if where not in allowed and word.encode() in raw]


def taint(world: World) -> Marks:
    """Put marks wherever staff write something that stays inside."""
    marks = Marks()
    world.site.do(lambda work: _people(work, world, marks))
    world.site.do(lambda work: _tiered(work, world, marks))
    world.site.do(lambda work: _tierless(work, world, marks))
    world.site.do(lambda work: _policy(work, world, marks))
    world.site.do(lambda work: _customer(work, world, marks))
    for who in ("hive_owner", "manager"):
        marks.keep(f"session of {who}", sign_in(world, who))
    for who, token in world.tokens.items():
        marks.keep(f"token of {who}", token)
    marks.keep("link nobody used", world.links["link"])
    marks.keep("link into an account", world.links["account"])
    marks.keep("link of a guest", world.links["join"])
    world.site.do(lambda work: _customers(work, world, marks))
    world.site.look(lambda work: _keys(work, marks))
    return marks


def _people(work: Work, world: World, marks: Marks) -> None:
    for name, id_ in world.people.items():
        person = work.session.get_one(Person, id_)
        person.email = f"{marks.put(f'e-mail address of {name}')}@example.org"
        if name == "hive_owner":
            person.password = hash_of(marks.put("password of hive_owner"))
            marks.keep("hash of hive_owner", person.password)


def _customers(work: Work, world: World, marks: Marks) -> None:
    ticket = work.session.get_one(Ticket, world.tickets["swarming"])
    customer = work.session.get_one(Customer, ticket.customer_id)
    customer.name, customer.company = marks.put("customer's name"), marks.put("customer's company")
    customer.email = f"{marks.put('customer address')}@example.org"
    guest = work.session.get_one(Guest, world.guests["guest"])
    guest.email = f"{marks.put('e-mail address of a guest')}@example.org"


def _tiered(work: Work, world: World, marks: Marks) -> None:
    ticket = world.tickets["climbing"]
    owner = world.as_(work, "ladder_owner")
    post(owner, ticket, "room", marks.put("room message, tiered"), secrets.token_hex(8))
    tickets.change_details(
        owner,
        ticket,
        priority=3,
        category=marks.put("category"),
        language="en",
        tags=[marks.put("tag")],
    )
    tickets.hand_over(owner, ticket, world.people["ladder_one"], marks.put("hand-over reason"))
    one = world.as_(work, "ladder_one")
    escalation.escalate(one, ticket, marks.put("escalation reason"), marks.put("escalation note"))
    tickets.take(world.as_(work, "ladder_two"), ticket)
    escalation.send_back(world.as_(work, "ladder_two"), ticket, marks.put("return reason"))


def _tierless(work: Work, world: World, marks: Marks) -> None:
    ticket = world.tickets["swarming"]
    owner = world.as_(work, "hive_owner")
    said = post(owner, ticket, "room", marks.put("room message, tierless"), secrets.token_hex(8))
    post(world.as_(work, "swarm"), ticket, "room", marks.put("expert's message"), secrets.token_hex(8))
    ask_for_help(
        world.as_(work, "hive_owner"),
        ticket,
        question=marks.put("ask question"),
        tried=marks.put("ask tried"),
        skill_ids=[],
        person_ids=[world.people["skilled"]],
        client_id=secrets.token_hex(8),
    )
    rooms.decline(world.as_(work, "invited"), world.invitations["invited"], marks.put("decline reason"))
    tickets.mark_answer(world.as_(work, "hive_owner"), ticket, said.message_id)
    tickets.move_mode(world.as_(work, "manager"), world.tickets["fresh"], marks.put("mode reason"))


def _policy(work: Work, world: World, marks: Marks) -> None:
    manager = world.as_(work, "manager")
    policy.switch(manager, world.teams["hive"], "split", 50, marks.put("policy note"), 1)
    people.add_skill(manager, key="marked", name=marks.put("skill name"))
    people.rename_team(manager, world.teams["ladder"], "Ladder")


def _customer(work: Work, world: World, marks: Marks) -> None:
    manager, ana = world.as_(work, "manager"), world.customers["ana"]
    customers.note(manager, ana, 1, marks.put("notes on a customer"))
    row = work.session.get_one(Customer, ana)
    known = Known(
        name=row.name,
        email=row.email,
        company=row.company,
        phone=marks.put("phone"),
        language="en",
        timezone="",
    )
    customers.change(manager, ana, 2, known)


def _keys(work: Work, marks: Marks) -> None:
    """What is kept of secrets, and never shown either."""
    for number, key in enumerate(work.session.scalars(select(SessionRow.key))):
        marks.keep(f"session hash {number}", key)
    for number, key in enumerate(work.session.scalars(select(Token.key))):
        marks.keep(f"token hash {number}", key)
    for number, key in enumerate(work.session.scalars(select(Link.key))):
        marks.keep(f"link hash {number}", key)
    for number, guest in enumerate(work.session.scalars(select(Guest))):
        marks.keep(f"link hash of guest {number}", guest.link)
        marks.keep(f"session hash of guest {number}", guest.session or guest.link)
    for number, secret in enumerate(work.session.scalars(select(Webhook.secret))):
        marks.keep(f"hash or secret of webhook {number}", secret)
    for number, secret in enumerate(work.session.scalars(select(Factor.secret))):
        marks.keep(f"hash or secret of a second step {number}", secret)


@contextmanager
def logged() -> Iterator[Callable[[], str]]:
    """Everything the server logs meanwhile, as it would in production, at its most talkative."""
    root, out = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    with patch("sys.stderr", out):
        log_to(Log(level="debug", json=True))
    try:
        yield out.getvalue
    finally:
        root.handlers, root.level = handlers, level
        structlog.reset_defaults()


def seen_by(marks: Marks, who: str) -> frozenset[str]:
    """Which marks this person may be sent: their address, what all colleagues read, what their team reads."""
    if who in CUSTOMERS:
        return {"customer": OF_THE_CUSTOMER, "guest": frozenset(IN_THE_ROOM)}.get(who, frozenset())
    own = {f"e-mail address of {who}", "policy note", "skill name"}
    if who == "hive_one":
        own |= {*IN_THE_HIVE, *OF_THE_CUSTOMER}
    return frozenset(own)


OF_THE_CUSTOMER = frozenset({"customer's name", "customer's company", "customer address"})
IN_THE_ROOM = ("room message, tierless", "expert's message", "ask question", "ask tried", "decline reason")
ON_RECORD = ("notes on a customer", "phone")
IN_THE_HIVE = (*IN_THE_ROOM, "mode reason", "hive category", *ON_RECORD)
CUSTOMERS = ("stranger", "half_way", "customer", "other_customer", *GUESTS)
OUTSIDE = (*CUSTOMERS, "outsider", "dismissed", "hive_one")
"""With colleagues who have no right to some of it."""
