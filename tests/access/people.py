"""Every kind of person, at work on one ticket of every kind."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from sqlalchemy import select

from swarm.accounts.account_links import let_in_by_link
from swarm.accounts.actions import end_session, exchange, key_of, make_link, start_session
from swarm.accounts.models import SessionRow, Token
from swarm.accounts.second_step import begin, new_app
from swarm.accounts.tokens import make_token, scopes_of
from swarm.events import NOBODY
from swarm.people import actions as people
from swarm.people.models import KNOWS_WELL, Team
from swarm.people.queries import person_actor
from swarm.rooms import actions as rooms
from swarm.rooms import guests
from swarm.rooms.models import Invitation
from swarm.routing import escalation
from swarm.routing.matching import ask_for_help
from swarm.store import Work
from swarm.tickets import actions as tickets
from swarm.tickets.models import File, Message, Ticket
from swarm.tickets.opening import NewTicket, open_ticket
from swarm.tickets.posting import post
from swarm.webhooks import actions as webhooks
from tests.support.site import Site, Visitor

STAFF: dict[str, tuple[str, dict[str, int], bool]] = {
    # name: role, team → tier, has the skill that the ask wants
    "ladder_owner": ("agent", {"ladder": 1}, False),
    "ladder_lead": ("agent", {"ladder": 1}, False),
    "ladder_one": ("agent", {"ladder": 1}, False),
    "ladder_two": ("agent", {"ladder": 2}, False),
    "hive_owner": ("agent", {"hive": 1}, False),
    "hive_lead": ("agent", {"hive": 1}, False),
    "hive_one": ("agent", {"hive": 1}, False),
    "invited": ("specialist", {}, True),
    "swarm": ("specialist", {}, True),
    "left": ("specialist", {}, True),
    "dismissed": ("specialist", {}, True),
    "declined": ("specialist", {}, True),
    "skilled": ("specialist", {}, True),
    "outsider": ("specialist", {}, False),
    "manager": ("manager", {}, False),
    "administrator": ("administrator", {}, False),
}
ENDED = ("deactivated", "signed_out", "idle", "expired")
"""Cookies that once were a colleague's."""
CUSTOMERS = ("customer", "other_customer", "expired_customer")
"""Of the tickets below; of another ticket; of the same tickets, once."""
GUESTS = ("guest", "other_guest", "ended_guest")
"""Of the ticket with the swarm; of the one beside it; of the first, once."""
KINDS = (*STAFF, *ENDED, *CUSTOMERS, *GUESTS, "half_way", "stranger")
"""`half_way`: an administrator whose password was right and whose second step is missing."""
TICKETS = ("climbing", "waiting", "swarming", "fresh", "solved")
"""Tiered with tier 1; tiered and escalated; tierless with an ask; tierless in the intake; resolved."""


@dataclass
class World:
    """Ids by name, and a browser for each kind of person."""

    site: Site
    people: dict[str, int] = field(default_factory=dict)
    teams: dict[str, int] = field(default_factory=dict)
    tickets: dict[str, int] = field(default_factory=dict)
    customers: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    """A message in each ticket's room."""
    files: dict[str, dict[str, str]] = field(default_factory=dict)
    """Lane → ticket → the token of a picture in it."""
    invitations: dict[str, int] = field(default_factory=dict)
    visitors: dict[str, Visitor] = field(default_factory=dict)
    guests: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    """Of each colleague, as wide as it can be; of those whose time is over, ended in one way each."""
    token: int = 0
    """Another one, of the outsider."""
    versions: dict[str, int] = field(default_factory=dict)
    """Of each ticket's ownership, as a form carries it."""
    policy: int = 0
    """The version of the ladder's policy."""
    skill: int = 0
    unknown_skill: int = 0
    """One that nobody has."""
    ask: int = 0
    webhook: int = 0
    """Of something that never happens here: nothing is sent."""

    def as_(self, work: Work, who: str) -> Work:
        """The same transaction, as this person."""
        work.actor = person_actor(work.session, self.people[who])
        return work


def build(site: Site) -> World:
    """A world of its own in an empty database."""
    world = World(site)
    site.do(lambda work: _hire(work, world))
    site.do(lambda work: _open(work, world))
    site.do(lambda work: _swarm(work, world))
    for name, id_ in world.people.items():
        world.visitors[name] = site.person(id_)
    site.do(lambda work: _give_tokens(work, world))
    _end_some(world)
    _let_customers_in(world)
    _let_guests_in(world)
    world.visitors["stranger"] = site.stranger()
    half = site.do(lambda work: _go_half_way(work, world))
    world.visitors["half_way"] = site._visitor({"signing-in": half}, NOBODY)
    world.links["link"] = fresh_link(world, "swarming")
    world.links["join"] = invite(world, "guest", "swarming")[1]
    world.links["account"] = fresh_account_link(world, "outsider")
    site.look(lambda work: _note_versions(work, world))
    world.webhook = site.do(lambda work: _add_webhook(work, world))
    return world


def _give_tokens(work: Work, world: World) -> None:
    for name in world.people:
        one = world.as_(work, name).actor
        world.tokens[name] = make_token(work, one, name="Bot", scopes=scopes_of(one), days=90)
    outsider = world.as_(work, "outsider").actor
    other = key_of(make_token(work, outsider, name="Other", scopes=(), days=90))
    world.token = work.session.scalars(select(Token.id).where(Token.key == other)).one()


def _token(work: Work, world: World, name: str) -> Token:
    return work.session.scalars(select(Token).where(Token.key == key_of(world.tokens[name]))).one()


def _add_webhook(work: Work, world: World) -> int:
    settings, url = world.site.settings.webhooks, "https://hooks.example.com/there"
    administrator = world.as_(work, "administrator")
    return webhooks.add(administrator, settings, name="There", url=url, events=["person.set_swarm_up"]).id


def _note_versions(work: Work, world: World) -> None:
    for name, id_ in world.tickets.items():
        world.versions[name] = work.session.get_one(Ticket, id_).owner_version
    world.policy = work.session.get_one(Team, world.teams["ladder"]).policy_version


def _hire(work: Work, world: World) -> None:
    for name, (role, _rungs, _skilled) in STAFF.items():
        world.people[name] = people.add_person(
            work,
            name=name.replace("_", " ").title(),
            email=f"{name}@staff.example.org",
            role=role,  # type: ignore[arg-type]
        ).id
    for name in ENDED:
        added = people.add_person(work, name=name.title(), email=f"{name}@staff.example.org", role="agent")
        world.people[name] = added.id
    for key, policy, tiers in (("ladder", "tiered", ("First", "Second")), ("hive", "tierless", ("All",))):
        world.teams[key] = people.create_team(
            work,
            key=key,
            name=key.title(),
            duty_lead_id=world.people[f"{key}_lead"],
            policy=policy,
            share=0,
            tiers=tiers,
        ).id
    world.skill = people.add_skill(work, key="postgres", name="PostgreSQL").id
    world.unknown_skill = people.add_skill(work, key="fax", name="Fax").id
    for name, (_role, rungs, skilled) in STAFF.items():
        people.set_membership(work, world.people[name], {world.teams[key]: at for key, at in rungs.items()})
        if skilled:
            people.set_skills(work, world.people[name], {world.skill: KNOWS_WELL})
    for name in ENDED:
        people.set_membership(work, world.people[name], {world.teams["ladder"]: 1, world.teams["hive"]: 1})
    # Otherwise a decline would ask them.
    people.set_availability(work, world.people["skilled"], "busy")


def _open(work: Work, world: World) -> None:
    customer = people.add_customer(work, name="Ana", email="ana@customers.example.org")
    other = people.add_customer(work, name="Olu", email="olu@customers.example.org")
    world.customers = {"ana": customer.id, "olu": other.id}
    homes = {"climbing": "ladder", "waiting": "ladder", "swarming": "hive", "fresh": "hive", "solved": "hive"}
    for name, team in {**homes, "foreign": "ladder", "beside": "hive"}.items():
        world.tickets[name] = open_ticket(
            work,
            NewTicket(
                team_id=world.teams[team],
                subject=f"About {name}",
                body="It broke.",
                customer=other if name in ("foreign", "beside") else customer,
                language="en",
                client_id=f"opening-{name}",
            ),
        ).id
    for name in ("climbing", "waiting"):
        tickets.take(world.as_(work, "ladder_owner"), world.tickets[name])
    for name in ("swarming", "solved", "beside"):
        tickets.take(world.as_(work, "hive_owner"), world.tickets[name])
    for name, owner in _owners().items():
        posted = post(world.as_(work, owner), world.tickets[name], "room", "Something internal", "note-0001")
        world.notes[name] = posted.message_id
        _add_file(work, world, name, "room", posted.message_id)
    for name in TICKETS:
        query = select(Message.id).where(Message.ticket_id == world.tickets[name], Message.lane == "lane")
        _add_file(work, world, name, "lane", work.session.scalars(query).one())
    tickets.resolve(world.as_(work, "hive_owner"), world.tickets["solved"])
    escalation.escalate(
        world.as_(work, "ladder_owner"), world.tickets["waiting"], "Beyond me", "Tried everything"
    )


def _add_file(work: Work, world: World, ticket: str, lane: str, message: int) -> None:
    token = secrets.token_hex(16)
    world.files.setdefault(lane, {})[ticket] = token
    work.session.add(
        File(
            token=token,
            uploader="person:1",
            ticket_id=world.tickets[ticket],
            lane=lane,
            message_id=message,
            name="plan.png",
            kind="image/png",
            bytes=4,
            sha256="",
            width=1,
            height=1,
            safe_kind="image/png",
            at=work.now,
        )
    )
    work.session.get_one(Message, message).files = 1
    for name in (token, f"{token}.safe"):
        world.site.app.state.house.shelf.arriving(name).write_bytes(b"file")
    world.site.app.state.house.shelf.keep(token)


def _owners() -> dict[str, str]:
    owners = {"climbing": "ladder_owner", "waiting": "ladder_owner", "swarming": "hive_owner"}
    return owners | {"fresh": "hive_lead", "solved": "hive_owner"}


def _swarm(work: Work, world: World) -> None:
    ticket = world.tickets["swarming"]
    named = ("invited", "swarm", "left", "dismissed", "declined")
    world.ask = ask_for_help(
        world.as_(work, "hive_owner"),
        ticket,
        question="Why is it slow?",
        tried="Turned it off and on",
        skill_ids=[world.skill],
        person_ids=[world.people[name] for name in named],
        client_id="ask-0001",
    ).id
    names = {id_: name for name, id_ in world.people.items()}
    rows = work.session.execute(select(Invitation.person_id, Invitation.id)).all()
    world.invitations = {names[person]: id_ for person, id_ in rows}
    for name in ("swarm", "left", "dismissed"):
        rooms.accept(world.as_(work, name), world.invitations[name])
    rooms.leave(world.as_(work, "left"), ticket)
    rooms.decline(world.as_(work, "declined"), world.invitations["declined"], "On leave")
    rooms.dismiss(world.as_(work, "hive_owner"), ticket, world.people["dismissed"])


def _end_some(world: World) -> None:
    def end(work: Work) -> None:
        people.deactivate(work, world.people["deactivated"])
        end_session(work, _key(world, "signed_out", "session"))
        long_ago = work.now - timedelta(seconds=1)
        work.session.get_one(SessionRow, _key(world, "idle", "session")).idle_at = long_ago
        work.session.get_one(SessionRow, _key(world, "expired", "session")).expires_at = long_ago
        _token(work, world, "signed_out").ended_at = long_ago
        for name in ("idle", "expired"):
            _token(work, world, name).expires_at = long_ago

    world.site.do(end)


def _let_customers_in(world: World) -> None:
    for name, numbers in {
        "customer": [world.tickets[one] for one in TICKETS],
        "other_customer": [world.tickets["foreign"]],
        "expired_customer": [world.tickets[one] for one in TICKETS],
    }.items():
        secret = world.site.do(partial(_follow, numbers=numbers))
        world.visitors[name] = world.site._visitor({"case": secret}, NOBODY)

    def end(work: Work) -> None:
        key = _key(world, "expired_customer", "case")
        work.session.get_one(SessionRow, key).expires_at = work.now - timedelta(seconds=1)

    world.site.do(end)


def _let_guests_in(world: World) -> None:
    for name, ticket in {"guest": "swarming", "other_guest": "beside", "ended_guest": "swarming"}.items():
        world.guests[name], secret = invite(world, name, ticket)
        _guest, cookie = world.site.do(partial(guests.join, secret=secret, lasts=timedelta(days=7)))
        world.visitors[name] = world.site._visitor({f"guest-{world.guests[name]}": cookie}, NOBODY)
    number, over = world.tickets["swarming"], world.guests["ended_guest"]
    world.site.do(lambda work: guests.withdraw(world.as_(work, "hive_owner"), number, over))


def invite(world: World, name: str, ticket: str) -> tuple[int, str]:
    """A guest who has not come yet: their number, and the secret of the link."""
    number, lasts = world.tickets[ticket], timedelta(hours=48)
    return world.site.do(
        lambda work: guests.invite_guest(world.as_(work, "hive_owner"), number, name.title(), lasts)
    )


def _go_half_way(work: Work, world: World) -> str:
    factor = new_app(work, world.people["administrator"])
    factor.name, factor.confirmed_at = "Phone", work.now
    return begin(work, factor.person_id, "/mine")


def _follow(work: Work, numbers: Sequence[int]) -> str:
    cookie = None
    for number in numbers:
        customer = work.session.get_one(Ticket, number).customer_id
        assert customer is not None
        _ticket, cookie = exchange(work, make_link(work, number, customer, 7), cookie, 60)
    assert cookie is not None
    return cookie


def fresh_link(world: World, ticket: str) -> str:
    """The secret of a link nobody used yet."""

    def make(work: Work) -> str:
        row = work.session.get_one(Ticket, world.tickets[ticket])
        assert row.customer_id is not None
        return make_link(work, row.id, row.customer_id, 7)

    return world.site.do(make)


def fresh_account_link(world: World, who: str) -> str:
    """The secret of a link into this account that nobody used yet."""
    return world.site.do(lambda work: let_in_by_link(work, world.people[who], timedelta(hours=72)))


def sign_in(world: World, who: str) -> str:
    """Another session of this person: the cookie's secret."""
    return world.site.do(lambda work: start_session(work, world.people[who], days=14, idle_hours=12))


def _key(world: World, who: str, cookie: str) -> str:
    return key_of(world.visitors[who].http.cookies[cookie])
