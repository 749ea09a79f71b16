"""Two people at once: one wins, the other is told, nothing is half done."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from swarm.events import SYSTEM
from swarm.events.refusals import No, NotAllowed, Stale, Unknown
from swarm.modes import policy
from swarm.people import actions as people
from swarm.people.models import Team
from swarm.rooms import actions as rooms
from swarm.routing.escalation import escalate, send_back
from swarm.routing.matching import ask_for_help
from swarm.tickets import actions as tickets
from swarm.tickets.posting import post
from swarm.tickets.turns import Posted
from tests.support.backends import Backend
from tests.support.laws import Reader, hold
from tests.support.town import Town, open_store

ROUNDS = 100
TAKERS = ("lena", "ada", "ben", "cleo", "dov", "eve", "mona", "max")
MANAGERS = ("mona", "max")
MATCHES = 8
"""Rounds of the other races; a deadlock that PostgreSQL resolves takes it a second."""


@pytest.fixture
def second(town: Town, backend: Backend) -> Iterator[Town]:
    """The town as another worker on the same database reaches it."""
    opened = open_store(backend)
    yield town.through(opened)
    opened.close()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(len(TAKERS)) as pool:
        yield pool


@pytest.fixture
def reader(backend: Backend) -> Iterator[Reader]:
    opened = Reader(backend)
    yield opened
    opened.close()


def at_once(pool: ThreadPoolExecutor, *tries: Callable[[], Any]) -> list[Any]:
    """What each try returned, or its refusal; all start together."""
    barrier = Barrier(len(tries))

    def run(do: Callable[[], Any]) -> Any:
        barrier.wait(10)
        try:
            return do()
        except No as no:
            return no

    return [future.result(60) for future in [pool.submit(run, do) for do in tries]]


def won(outcomes: Sequence[Any]) -> list[int]:
    """The places of those that were not refused."""
    return [place for place, outcome in enumerate(outcomes) if not isinstance(outcome, No)]


def ask(town: Town, owner: str, ticket_id: int, named: Sequence[int], client_id: str) -> int:
    """An ask for named people; its id."""
    asked = partial(ask_for_help, question="Why?", tried="", skill_ids=[], person_ids=named)
    return town.do(owner, lambda work: asked(work, ticket_id, client_id=client_id).id)


def test_of_eight_simultaneous_takers_exactly_one_wins_a_hundred_times(
    town: Town, second: Town, threads: ThreadPoolExecutor, reader: Reader
) -> None:
    for _round in range(ROUNDS):
        id_ = town.open("ladder")
        # Managers may take from anybody at any time; here they act on what they saw, as their page does.
        tries = [
            partial((town, second)[place % 2].act, who, tickets.take, id_, 1 if who in MANAGERS else None)
            for place, who in enumerate(TAKERS)
        ]
        outcomes = at_once(threads, *tries)
        (winner,) = won(outcomes)
        losers = [outcome for outcome in outcomes if isinstance(outcome, No)]
        assert {type(no) for no in losers} <= {NotAllowed, Stale}
        assert town.owners(id_) == ["lena", TAKERS[winner]]
        assert all(TAKERS[winner].title() in no.sentence for no in losers), "the winner is named"
    hold(reader.snapshot(town))


def test_who_is_deactivated_while_taking_does_not_end_up_as_the_owner(
    town: Town, threads: ThreadPoolExecutor, reader: Reader
) -> None:
    for leaver in ("ada", "ben", "cleo", "dov", "eve"):
        id_ = town.open("ladder")
        outcomes = at_once(
            threads,
            partial(town.act, leaver, tickets.take, id_),
            partial(town.act, "root", people.deactivate, town.people[leaver]),
        )
        assert 1 in won(outcomes)
        assert town.ticket(id_).owner_id == town.people["lena"]
        if 0 not in won(outcomes):
            assert isinstance(outcomes[0], Unknown)
            assert len(town.chain(id_)) == 1
        hold(reader.snapshot(town))


def test_who_is_deactivated_while_being_handed_a_ticket_does_not_end_up_as_the_owner(
    town: Town, threads: ThreadPoolExecutor, reader: Reader
) -> None:
    for leaver in ("ada", "ben"):
        id_ = town.open("ladder")
        town.act("lena", tickets.take, id_)
        at_once(
            threads,
            partial(town.act, "lena", tickets.hand_over, id_, town.people[leaver], "holiday"),
            partial(town.act, "root", people.deactivate, town.people[leaver]),
        )
        assert town.ticket(id_).owner_id == town.people["lena"]
        hold(reader.snapshot(town))


def test_an_escalation_is_either_taken_or_withdrawn(
    town: Town, second: Town, threads: ThreadPoolExecutor, reader: Reader
) -> None:
    for _round in range(MATCHES):
        id_ = town.open("ladder")
        town.act("ada", tickets.take, id_)
        town.act("ada", escalate, id_, "stuck", "tried it all", 2)
        outcomes = at_once(
            threads,
            partial(town.act, "cleo", tickets.take, id_, 2),
            partial(second.act, "ada", send_back, id_, "solved it", 2),
        )
        assert len(won(outcomes)) == 1
        assert town.ticket(id_).queued_for is None
        assert town.owners(id_) == (["lena", "ada", "cleo"] if won(outcomes) == [0] else ["lena", "ada"])
        hold(reader.snapshot(town))


def test_of_two_managers_who_switch_at_once_one_wins_and_the_other_learns_who_and_what(
    town: Town, second: Town, threads: ThreadPoolExecutor
) -> None:
    team = town.teams["ladder"]
    for version in range(1, MATCHES + 1):
        outcomes = at_once(
            threads,
            partial(town.act, "mona", policy.switch, team, "tierless", 0, "try it", version),
            partial(second.act, "max", policy.switch, team, "split", 25, "compare", version),
        )
        (winner,) = won(outcomes)
        loser = outcomes[1 - winner]
        assert isinstance(loser, Stale)
        assert re.search(("Mona.*Tierless.*try it", "Max.*Split, 25 %.*compare")[winner], loser.sentence)
        now = town.look("root", lambda work: work.session.get_one(Team, team))
        assert (now.policy, now.policy_version) == (("tierless", "split")[winner], version + 1)


def test_nobody_becomes_duty_lead_while_being_deactivated(
    town: Town, second: Town, threads: ThreadPoolExecutor, reader: Reader
) -> None:
    waiting, team = [town.open("ladder") for _ in range(2)], town.teams["ladder"]
    for leaver in ("ada", "ben", "cleo", "dov"):
        outcomes = at_once(
            threads,
            partial(town.act, "mona", people.name_duty_lead, team, town.people[leaver]),
            partial(second.act, "root", people.deactivate, town.people[leaver]),
        )
        assert len(won(outcomes)) == 1
        now = reader.snapshot(town)
        assert now.teams[team][0] in now.active
        assert {town.ticket(id_).owner_id for id_ in waiting} == {now.teams[team][0]}
        hold(now)


def test_a_team_is_not_made_with_a_duty_lead_who_is_being_deactivated(
    town: Town, second: Town, threads: ThreadPoolExecutor
) -> None:
    new = partial(people.create_team, name="New", policy="tiered", share=0, tiers=())
    for leaver in ("ada", "ben", "cleo", "dov"):
        id_ = town.people[leaver]
        outcomes = at_once(
            threads,
            partial(town.act, "mona", new, key=f"{leaver}s", duty_lead_id=id_),
            partial(second.act, "root", people.deactivate, id_),
        )
        assert len(won(outcomes)) == 1


def test_of_two_administrators_who_demote_each_other_one_stays(
    town: Town, second: Town, threads: ThreadPoolExecutor, reader: Reader
) -> None:
    root, other = town.people["root"], town.people["max"]
    for _round in range(3):
        for id_ in (root, other):
            town.store.write_now(SYSTEM, partial(people.set_role, person_id=id_, role="administrator"))
        outcomes = at_once(
            threads,
            partial(town.act, "max", people.set_role, root, "agent"),
            partial(second.act, "root", people.set_role, other, "agent"),
        )
        assert len(won(outcomes)) == 1
        (roles,) = reader.rows(f"SELECT role FROM people WHERE id IN ({root}, {other}) ORDER BY role")
        assert roles == [("administrator",), ("agent",)]


def test_exact_retries_at_once_are_one_message_with_one_answer(
    town: Town, second: Town, threads: ThreadPoolExecutor, reader: Reader
) -> None:
    id_ = town.open("hive")
    town.act("ina", tickets.take, id_)
    for number in range(MATCHES):
        tries = [
            partial(worker.act, "ina", post, id_, "lane", "Try this", f"send-{number}")
            for worker in (town, second) * 4
        ]
        outcomes: list[Posted] = at_once(threads, *tries)
        assert len({(posted.message_id, posted.seq) for posted in outcomes}) == 1
        assert [posted.repeated for posted in outcomes].count(False) == 1
    (found,) = reader.rows(f"SELECT seq FROM messages WHERE ticket_id = {id_} AND author LIKE 'person:%'")
    assert len(found) == MATCHES


def test_exact_retries_of_an_ask_at_once_ask_once(
    town: Town, second: Town, threads: ThreadPoolExecutor, reader: Reader
) -> None:
    id_ = town.open("hive")
    town.act("ina", tickets.take, id_)
    named = [town.people["paul"], town.people["eve"]]
    outcomes = at_once(
        threads, *(partial(ask, worker, "ina", id_, named, "one ask") for worker in (town, second) * 2)
    )
    assert len(set(outcomes)) == 1
    assert len(reader.snapshot(town).pending) == 2


def test_who_is_deactivated_while_accepting_does_not_stay_in_the_room(
    town: Town, second: Town, threads: ThreadPoolExecutor, reader: Reader
) -> None:
    id_ = town.open("hive")
    town.act("ina", tickets.take, id_)
    for leaver in ("paul", "quinn", "ben"):
        ask(town, "ina", id_, [town.people[leaver]], f"for {leaver}")
        (invitation,) = [row[0] for row in reader.snapshot(town).invitations if row[4] == "pending"]
        outcomes = at_once(
            threads,
            partial(town.act, leaver, rooms.accept, invitation),
            partial(second.act, "root", people.deactivate, town.people[leaver]),
        )
        assert 1 in won(outcomes)
        hold(reader.snapshot(town))
    assert not reader.snapshot(town).present


def test_asks_for_the_same_people_at_once_reach_them_all(
    town: Town, second: Town, threads: ThreadPoolExecutor, reader: Reader
) -> None:
    named = [town.people[name] for name in ("paul", "quinn", "eve")]
    for number in range(MATCHES):
        first, other = town.open("hive"), town.open("hive")
        town.act("ina", tickets.take, first)
        town.act("ada", tickets.take, other)
        at_once(
            threads,
            partial(ask, town, "ina", first, named, f"first {number}"),
            partial(ask, second, "ada", other, named[::-1], f"other {number}"),
        )
    assert len(reader.snapshot(town).pending) == MATCHES * 2 * len(named)
