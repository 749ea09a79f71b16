"""A small town of colleagues and teams, made and moved through actions, without a door."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Concatenate, ParamSpec, TypeVar

from swarm.at_once import AT_ONCE
from swarm.events import NOBODY, SYSTEM, Actor, Role
from swarm.people.models import Customer, Membership, Person, PersonSkill, Skill, Team, Tier
from swarm.people.queries import person_actor
from swarm.store import Store, Work
from swarm.store.instance import ensure
from swarm.tickets.models import Ownership, Ticket
from swarm.tickets.opening import NewTicket, open_ticket
from swarm.tickets.queries import chain
from tests.support.backends import Backend

P = ParamSpec("P")
T = TypeVar("T")
TEAMS = {"ladder": ("tiered", ("First line", "Second line", "Third line")), "hive": ("tierless", ())}
SKILLS = ("postgres", "network")
DUTY_LEADS = {"ladder": "lena", "hive": "hugo"}
PEOPLE: Mapping[str, tuple[Role, Mapping[str, int], Sequence[str]]] = {
    "lena": ("agent", {"ladder": 1}, ()),
    "ada": ("agent", {"ladder": 1, "hive": 1}, ()),
    "ben": ("agent", {"ladder": 1}, ()),
    "cleo": ("agent", {"ladder": 2}, ()),
    "dov": ("agent", {"ladder": 2}, ("network",)),
    "eve": ("agent", {"ladder": 3}, ()),
    "hugo": ("agent", {"hive": 1}, ()),
    "ina": ("agent", {"hive": 1}, ("postgres",)),
    "paul": ("specialist", {}, ("postgres",)),
    "quinn": ("specialist", {}, ("postgres", "network")),
    "mona": ("manager", {}, ()),
    "max": ("manager", {}, ()),
    "root": ("administrator", {}, ()),
}
_numbers = count(1)


def open_store(backend: Backend) -> Store:
    """The store as the product wires it."""
    return Store(backend.database_url, at_once=AT_ONCE)


@dataclass
class Town:
    """Ids by name, and verbs for tests."""

    store: Store
    people: dict[str, int]
    teams: dict[str, int]
    skills: dict[str, int]
    customer_id: int

    def do(self, who: str, do: Callable[[Work], T]) -> T:
        """One transaction as this person, who is looked up in it, as a door does."""

        def as_person(work: Work) -> T:
            work.actor = person_actor(work.session, self.people[who])
            return do(work)

        return self.store.write_now(NOBODY, as_person)

    def act(self, who: str, verb: Callable[Concatenate[Work, P], T], *args: P.args, **named: P.kwargs) -> T:
        """One action as this person: `act("ada", take, 41)`."""
        return self.do(who, lambda work: verb(work, *args, **named))

    def act_as(
        self, actor: Actor, verb: Callable[Concatenate[Work, P], T], *args: P.args, **named: P.kwargs
    ) -> T:
        """One action as anybody, such as a customer."""
        return self.store.write_now(actor, lambda work: verb(work, *args, **named))

    def through(self, store: Store) -> Town:
        """The same town, reached by another worker."""
        return replace(self, store=store)

    def look(self, who: str, do: Callable[[Work], T]) -> T:
        """One snapshot as this person."""

        def as_person(work: Work) -> T:
            work.actor = person_actor(work.session, self.people[who])
            return do(work)

        return self.store.read_now(NOBODY, as_person)

    def customer(self, *ticket_ids: int) -> Actor:
        """The customer with a cookie for these tickets."""
        id_ = self.customer_id
        return Actor(key=f"customer:{id_}", name="Ana", customer_id=id_, cases=frozenset(ticket_ids))

    def open(self, team: str, priority: int = 1) -> int:
        """A new ticket of the customer in the team's intake."""

        def do(work: Work) -> int:
            new = NewTicket(
                team_id=self.teams[team],
                subject="The printer is on fire",
                body="It is, really.",
                customer=work.session.get(Customer, self.customer_id),
                language="en",
                client_id="opening",
                priority=priority,
            )
            return open_ticket(work, new).id

        return self.store.write_now(SYSTEM, do)

    def ticket(self, ticket_id: int) -> Ticket:
        """The row as it stands now."""
        return self.store.read_now(SYSTEM, lambda work: work.session.get_one(Ticket, ticket_id))

    def chain(self, ticket_id: int) -> Sequence[Ownership]:
        """Every owner there was."""
        return self.store.read_now(SYSTEM, lambda work: chain(work.session, ticket_id))

    def owners(self, ticket_id: int) -> list[str]:
        """The chain by name."""
        names = {id_: name for name, id_ in self.people.items()}
        return [names[link.owner_id] for link in self.chain(ticket_id)]

    @contextmanager
    def later(self, **ahead: float) -> Iterator[None]:
        """Inside, it is `days=8` later."""
        before = self.store.clock
        self.store.clock = lambda: datetime.now(UTC) + timedelta(**ahead)
        try:
            yield
        finally:
            self.store.clock = before


def build(store: Store) -> Town:
    """A new town beside any that stand there already."""
    return store.write_now(SYSTEM, lambda work: _build(work, store))


def _build(work: Work, store: Store) -> Town:
    ensure(work)
    number = next(_numbers)
    # Rows, for speed: what the actions do is shown elsewhere.
    colleagues = {
        name: Person(
            name=name.title(), email=f"{name}.{number}@example.org", role=role, created_at=work.now, stamp=1
        )
        for name, (role, _rungs, _knows) in PEOPLE.items()
    }
    skills = {key: Skill(key=f"{key}-{number}", name=key.title()) for key in SKILLS}
    customer = Customer(name="Ana", email=f"ana.{number}@example.org", created_at=work.now)
    work.session.add_all([*colleagues.values(), *skills.values(), customer])
    work.session.flush()
    teams = {
        key: Team(
            key=f"{key}-{number}",
            name=key.title(),
            duty_lead_id=colleagues[DUTY_LEADS[key]].id,
            policy=policy,
            share={"tiered": 0, "tierless": 100}.get(policy, 50),
            created_at=work.now,
        )
        for key, (policy, _tiers) in TEAMS.items()
    }
    work.session.add_all(teams.values())
    work.session.flush()
    for key, (_policy, tiers) in TEAMS.items():
        work.session.add_all(
            Tier(team_id=teams[key].id, rung=rung, name=tier) for rung, tier in enumerate(tiers, start=1)
        )
    for name, (_role, rungs, knows) in PEOPLE.items():
        id_ = colleagues[name].id
        work.session.add_all(
            Membership(team_id=teams[team].id, person_id=id_, rung=rung) for team, rung in rungs.items()
        )
        work.session.add_all(PersonSkill(person_id=id_, skill_id=skills[key].id) for key in knows)
    return Town(
        store,
        {name: person.id for name, person in colleagues.items()},
        {key: team.id for key, team in teams.items()},
        {key: skill.id for key, skill in skills.items()},
        customer.id,
    )
