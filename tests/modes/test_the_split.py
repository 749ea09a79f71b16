"""A split is drawn in permuted blocks per team and priority, and each draw is recorded."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from swarm.events import SYSTEM
from swarm.events.refusals import NotAllowed, Stale, Unfit
from swarm.modes import policy
from swarm.modes.models import Draw
from tests.support.town import Town


@pytest.fixture
def split(town: Town) -> Town:
    town.act("mona", policy.switch, town.teams["hive"], "split", 25, "compare", 1)
    return town


def draws(town: Town) -> list[Draw]:
    return town.store.read_now(
        SYSTEM, lambda work: list(work.session.scalars(select(Draw).order_by(Draw.ticket_id)))
    )


@given(share=st.integers(1, 19).map(lambda step: step * 5), seed=st.integers())
def test_a_block_holds_the_share_exactly_and_at_most_twenty(share: int, seed: int) -> None:
    before, policy.chance = policy.chance, Random(seed)
    try:
        block = policy._permuted(share)
    finally:
        policy.chance = before
    assert 2 <= len(block) <= 20
    assert block.count("h") * 100 == share * len(block)
    assert set(block) == {"h", "l"}


def test_blocks_differ_in_length_so_that_the_last_of_one_cannot_be_foretold() -> None:
    assert {len(policy._permuted(50)) for _time in range(200)} == {2, 4, 6}


def test_every_full_block_keeps_the_share_and_each_priority_has_its_own(split: Town) -> None:
    for _time in range(15):
        split.open("hive", priority=1)
        split.open("hive", priority=3)
    kept = draws(split)
    assert len(kept) == 30
    for priority in (1, 3):
        mine = [draw for draw in kept if draw.priority == priority]
        expected = 1
        for number in range(1, max(draw.block for draw in mine) + 1):
            block = [draw for draw in mine if draw.block == number]
            assert [draw.position for draw in block] == list(range(expected, len(block) + 1))
            assert {draw.probability for draw in block} == {0.25}
            if len(block) == block[0].block_size:
                assert Counter(draw.mode for draw in block)["tierless"] * 4 == len(block)
    for draw in kept:
        ticket = split.ticket(draw.ticket_id)
        assert (ticket.mode, ticket.assigned_mode) == (draw.mode, draw.mode)


def test_a_new_policy_begins_a_new_block(split: Town) -> None:
    split.open("hive")
    split.act("max", policy.switch, split.teams["hive"], "split", 50, "more", 2)
    split.open("hive")
    assert [(draw.policy_version, draw.block, draw.position) for draw in draws(split)] == [
        (2, 1, 1),
        (3, 1, 1),
    ]


def test_without_a_split_nothing_is_drawn_and_open_tickets_keep_their_mode(town: Town) -> None:
    before = town.open("ladder")
    town.act("mona", policy.switch, town.teams["ladder"], "tierless", 0, "try it", 1)
    after = town.open("ladder")
    assert [town.ticket(id_).mode for id_ in (before, after)] == ["tiered", "tierless"]
    assert draws(town) == []


@pytest.mark.parametrize("share", [-5, 0, 3, 33, 100, 105])
def test_a_share_that_no_short_block_holds_is_refused(town: Town, share: int) -> None:
    with pytest.raises(Unfit) as refused:
        town.act("mona", policy.switch, town.teams["hive"], "split", share, "", 1)
    assert refused.value.field == "share"


def test_only_managers_switch(town: Town) -> None:
    for who in ("ada", "hugo", "paul"):
        with pytest.raises(NotAllowed):
            town.act(who, policy.switch, town.teams["hive"], "tiered", 0, "", 1)
    town.act("root", policy.switch, town.teams["hive"], "tiered", 0, "", 1)


def test_a_switch_against_an_older_version_says_who_set_what(town: Town) -> None:
    team = town.teams["hive"]
    town.act("mona", policy.switch, team, "split", 25, "compare", 1)
    with pytest.raises(Stale) as stale:
        town.act("max", policy.switch, team, "tiered", 0, "mine", 1)
    for part in ("Mona", "Hive", "Split, 25 % tierless", "compare", "Nothing of yours was changed"):
        assert part in stale.value.sentence
    history = town.look("max", lambda work: policy.history_of(work, team))
    assert [(change.policy, change.share, change.note, who) for change, who in history] == [
        ("split", 25, "compare", "Mona")
    ]
