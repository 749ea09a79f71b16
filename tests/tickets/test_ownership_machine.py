"""Whatever anybody does in whatever order, a ticket has exactly one owner and an unbroken chain."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from swarm.events import SYSTEM
from swarm.events.refusals import No
from swarm.modes import policy
from swarm.people import actions as people
from swarm.rooms import actions as rooms
from swarm.routing.escalation import escalate, send_back
from swarm.routing.matching import ask_for_help
from swarm.store import Store, Work
from swarm.tickets import actions as tickets
from swarm.tickets.posting import post
from tests.support.backends import Backend
from tests.support.laws import Reader, TicketNow, follows, hold
from tests.support.town import PEOPLE, SKILLS, TEAMS, build

EXAMPLES = int(os.environ.get("SWARM_TEST_EXAMPLES", "300"))
STEPS = 30
MOST_TICKETS = 5
NAMES = sorted(PEOPLE)

name = st.sampled_from(NAMES)
# Half of all tries come from who may be expected to, the rest from anybody.
who = st.one_of(st.sampled_from(["the owner", "the owner", "somebody who could take it"]), name)
which = st.integers(0, MOST_TICKETS - 1)
team = st.sampled_from(sorted(TEAMS))


class Support(RuleBasedStateMachine):
    """One town; every step is tried by somebody, allowed or not, and the laws are checked after it."""

    def __init__(self, store: Store, reader: Reader, tally: Counter[tuple[str, bool]]) -> None:
        super().__init__()
        self.town = build(store)
        self.reader = reader
        self.tally = tally
        self.client_ids = map(str, count(1))
        self.now = reader.snapshot(self.town)
        self.names = {id_: name for name, id_ in self.town.people.items()}

    @initialize(team=team)
    def begin(self, team: str) -> None:
        self._try("open", lambda: self.town.open(team))

    @precondition(lambda self: len(self.now.tickets) < MOST_TICKETS)
    @rule(team=team, priority=st.integers(0, 3))
    def open(self, team: str, priority: int) -> None:
        self._try("open", lambda: self.town.open(team, priority))

    @rule(which=which, who=who, age=st.sampled_from([None, None, 0, 1]))
    def take(self, which: int, who: str, age: int | None) -> None:
        ticket = self._ticket(which)
        seen = None if age is None else ticket.version - age
        self._as("take", who, ticket, lambda work: tickets.take(work, ticket.id, seen))

    @rule(which=which, who=who)
    def take_again(self, which: int, who: str) -> None:
        ticket = self._ticket(which)
        self._as("take", who, ticket, lambda work: tickets.take(work, ticket.id))

    @rule(which=which, who=who, to=name)
    def hand_over(self, which: int, who: str, to: str) -> None:
        ticket, to_id = self._ticket(which), self.town.people[to]
        self._as("hand over", who, ticket, lambda work: tickets.hand_over(work, ticket.id, to_id, "holiday"))

    @rule(which=which, who=who)
    def escalate(self, which: int, who: str) -> None:
        ticket = self._ticket(which)
        self._as("escalate", who, ticket, lambda work: escalate(work, ticket.id, "stuck", "tried all"))

    @rule(which=which, who=who)
    def send_back(self, which: int, who: str) -> None:
        ticket = self._ticket(which)
        self._as("return", who, ticket, lambda work: send_back(work, ticket.id, "yours"))

    @rule(person=st.one_of(name, st.just("the owner")), which=which)
    def deactivate(self, person: str, which: int) -> None:
        leaver = self._who(person, self._ticket(which))
        self._as("deactivate", "root", None, lambda work: people.deactivate(work, self.town.people[leaver]))

    @rule(team=team, to=name)
    def name_duty_lead(self, team: str, to: str) -> None:
        id_, to_id = self.town.teams[team], self.town.people[to]
        self._as("name duty lead", "mona", None, lambda work: people.name_duty_lead(work, id_, to_id))

    @rule(
        team=team,
        who=st.one_of(st.just("mona"), name),
        to=st.sampled_from([("tiered", 0), ("tierless", 0), ("split", 50), ("split", 33)]),
        age=st.sampled_from([0, 0, 1]),
    )
    def switch(self, team: str, who: str, to: tuple[policy.Policy, int], age: int) -> None:
        id_ = self.town.teams[team]
        version = self.now.teams[id_][3]
        self._as("switch", who, None, lambda work: policy.switch(work, id_, *to, "why not", version - age))
        assert self.now.teams[id_][3] in (version, version + 1)

    @rule(which=which, who=st.one_of(st.just("mona"), name))
    def move_mode(self, which: int, who: str) -> None:
        ticket = self._ticket(which)
        self._as("move mode", who, ticket, lambda work: tickets.move_mode(work, ticket.id, "fits better"))

    @rule(which=which, who=who)
    def resolve(self, which: int, who: str) -> None:
        ticket = self._ticket(which)
        self._as("resolve", who, ticket, lambda work: tickets.resolve(work, ticket.id))

    @rule(which=which, who=who)
    def reopen(self, which: int, who: str) -> None:
        ticket = self._ticket(which)
        self._as("reopen", who, ticket, lambda work: tickets.reopen(work, ticket.id))

    @rule(which=which, days=st.sampled_from([0, 0, 8]))
    def customer_writes(self, which: int, days: int) -> None:
        ticket, client_id = self._ticket(which), next(self.client_ids)
        actor = self.town.customer(ticket.id)
        with self.town.later(days=days):
            self._try(
                "customer writes",
                lambda: self.town.store.write_now(
                    actor, lambda work: post(work, ticket.id, "lane", "Not quite", client_id)
                ),
            )

    @rule(days=st.sampled_from([0, 8]))
    def close_old(self, days: int) -> None:
        with self.town.later(days=days):
            self._try(
                "close old",
                lambda: self.town.store.write_now(SYSTEM, lambda work: tickets.close_resolved(work, 7)),
            )

    @rule(which=which, who=who, wait=st.booleans())
    def answer(self, which: int, who: str, wait: bool) -> None:
        ticket, client_id = self._ticket(which), next(self.client_ids)
        self._as(
            "answer", who, ticket, lambda work: post(work, ticket.id, "lane", "Try this", client_id, wait=wait)
        )

    @rule(which=which, who=who, named=st.lists(name, max_size=2), skills=st.sets(st.sampled_from(SKILLS)))
    def ask(self, which: int, who: str, named: list[str], skills: set[str]) -> None:
        ticket, client_id = self._ticket(which), f"{self.town.teams['hive']}-{next(self.client_ids)}"

        def do(work: Work) -> None:
            ask_for_help(
                work,
                ticket.id,
                question="Why?",
                tried="Everything",
                skill_ids=sorted(self.town.skills[key] for key in skills),
                person_ids=[self.town.people[key] for key in named],
                client_id=client_id,
            )

        self._as("ask", who, ticket, do)

    @precondition(lambda self: self.now.invitations)
    @rule(which=st.integers(0, 20), accepts=st.booleans(), who=st.one_of(st.none(), st.none(), name))
    def answer_ask(self, which: int, accepts: bool, who: str | None) -> None:
        pending = [row for row in self.now.invitations if row[4] == "pending"]
        known = pending if pending and which < 15 else self.now.invitations
        id_, _ask, _ticket, person, _state = known[which % len(known)]
        verb = rooms.accept if accepts else rooms.decline
        self._as(verb.__name__, who or self.names[person], None, lambda work: verb(work, id_))

    @rule(which=which, who=who)
    def raise_hand(self, which: int, who: str) -> None:
        ticket = self._ticket(which)
        self._as("raise hand", who, ticket, lambda work: rooms.raise_hand(work, ticket.id))

    @precondition(lambda self: self.now.present)
    @rule(which=st.integers(0, 20), who=st.one_of(st.none(), name), dismissed=st.booleans())
    def leave(self, which: int, who: str | None, dismissed: bool) -> None:
        id_, person = sorted(self.now.present)[which % len(self.now.present)]
        ticket = self.now.tickets[id_]
        if dismissed:
            self._as("dismiss", who or "the owner", ticket, lambda work: rooms.dismiss(work, id_, person))
        else:
            self._as("leave", who or self.names[person], ticket, lambda work: rooms.leave(work, id_))

    def _ticket(self, which: int) -> TicketNow:
        ids = sorted(self.now.tickets)
        return self.now.tickets[ids[which % len(ids)]]

    def _who(self, who: str, ticket: TicketNow | None) -> str:
        if ticket is None or who in PEOPLE:
            return who
        if who == "the owner":
            return self.names[ticket.owner]
        teams = {id_: key for key, id_ in self.town.teams.items()}
        rungs = {name: rungs.get(teams[ticket.team]) for name, (_role, rungs, _knows) in PEOPLE.items()}
        return next(name for name, rung in rungs.items() if rung == (ticket.queued_for or 1))

    def _as(self, step: str, who: str, ticket: TicketNow | None, do: Callable[[Work], object]) -> None:
        self._try(step, lambda: self.town.do(self._who(who, ticket), do))

    def _try(self, step: str, do: Callable[[], object]) -> None:
        before, refused = self.now, False
        try:
            do()
        except No as no:
            assert no.sentence
            refused = True
        self.now = self.reader.snapshot(self.town)
        self.tally[step, refused] += 1
        if refused:
            assert self.now == before, "a refused step changed something"
        else:
            hold(self.now)
            follows(before, self.now, step)


@pytest.fixture
def reader(backend: Backend) -> Iterator[Reader]:
    opened = Reader(backend)
    yield opened
    opened.close()


def test_a_ticket_has_one_owner_and_an_unbroken_chain_whatever_happens(store: Store, reader: Reader) -> None:
    tally: Counter[tuple[str, bool]] = Counter()
    run_state_machine_as_test(
        lambda: Support(store, reader, tally),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            # Each example is thirty transactions: slow by nature.
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
        ),
    )
    steps = {step for step, _refused in tally}
    print(f"{sum(tally.values())} steps, {sum(n for (_s, no), n in tally.items() if no)} of them refused")
    for step in sorted(steps):
        print(f"  {step}: {tally[step, False]} done, {tally[step, True]} refused")
    if EXAMPLES >= 300:
        assert all(tally[step, False] for step in steps), "a step that never succeeds shows nothing"
        assert sum(tally.values()) >= 300 * STEPS
