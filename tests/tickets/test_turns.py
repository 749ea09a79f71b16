"""What is written into rooms in one turn is judged and answered one by one, as if it had come alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from swarm.at_once import AT_ONCE
from swarm.events import NOBODY, Actor
from swarm.events.refusals import No, NotAllowed, Stale, Unknown
from swarm.people import actions as people
from swarm.people.queries import person_actor
from swarm.rooms import actions as rooms
from swarm.rooms.queries import pending_for
from swarm.routing.escalation import escalate
from swarm.routing.matching import ask_for_help
from swarm.store import Work, log
from swarm.tickets import actions as tickets
from swarm.tickets.events import RoomMessagePosted
from swarm.tickets.posting import post
from swarm.tickets.turns import Draft, Posted, post_turn
from tests.support.town import PEOPLE, Town


@pytest.fixture
def busy(town: Town) -> dict[str, int]:
    """A ticket of every kind that a room can be in."""
    made = {name: town.open("ladder") for name in ("fresh", "taken", "waits", "handed over", "closed")}
    made |= {name: town.open("hive") for name in ("swarming", "alone", "resolved")}
    for name in ("taken", "waits", "handed over"):
        town.act("ada", tickets.take, made[name])
    town.act("ada", tickets.hand_over, made["handed over"], town.people["ben"], "holiday")
    town.act("ada", escalate, made["waits"], reason="stuck", note="tried all")
    for name in ("swarming", "alone", "resolved"):
        town.act("hugo", tickets.take, made[name])
    for who in ("paul", "quinn"):
        _ask(town, made["swarming"], who)
    waiting = town.look("paul", lambda work: pending_for(work.session, work.actor, made["swarming"]))
    assert waiting is not None
    town.act("paul", rooms.accept, waiting.id)
    town.act("hugo", tickets.resolve, made["resolved"])
    town.act("lena", tickets.resolve, made["closed"])
    with town.later(days=9):
        town.store.write_now(NOBODY, lambda work: tickets.close_resolved(work, 7))
    return made


def _ask(town: Town, ticket: int, who: str) -> None:
    def do(work: Work) -> None:
        ask_for_help(
            work,
            ticket,
            question="Why?",
            tried="",
            skill_ids=[],
            person_ids=[town.people[who]],
            client_id=f"ask-of-{who}-{ticket}",
        )

    town.do("hugo", do)


def turn(town: Town, asked: Sequence[tuple[str | Actor, int, str, str]]) -> list[Posted | No]:
    def actor(work: Work, who: str | Actor) -> Actor:
        return who if isinstance(who, Actor) else person_actor(work.session, town.people[who])

    def do(work: Work) -> list[Posted | No]:
        return post_turn(
            work, [Draft(actor(work, who), ticket, id_, body) for who, ticket, id_, body in asked]
        )

    return town.store.write_now(NOBODY, do)


def test_everybody_may_write_in_a_turn_exactly_where_the_form_lets_them(
    town: Town, busy: dict[str, int]
) -> None:
    asked = [(who, id_) for id_ in (*busy.values(), 10**9) for who in PEOPLE]
    outcomes = turn(town, [(who, id_, f"turn-{who}", "Hm") for who, id_ in asked])
    told: dict[tuple[str, int], tuple[object, str]] = {}
    for who, id_ in asked:
        try:
            town.act(who, post, id_, "room", "Hm", f"form-{who}")
            told[who, id_] = (Posted, "")
        except No as no:
            told[who, id_] = (type(no), no.sentence)
    assert {
        place: (type(one), one.sentence if isinstance(one, No) else "")
        for place, one in zip(asked, outcomes, strict=True)
    } == told
    assert {kind for kind, _why in told.values()} == {Posted, NotAllowed, Unknown}, "the net holds something"


def test_a_customer_and_nobody_write_in_no_room(town: Town, busy: dict[str, int]) -> None:
    own = town.customer(busy["taken"])
    outcomes = turn(
        town,
        [
            (own, busy["taken"], "c1", "Hm"),
            (own, busy["fresh"], "c1", "Hm"),
            (NOBODY, busy["taken"], "c1", "Hm"),
        ],
    )
    assert [type(one) for one in outcomes] == [NotAllowed, Unknown, Unknown]


def test_each_draft_has_its_own_outcome_and_only_what_is_new_takes_a_number(
    town: Town, busy: dict[str, int]
) -> None:
    swarming, taken = busy["swarming"], busy["taken"]
    (first,) = turn(town, [("hugo", swarming, "h1", "One")])
    assert isinstance(first, Posted)
    before = _heads(town, swarming, taken)
    outcomes = turn(
        town,
        [
            ("hugo", swarming, "h1", "One"),
            ("hugo", swarming, "h1", "Another"),
            ("paul", swarming, "p1", "Two"),
            ("cleo", taken, "c1", "Not mine"),
            ("ada", taken, "a1", "Three"),
            ("paul", swarming, "p1", "Two"),
            ("paul", swarming, "p1", "Too"),
            ("hugo", swarming, "h2", "Four"),
        ],
    )
    assert outcomes[0] == Posted(first.message_id, first.seq, repeated=True)
    assert [type(one) for one in outcomes] == [
        *(Posted, Stale, Posted, NotAllowed, Posted, Posted, Stale, Posted)
    ]
    seqs = [one.seq for one in outcomes if isinstance(one, Posted)]
    assert seqs == [first.seq, before[0] + 1, before[1] + 1, before[0] + 1, before[0] + 2]
    assert [one.repeated for one in outcomes if isinstance(one, Posted)] == [True, False, False, True, False]
    assert _heads(town, swarming, taken) == (before[0] + 2, before[1] + 1)
    kept = town.look("mona", lambda work: log.after(work.session, f"room:{swarming}", before[0], 10))
    assert [(entry.seq, entry.actor) for entry in kept] == [
        (before[0] + 1, f"person:{town.people['paul']}"),
        (before[0] + 2, f"person:{town.people['hugo']}"),
    ]


def test_a_right_that_has_gone_refuses_what_is_new_and_answers_what_stands(
    town: Town, busy: dict[str, int]
) -> None:
    (first,) = turn(town, [("ada", busy["taken"], "a1", "One")])
    town.act("root", people.set_membership, town.people["ada"], {})
    town.act("lena", tickets.take, busy["fresh"])
    town.act("root", tickets.take, busy["taken"])
    gone = turn(town, [("ada", busy["taken"], "a1", "One"), ("ada", busy["taken"], "a2", "Two")])
    assert isinstance(first, Posted)
    assert [type(one) for one in gone] == [Unknown, Unknown], (
        "whoever may not know of the ticket learns nothing"
    )


def _heads(town: Town, *ids: int) -> tuple[int, ...]:
    found = town.look("mona", lambda work: log.heads(work.session, [f"room:{id_}" for id_ in ids]))
    return tuple(found[f"room:{id_}"] for id_ in ids)


def test_nothing_has_to_follow_a_message_at_once_for_a_turn_knows_its_numbers_after_the_commit() -> None:
    assert RoomMessagePosted not in AT_ONCE
