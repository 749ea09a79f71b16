"""People come when asked or by raising a hand, see the case while they help, and leave again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from swarm.events.refusals import NotAllowed, Stale, Unfit, Unknown
from swarm.people import actions as people
from swarm.people.models import Person
from swarm.rooms import actions as rooms
from swarm.rooms.queries import asked_of, helpers, in_room, pending_for
from swarm.routing.matching import ask_for_help
from swarm.store import Work
from swarm.tickets import actions as tickets
from swarm.tickets.posting import post
from swarm.tickets.queries import find
from tests.support.town import Town


@pytest.fixture
def owned(town: Town) -> int:
    """Ina's tierless ticket."""
    id_ = town.open("hive")
    town.act("ina", tickets.take, id_)
    return id_


def ask(
    town: Town, id_: int, *named: str, skills: Sequence[str] = (), client_id: str = "one", who: str = "ina"
) -> int:
    def do(work: Work) -> int:
        return ask_for_help(
            work,
            id_,
            question="Why?",
            tried="Everything",
            skill_ids=[town.skills[key] for key in skills],
            person_ids=[town.people[name] for name in named],
            client_id=client_id,
        ).id

    return town.do(who, do)


def invitation(town: Town, who: str, id_: int) -> int:
    waiting = town.look(who, lambda work: pending_for(work.session, work.actor, id_))
    assert waiting is not None
    return waiting.id


def present(town: Town, id_: int) -> list[str]:
    return [one.name for one in town.look("root", lambda work: in_room(work.session, id_))]


def sees(town: Town, who: str, id_: int) -> bool:
    try:
        return bool(town.look(who, lambda work: find(work.session, work.actor, id_)))
    except Unknown:
        return False


def stamp(town: Town, who: str) -> int:
    return town.look("root", lambda work: work.session.get_one(Person, town.people[who]).stamp)


def test_an_asked_person_sees_the_case_at_once_and_writes_after_accepting(town: Town, owned: int) -> None:
    before = stamp(town, "paul")
    assert not sees(town, "paul", owned)
    ask(town, owned, "paul")
    assert sees(town, "paul", owned)
    assert stamp(town, "paul") > before, "open screens must ask anew what they may see"
    with pytest.raises(NotAllowed, match="Accept the ask"):
        town.act("paul", post, owned, "room", "Hello", "c1")
    town.act("paul", rooms.accept, invitation(town, "paul", owned))
    town.act("paul", post, owned, "room", "Hello", "c1")
    with pytest.raises(NotAllowed):
        town.act("paul", post, owned, "lane", "Hello", "c2")
    assert present(town, owned) == ["Paul"]


def test_accepting_or_declining_twice_changes_nothing(town: Town, owned: int) -> None:
    ask(town, owned, "paul", "quinn")
    mine, other = invitation(town, "paul", owned), invitation(town, "quinn", owned)
    for _time in range(2):
        assert town.act("paul", rooms.accept, mine).state == "accepted"
        assert town.act("quinn", rooms.decline, other).state == "declined"
    assert present(town, owned) == ["Paul"]
    with pytest.raises(Stale):
        town.act("paul", rooms.decline, mine)
    with pytest.raises(Stale):
        town.act("quinn", rooms.accept, other)


def test_nobody_answers_for_another(town: Town, owned: int) -> None:
    ask(town, owned, "paul")
    mine = invitation(town, "paul", owned)
    for who in ("quinn", "ina", "mona"):
        for verb in (rooms.accept, rooms.decline):
            with pytest.raises(Unknown):
                town.act(who, verb, mine)


def test_who_declines_or_leaves_or_is_dismissed_no_longer_sees_the_case(town: Town, owned: int) -> None:
    ask(town, owned, "paul", "quinn", "eve")
    town.act("paul", rooms.decline, invitation(town, "paul", owned))
    for who in ("quinn", "eve"):
        town.act(who, rooms.accept, invitation(town, who, owned))
    town.act("quinn", rooms.leave, owned)
    with pytest.raises(NotAllowed):
        town.act("hugo", rooms.dismiss, owned, town.people["eve"])
    town.act("ina", rooms.dismiss, owned, town.people["eve"])
    assert [sees(town, who, owned) for who in ("paul", "quinn", "eve")] == [False, False, False]
    assert present(town, owned) == []
    assert town.look("ina", lambda work: list(helpers(work.session, owned))) == ["Quinn", "Eve"]
    with pytest.raises(NotAllowed, match="not in this room"):
        town.act("ina", rooms.dismiss, owned, town.people["eve"])


def test_who_is_there_or_asked_is_not_asked_again_until_they_left(town: Town, owned: int) -> None:
    ask(town, owned, "paul", "quinn")
    town.act("paul", rooms.accept, invitation(town, "paul", owned))
    for number, name in enumerate(("paul", "quinn")):
        with pytest.raises(Unfit, match="already"):
            ask(town, owned, name, client_id=f"again {number}")
    town.act("paul", rooms.leave, owned)
    ask(town, owned, "paul", client_id="later")
    town.act("paul", rooms.accept, invitation(town, "paul", owned))
    assert present(town, owned) == ["Paul"]


def test_a_hand_is_raised_by_the_team_and_by_the_skilled_and_by_nobody_else(town: Town, owned: int) -> None:
    with pytest.raises(Unknown):
        town.act("quinn", rooms.raise_hand, owned)
    town.act("hugo", rooms.raise_hand, owned)
    ask(town, owned, "eve", skills=["postgres"])
    town.act("quinn", rooms.raise_hand, owned)
    for who, refusal in (("dov", Unknown), ("mona", NotAllowed), ("ina", NotAllowed), ("hugo", NotAllowed)):
        with pytest.raises(refusal):
            town.act(who, rooms.raise_hand, owned)
    assert present(town, owned) == ["Hugo", "Quinn"]


def test_raising_a_hand_answers_what_waited_for_them(town: Town, owned: int) -> None:
    ask(town, owned, skills=["postgres"])
    town.act("paul", rooms.raise_hand, owned)
    assert town.look("paul", lambda work: pending_for(work.session, work.actor, owned)) is None
    assert present(town, owned) == ["Paul"]


def test_resolving_ends_the_asks_and_leaves_who_is_there(town: Town, owned: int) -> None:
    ask(town, owned, "paul", "quinn")
    mine = invitation(town, "quinn", owned)
    town.act("paul", rooms.accept, invitation(town, "paul", owned))
    town.act("ina", tickets.resolve, owned)
    with pytest.raises(Stale, match="over"):
        town.act("quinn", rooms.accept, mine)
    assert (present(town, owned), sees(town, "quinn", owned)) == (["Paul"], False)
    assert town.look("quinn", lambda work: asked_of(work.session, work.actor)) == []


def test_moving_the_ticket_to_tiers_sends_everybody_home(town: Town, owned: int) -> None:
    ask(town, owned, "paul", "quinn")
    town.act("paul", rooms.accept, invitation(town, "paul", owned))
    town.act("mona", tickets.move_mode, owned, "fits better")
    assert (present(town, owned), sees(town, "paul", owned), sees(town, "quinn", owned)) == ([], False, False)
    with pytest.raises(NotAllowed, match=r"Escalate|tiered"):
        ask(town, owned, "paul", client_id="two")


@pytest.mark.parametrize("came", ["accepted", "asked"])
def test_a_helper_who_becomes_the_owner_is_no_longer_a_helper(town: Town, owned: int, came: str) -> None:
    ask(town, owned, "hugo")
    if came == "accepted":
        town.act("hugo", rooms.accept, invitation(town, "hugo", owned))
    town.act("ina", tickets.hand_over, owned, town.people["hugo"], "holiday")
    assert present(town, owned) == []
    assert town.look("hugo", lambda work: pending_for(work.session, work.actor, owned)) is None
    assert sees(town, "hugo", owned)


def test_an_outsider_in_the_swarm_may_be_handed_the_ticket_and_then_owns_it(town: Town, owned: int) -> None:
    ask(town, owned, "paul")
    with pytest.raises(NotAllowed, match="neither in the team nor in the swarm"):
        town.act("ina", tickets.hand_over, owned, town.people["paul"], "yours")
    town.act("paul", rooms.accept, invitation(town, "paul", owned))
    town.act("ina", tickets.hand_over, owned, town.people["paul"], "yours")
    town.act("paul", post, owned, "lane", "Hello, I am Paul", "c1")
    ask(town, owned, "quinn", client_id="two", who="paul")


def test_an_exact_retry_of_an_ask_is_the_same_ask_and_another_text_a_conflict(town: Town, owned: int) -> None:
    assert ask(town, owned, "paul") == ask(town, owned, "paul")
    other = town.open("hive")
    town.act("ina", tickets.take, other)
    with pytest.raises(Stale):
        ask(town, other, "paul")


def test_an_ask_that_cannot_be_leaves_nothing_behind(town: Town, owned: int) -> None:
    town.act("root", people.deactivate, town.people["quinn"])
    for named, field in ((["quinn"], "people"), (["ina"], "people"), ([], "skills")):
        with pytest.raises(Unfit) as refused:
            ask(town, owned, "paul", *named) if named else ask(town, owned)
        assert refused.value.field == field
    assert not sees(town, "paul", owned)
    with pytest.raises(NotAllowed):
        ask(town, owned, "paul", who="hugo")


def test_deactivation_moves_everything_of_a_person_on_in_one_step(town: Town, owned: int) -> None:
    ladder, swarm, asked = town.open("ladder"), town.open("hive"), town.open("hive")
    town.act("ada", tickets.take, ladder)
    hive = town.open("hive")
    town.act("ada", tickets.take, hive)
    for id_ in (swarm, asked):
        town.act("hugo", tickets.take, id_)
        ask(town, id_, "ada", "paul", client_id=f"for {id_}", who="hugo")
    town.act("ada", rooms.accept, invitation(town, "ada", swarm))
    ask(town, hive, "quinn", client_id="of ada", who="ada")
    town.act("root", people.deactivate, town.people["ada"])
    assert (town.ticket(ladder).owner_id, town.ticket(ladder).queued_for) == (town.people["lena"], 0)
    assert (town.ticket(hive).owner_id, town.ticket(hive).queued_for) == (town.people["hugo"], 0)
    assert present(town, swarm) == []
    for id_ in (swarm, asked):
        assert invitation(town, "paul", id_), "who else was asked still is"
    town.act("quinn", rooms.accept, invitation(town, "quinn", hive))
    with pytest.raises(Unknown):
        town.act("ada", rooms.raise_hand, owned)
    with pytest.raises(NotAllowed, match="duty lead"):
        town.act("root", people.deactivate, town.people["hugo"])
