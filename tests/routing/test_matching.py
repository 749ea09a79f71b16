"""An ask reaches the fewest available people who cover the skills, the least busy among equals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import chain, combinations

from hypothesis import given
from hypothesis import strategies as st

from swarm.events import SYSTEM
from swarm.people import actions as people
from swarm.rooms import actions as rooms
from swarm.rooms.asking import expire
from swarm.rooms.models import Invitation, InvitationSkill
from swarm.rooms.queries import asked_of, in_room, pending_for
from swarm.routing.matching import Candidate, ask_for_help, candidates_for, smallest_cover
from swarm.store import Work
from swarm.tickets import actions as tickets
from tests.support.town import Town

skill_sets = st.frozensets(st.integers(1, 6))
crowds = st.lists(st.tuples(skill_sets, st.integers(0, 3)), max_size=6).map(
    lambda known: [Candidate(place, skills, load) for place, (skills, load) in enumerate(known, start=1)]
)


def ask(town: Town, ticket: int, skills: list[str], named: list[str], client_id: str = "one") -> int:
    def do(work: Work) -> int:
        return ask_for_help(
            work,
            ticket,
            question="Why?",
            tried="",
            skill_ids=[town.skills[key] for key in skills],
            person_ids=[town.people[name] for name in named],
            client_id=client_id,
        ).id

    return town.do("hugo", do)


def reached(town: Town, ask_id: int) -> dict[str, list[str]]:
    """Whom the ask reached and waits for, and for what."""
    names = {id_: name for name, id_ in town.people.items()}
    skills = {id_: key for key, id_ in town.skills.items()}

    def look(work: Work) -> dict[str, list[str]]:
        found = {}
        for one in work.session.query(Invitation).filter_by(ask_id=ask_id, state="pending"):
            brings = work.session.query(InvitationSkill).filter_by(invitation_id=one.id)
            found[names[one.person_id]] = sorted(skills[row.skill_id] for row in brings)
        return found

    return town.look("root", look)


def owned(town: Town) -> int:
    id_ = town.open("hive")
    town.act("hugo", tickets.take, id_)
    return id_


def answer(town: Town, who: str, ticket: int, *, accepts: bool) -> None:
    waiting = town.look(who, lambda work: pending_for(work.session, work.actor, ticket))
    assert waiting is not None
    town.act(who, rooms.accept if accepts else rooms.decline, waiting.id)


@given(wanted=st.frozensets(st.integers(1, 6)), crowd=crowds)
def test_no_smaller_and_no_less_busy_group_covers_as_much(
    wanted: frozenset[int], crowd: list[Candidate]
) -> None:
    match = smallest_cover(wanted, crowd)
    covered = wanted & frozenset(chain.from_iterable(one.skills for one in crowd))
    assert match.uncovered == wanted - covered
    assert sorted(chain.from_iterable(match.chosen.values())) == sorted(covered), "each skill from one person"
    by_id = {one.person_id: one for one in crowd}
    assert all(skills <= by_id[person].skills for person, skills in match.chosen.items())
    best = min(
        (len(group), sum(one.load for one in group))
        for size in range(len(crowd) + 1)
        for group in combinations(crowd, size)
        if covered <= frozenset(chain.from_iterable(one.skills for one in group))
    )
    assert (len(match.chosen), sum(by_id[person].load for person in match.chosen)) == best


@given(wanted=st.frozensets(st.integers(1, 6)), crowd=crowds, seed=st.randoms(use_true_random=False))
def test_the_choice_does_not_depend_on_the_order_of_the_candidates(wanted, crowd, seed) -> None:
    shuffled = crowd[:]
    seed.shuffle(shuffled)
    assert smallest_cover(wanted, crowd) == smallest_cover(wanted, shuffled)


def test_one_person_with_both_skills_is_asked_before_two_with_one_each(town: Town) -> None:
    ask_id = ask(town, owned(town), ["postgres", "network"], [])
    assert reached(town, ask_id) == {"quinn": ["network", "postgres"]}


def test_whoever_is_named_counts_and_only_what_they_lack_is_looked_for(town: Town) -> None:
    ask_id = ask(town, owned(town), ["postgres", "network"], ["paul", "eve"])
    # Dov and Quinn both bring the network and neither is busy: the lower number decides.
    assert reached(town, ask_id) == {"paul": ["postgres"], "eve": [], "dov": ["network"]}


def test_the_less_busy_is_asked(town: Town) -> None:
    first = ask(town, owned(town), ["network"], [], "first")
    second = ask(town, owned(town), ["network"], [], "second")
    assert [list(reached(town, id_)) for id_ in (first, second)] == [["dov"], ["quinn"]]


def test_who_is_away_busy_gone_or_the_owner_is_not_asked(town: Town) -> None:
    town.act("dov", people.set_availability, town.people["dov"], "away")
    town.act("quinn", people.set_availability, town.people["quinn"], "busy")
    town.act("root", people.set_skills, town.people["hugo"], {town.skills["network"]: 2})
    found = town.look(
        "hugo",
        lambda work: candidates_for(work.session, [town.skills["network"]], [town.people["hugo"]]),
    )
    assert found == []
    assert reached(town, ask(town, owned(town), ["network"], ["quinn"])) == {"quinn": ["network"]}


def test_after_a_decline_the_next_is_asked_and_nobody_twice(town: Town) -> None:
    id_ = owned(town)
    ask_id = ask(town, id_, ["network"], [])
    answer(town, "dov", id_, accepts=False)
    assert reached(town, ask_id) == {"quinn": ["network"]}
    answer(town, "quinn", id_, accepts=False)
    assert reached(town, ask_id) == {}


def test_when_an_asked_person_is_deactivated_the_next_is_asked(town: Town) -> None:
    id_ = owned(town)
    ask_id = ask(town, id_, ["network"], [])
    town.act("root", people.deactivate, town.people["dov"])
    assert reached(town, ask_id) == {"quinn": ["network"]}


def test_whoever_does_not_answer_in_time_makes_way_for_the_next_and_may_still_come(town: Town) -> None:
    id_ = owned(town)
    ask_id = ask(town, id_, ["network"], ["paul"])
    with town.later(minutes=14):
        assert expire_asks(town) == 0
    with town.later(minutes=16):
        assert expire_asks(town) == 1
        assert expire_asks(town) == 0, "whoever was asked just now has their own time"
    assert reached(town, ask_id) == {"paul": [], "quinn": ["network"]}, "whom the owner named is waited for"
    assert town.look("dov", lambda work: pending_for(work.session, work.actor, id_)) is None
    still = town.look("dov", lambda work: asked_of(work.session, work.actor))
    assert [(one.ask.id, one.invitation) for one in still] == [(ask_id, None)]
    town.act("dov", rooms.raise_hand, id_)
    assert present(town, id_) == ["Dov"]


def test_an_answer_and_the_clock_at_once_settle_it_one_way(town: Town) -> None:
    for turn in range(10):
        id_ = owned(town)
        ask_id = ask(town, id_, ["network"], [], f"turn-{turn}")
        (who,) = reached(town, ask_id)
        with town.later(minutes=16), ThreadPoolExecutor(2) as both:
            clock = both.submit(expire_asks, town)
            answered = both.submit(answer, town, who, id_, accepts=True)
            came = answered.exception(30) is None
            assert clock.result(30) == (0 if came else 1)
        assert present(town, id_) == ([who.title()] if came else [])
        town.act("hugo", tickets.resolve, id_)


def present(town: Town, ticket: int) -> list[str]:
    return town.look("hugo", lambda work: [one.name for one in in_room(work.session, ticket)])


def expire_asks(town: Town) -> int:
    return town.store.write_now(SYSTEM, lambda work: expire(work, minutes=15))


def test_a_decline_on_a_closed_ask_asks_nobody(town: Town) -> None:
    id_ = owned(town)
    ask_id = ask(town, id_, ["network"], ["paul"])
    town.act("hugo", tickets.resolve, id_)
    assert reached(town, ask_id) == {}
