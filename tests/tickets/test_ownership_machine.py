"""Whatever anybody does in whatever order, a ticket has exactly one owner and an unbroken chain."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
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
TOGETHER = 100
"""Examples on one database; more are split, so that workers share them and none takes minutes."""
STEPS = 30
CORE = (
    *("open", "take", "hand over", "escalate", "deactivate", "name duty lead"),
    *("switch", "move mode", "resolve", "reopen", "ask"),
)
MOST_TICKETS = 4
NAMES = sorted(PEOPLE)

Verb = Callable[[Work, TicketNow, int, str], object]
"""What somebody does: with which ticket, with whom, and the client id of what they send."""


def _ask(work: Work, ticket: TicketNow, other: int, client_id: str, skills: tuple[int, ...] = ()) -> object:
    return ask_for_help(
        work,
        ticket.id,
        question="Why?",
        tried="Everything",
        skill_ids=skills,
        person_ids=[] if skills else [other],
        client_id=f"{ticket.id}-{client_id}",
    )


VERBS: dict[str, Verb] = {
    "take": lambda work, ticket, _other, _id: tickets.take(work, ticket.id),
    "take, seen before": lambda work, ticket, _other, _id: tickets.take(work, ticket.id, ticket.version - 1),
    "hand over": lambda work, ticket, other, _id: tickets.hand_over(work, ticket.id, other, "holiday"),
    "escalate": lambda work, ticket, _other, _id: escalate(work, ticket.id, "stuck", "tried it all"),
    "return": lambda work, ticket, _other, _id: send_back(work, ticket.id, "yours after all"),
    "move mode": lambda work, ticket, _other, _id: tickets.move_mode(work, ticket.id, "fits better"),
    "hold": lambda work, ticket, _other, _id: tickets.set_pace(work, ticket.id, "on_hold"),
    "resolve": lambda work, ticket, _other, _id: tickets.resolve(work, ticket.id),
    "reopen": lambda work, ticket, _other, _id: tickets.reopen(work, ticket.id),
    "answer": lambda work, ticket, _other, id_: post(work, ticket.id, "lane", "Try this", id_, wait=True),
    "write in the room": lambda work, ticket, _other, id_: post(work, ticket.id, "room", "Hm", id_),
    "ask": _ask,
    "raise hand": lambda work, ticket, _other, _id: rooms.raise_hand(work, ticket.id),
    "leave": lambda work, ticket, _other, _id: rooms.leave(work, ticket.id),
    "dismiss": lambda work, ticket, other, _id: rooms.dismiss(work, ticket.id, other),
}

name = st.sampled_from(NAMES)
which = st.integers(0, 11)
team = st.sampled_from(sorted(TEAMS))


def alive(ticket: TicketNow) -> bool:
    return ticket.status not in ("resolved", "closed")


def waits(ticket: TicketNow) -> bool:
    return ticket.queued_for is not None


def climbs(ticket: TicketNow) -> bool:
    return alive(ticket) and ticket.mode == "tiered" and not waits(ticket) and ticket.tier < 3


def sinks(ticket: TicketNow) -> bool:
    return alive(ticket) and ticket.mode == "tiered" and (ticket.tier > 1 or bool(ticket.queued_for))


def asks(ticket: TicketNow) -> bool:
    return alive(ticket) and ticket.mode == "tierless"


def resolved(ticket: TicketNow) -> bool:
    return ticket.status == "resolved"


def some(fits: Callable[[TicketNow], bool]) -> Callable[[Any], bool]:
    return lambda machine: any(map(fits, machine.now.tickets.values()))


class Support(RuleBasedStateMachine):
    """One town; steps that should work and steps by anybody, and the laws are checked after each."""

    store: ClassVar[Store]
    reader: ClassVar[Reader]
    tally: ClassVar[Counter[tuple[str, bool]]]
    whole: ClassVar[int]
    """Examples that were not ended early."""

    def __init__(self) -> None:
        super().__init__()
        # The same steps lead to the same modes, or Hypothesis could neither repeat nor shrink them.
        policy.chance.seed(1)
        self.town = build(self.store)
        self.client_ids = map(str, count(1))
        self.now = self.reader.snapshot(self.town)
        self.names = {id_: name for name, id_ in self.town.people.items()}
        self.steps = 0

    def teardown(self) -> None:
        type(self).whole += self.steps >= STEPS

    @initialize(team=team)
    def begin(self, team: str) -> None:
        self._try("open", lambda: self.town.open(team))

    @precondition(lambda self: len(self.now.tickets) < MOST_TICKETS)
    @rule(team=team, priority=st.integers(0, 3))
    def open(self, team: str, priority: int) -> None:
        self._try("open", lambda: self.town.open(team, priority))

    @rule(verb=st.sampled_from(list(VERBS)), which=which, who=name, other=name)
    def anybody_tries_anything(self, verb: str, which: int, who: str, other: str) -> None:
        self._do(verb, self._ticket(which), self.town.people[who], self.town.people[other])

    @rule(verb=st.sampled_from(list(VERBS)), which=which, other=name)
    def the_owner_tries_anything(self, verb: str, which: int, other: str) -> None:
        ticket = self._ticket(which)
        self._do(verb, ticket, ticket.owner, self.town.people[other])

    @precondition(some(waits))
    @rule(which=which, chosen=which)
    def take_what_waits(self, which: int, chosen: int) -> None:
        ticket = self._ticket(which, waits)
        self._do("take", ticket, self._member(ticket, ticket.queued_for or 0, chosen))

    @precondition(some(alive))
    @rule(which=which, chosen=which)
    def hand_over_within_the_tier(self, which: int, chosen: int) -> None:
        ticket = self._ticket(which, alive)
        rung = ticket.tier if ticket.mode == "tiered" else 0
        self._do("hand over", ticket, ticket.owner, self._member(ticket, rung, chosen))

    @precondition(some(climbs))
    @rule(which=which)
    def escalate(self, which: int) -> None:
        ticket = self._ticket(which, climbs)
        self._do("escalate", ticket, ticket.owner)

    @precondition(some(sinks))
    @rule(which=which, by_tier=st.booleans())
    def send_back(self, which: int, by_tier: bool) -> None:
        ticket = self._ticket(which, sinks)
        above = self._member(ticket, ticket.queued_for or ticket.tier, 0)
        self._do("return", ticket, above if by_tier else ticket.owner)

    @precondition(lambda self: len(self.now.active) > len(NAMES) // 2)
    @rule(which=which, is_owner=st.booleans())
    def deactivate(self, which: int, is_owner: bool) -> None:
        owners = {ticket.owner for ticket in self.now.tickets.values()} if is_owner else set()
        leads = {lead for lead, *_rest in self.now.teams.values()}
        known = sorted((owners - leads) & self.now.active or self.now.active)
        id_ = known[which % len(known)]
        self._try("deactivate", lambda: self.town.act("root", people.deactivate, id_))

    @rule(team=team, to=name)
    def name_duty_lead(self, team: str, to: str) -> None:
        id_, to_id = self.town.teams[team], self.town.people[to]
        self._try(
            "name duty lead",
            lambda: self.town.act("root", people.name_duty_lead, id_, to_id),
        )

    @rule(
        team=team,
        who=st.one_of(st.just("mona"), name),
        to=st.sampled_from([("tiered", 0), ("tierless", 0), ("split", 50), ("split", 33)]),
        behind=st.booleans(),
    )
    def switch(self, team: str, who: str, to: tuple[policy.Policy, int], behind: bool) -> None:
        id_ = self.town.teams[team]
        seen = self.now.teams[id_][3]
        self._try(
            "switch",
            lambda: self.town.act(who, policy.switch, id_, *to, "why not", seen - behind),
        )
        assert self.now.teams[id_][3] in (seen, seen + 1)

    @rule(which=which, who=st.one_of(st.sampled_from(["mona", "max", "root"]), name))
    def move_mode(self, which: int, who: str) -> None:
        self._do("move mode", self._ticket(which), self.town.people[who])

    @precondition(some(alive))
    @rule(which=which)
    def resolve(self, which: int) -> None:
        ticket = self._ticket(which, alive)
        self._do("resolve", ticket, ticket.owner)

    @precondition(some(resolved))
    @rule(which=which, by_owner=st.booleans(), days=st.sampled_from([0, 0, 0, 8]))
    def reopen(self, which: int, by_owner: bool, days: int) -> None:
        ticket = self._ticket(which, resolved)
        if by_owner:
            self._do("reopen", ticket, ticket.owner)
            return
        actor, client_id = self.town.customer(ticket.id), next(self.client_ids)
        with self.town.later(days=days):
            self._try(
                "customer answers",
                lambda: self.town.act_as(actor, post, ticket.id, "lane", "Not quite", client_id),
            )

    @precondition(some(resolved))
    @rule(days=st.sampled_from([0, 8]))
    def close_old(self, days: int) -> None:
        with self.town.later(days=days):
            self._try(
                "close old",
                lambda: self.store.write_now(SYSTEM, lambda work: tickets.close_resolved(work, 7)),
            )

    @precondition(some(asks))
    @rule(which=which, skills=st.sets(st.sampled_from(SKILLS)), named=name)
    def ask(self, which: int, skills: set[str], named: str) -> None:
        ticket, wanted = self._ticket(which, asks), tuple(sorted(self.town.skills[key] for key in skills))
        other, client_id = self.town.people[named], next(self.client_ids)
        who = self.names[ticket.owner]
        self._try("ask", lambda: self.town.do(who, lambda work: _ask(work, ticket, other, client_id, wanted)))

    @precondition(lambda self: self.now.invitations)
    @rule(which=which, accepts=st.booleans(), who=st.one_of(st.none(), st.none(), name))
    def answer_an_ask(self, which: int, accepts: bool, who: str | None) -> None:
        pending = [row for row in self.now.invitations if row[4] == "pending"]
        known = pending if pending and which > 2 else self.now.invitations
        id_, _ask, _ticket, person, _state = known[which % len(known)]
        by, verb = who or self.names[person], rooms.accept if accepts else rooms.decline
        self._try(verb.__name__, lambda: self.town.act(by, verb, id_))

    @precondition(some(asks))
    @rule(which=which, who=st.sampled_from(["ada", "ina", "paul", "quinn"]))
    def raise_hand(self, which: int, who: str) -> None:
        self._do("raise hand", self._ticket(which, asks), self.town.people[who])

    @precondition(lambda self: self.now.present)
    @rule(which=which, dismissed=st.booleans())
    def go(self, which: int, dismissed: bool) -> None:
        id_, person = sorted(self.now.present)[which % len(self.now.present)]
        ticket = self.now.tickets[id_]
        if dismissed:
            self._do("dismiss", ticket, ticket.owner, person)
        else:
            self._do("leave", ticket, person)

    def _ticket(self, which: int, fits: Callable[[TicketNow], bool] = lambda _ticket: True) -> TicketNow:
        fit = [ticket for _id, ticket in sorted(self.now.tickets.items()) if fits(ticket)]
        return fit[which % len(fit)]

    def _member(self, ticket: TicketNow, rung: int, chosen: int) -> int:
        """Somebody else of the ticket's team who is still there, where there is one; rung 0: on any."""
        team = next(key for key, id_ in self.town.teams.items() if id_ == ticket.team)
        there = [
            self.town.people[name]
            for name, (_role, rungs, _knows) in PEOPLE.items()
            if team in rungs and rung in (0, rungs[team])
        ]
        fit = [id_ for id_ in there if id_ in self.now.active and id_ != ticket.owner] or there
        return fit[chosen % len(fit)] if fit else ticket.owner

    def _do(self, verb: str, ticket: TicketNow, by: int, other: int = 0) -> None:
        client_id = next(self.client_ids)
        do = VERBS[verb]
        self._try(verb, lambda: self.town.do(self.names[by], lambda work: do(work, ticket, other, client_id)))

    def _try(self, step: str, do: Callable[[], object]) -> None:
        before, refused = self.now, False
        try:
            do()
        except No as no:
            assert no.sentence
            refused = True
        self.now = self.reader.snapshot(self.town)
        self.tally[step, refused] += 1
        self.steps += 1
        if refused:
            assert self.now == before, "a refused step changed something"
        else:
            hold(self.now)
            follows(before, self.now, step)
            # Of what they own already, people may say again that they take it.
            assert step != "take, seen before" or self.now == before


@pytest.fixture
def reader(backend: Backend) -> Iterator[Reader]:
    opened = Reader(backend)
    yield opened
    opened.close()


@pytest.mark.parametrize("examples", [TOGETHER] * (EXAMPLES // TOGETHER) or [EXAMPLES])
def test_a_ticket_has_one_owner_and_an_unbroken_chain_whatever_happens(
    store: Store, reader: Reader, monkeypatch: pytest.MonkeyPatch, examples: int
) -> None:
    class Here(Support):
        pass

    Here.store, Here.reader, Here.tally, Here.whole = store, reader, Counter(), 0
    monkeypatch.setattr(policy, "chance", Random(1))
    while Here.whole < examples:
        run_state_machine_as_test(
            Here,
            settings=settings(
                max_examples=max(10, examples - Here.whole),
                stateful_step_count=STEPS,
                deadline=None,
                # Each example is thirty transactions: slow by nature.
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )
    tally = Here.tally
    steps = sorted({step for step, _refused in tally})
    print(f"{Here.whole} examples of {STEPS} steps; {sum(tally.values())} steps in all")
    for step in steps:
        print(f"  {step}: {tally[step, False]} done, {tally[step, True]} refused")
    if examples == TOGETHER:
        assert all(tally[step, False] for step in CORE), "a step that never succeeds shows nothing"
