"""The table “who may do what” of docs and product, cell by cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest

from swarm.events import Actor
from swarm.events.refusals import Refused, Verdict
from swarm.modes import TIERED, TIERLESS, Case, Mode
from swarm.rooms.rules import may_dismiss, may_raise_hand, may_withdraw_guest
from swarm.tickets import rules

TEAM, OWNER, LEAD = 1, 10, 20
SKILL = frozenset({5})

# Everybody as they stand to a ticket that the second line works; an earlier owner has escalated it.
PEOPLE: Mapping[str, Actor] = {
    "owner": Actor(key="person:10", name="Owner", person_id=OWNER, role="agent", rungs={TEAM: 2}),
    "earlier owner": Actor(key="person:11", name="Earlier", person_id=11, role="agent", rungs={TEAM: 1}),
    "same tier": Actor(key="person:12", name="Same", person_id=12, role="agent", rungs={TEAM: 2}),
    "tier above": Actor(key="person:13", name="Above", person_id=13, role="agent", rungs={TEAM: 3}),
    "tier below": Actor(key="person:14", name="Below", person_id=14, role="agent", rungs={TEAM: 1}),
    "duty lead": Actor(key="person:20", name="Lead", person_id=LEAD, role="agent", rungs={TEAM: 1}),
    "asked": Actor(key="person:15", name="Asked", person_id=15, role="specialist"),
    "swarm": Actor(key="person:16", name="Swarm", person_id=16, role="specialist"),
    "skilled": Actor(key="person:17", name="Skilled", person_id=17, role="specialist", skills=SKILL),
    "outsider": Actor(key="person:18", name="Outsider", person_id=18, role="agent", rungs={2: 2}),
    "guest": Actor(key="guest:1", name="Guest", guest_id=1, guest_of=1),
    "manager": Actor(key="person:19", name="Manager", person_id=19, role="manager"),
}
MEMBERS = {"owner", "earlier owner", "same tier", "tier above", "tier below", "duty lead"}
STAFF = set(PEOPLE)

Deed = Callable[[Case, Mode], Verdict]
DEEDS: Mapping[str, Deed] = {
    "answer the customer": lambda case, _mode: rules.may_answer_customer(case),
    "write in the room": rules.may_write_room,
    "read the room": lambda case, mode: mode.may_read_room(case),
    "ask": lambda case, mode: mode.may_ask(case),
    "invite a guest": lambda case, mode: mode.may_invite_guest(case),
    "end the access of a guest": lambda case, _mode: may_withdraw_guest(case),
    "raise a hand": lambda case, mode: may_raise_hand(case, mode, has_skill=bool(case.actor.skills)),
    "escalate": lambda case, mode: mode.may_escalate(case),
    "return": lambda case, mode: mode.may_return(case),
    "take": rules.may_take,
    "hand over": rules.may_hand_over,
    "receive": lambda case, mode: mode.may_receive(case),
    "mark the answer": lambda case, _mode: rules.may_mark_answer(case),
    "resolve": lambda case, _mode: rules.may_resolve(case),
    "reopen": lambda case, _mode: rules.may_reopen(case),
    "hold": lambda case, _mode: rules.may_hold(case),
    "dismiss": lambda case, _mode: may_dismiss(case),
    "move to the other mode": lambda case, _mode: rules.may_move_mode(case),
    "change the details": lambda case, _mode: rules.may_change_details(case),
    "make a link": lambda case, _mode: rules.may_make_link(case),
}
WORKED, IN_INTAKE, ESCALATED = None, 0, 3
BOTH = (TIERED, TIERLESS)

# What is done, in which modes, while it waits for what, by whom and by nobody else.
TABLE: list[tuple[str, tuple[Mode, ...], int | None, set[str]]] = [
    ("answer the customer", BOTH, WORKED, {"owner"}),
    ("write in the room", (TIERED,), WORKED, {"owner", "earlier owner", "duty lead"}),
    ("write in the room", (TIERED,), ESCALATED, {"owner", "earlier owner", "duty lead", "tier above"}),
    ("write in the room", (TIERLESS,), WORKED, {"owner", "swarm", "guest"}),
    ("read the room", (TIERED,), WORKED, MEMBERS | {"manager"}),
    ("read the room", (TIERLESS,), WORKED, MEMBERS | {"asked", "swarm", "guest", "manager"}),
    ("ask", (TIERED,), WORKED, set()),
    ("ask", (TIERLESS,), WORKED, {"owner"}),
    ("invite a guest", (TIERED,), WORKED, set()),
    ("invite a guest", (TIERLESS,), WORKED, {"owner"}),
    ("end the access of a guest", BOTH, WORKED, {"owner", "manager"}),
    ("dismiss", (TIERLESS,), WORKED, {"owner"}),
    ("raise a hand", (TIERED,), WORKED, set()),
    ("raise a hand", (TIERLESS,), WORKED, MEMBERS - {"owner"} | {"skilled"}),
    ("escalate", (TIERED,), WORKED, {"owner"}),
    ("escalate", (TIERED,), ESCALATED, set()),
    ("escalate", (TIERED,), IN_INTAKE, set()),
    ("escalate", (TIERLESS,), WORKED, set()),
    ("return", (TIERED,), WORKED, {"owner"}),
    ("return", (TIERED,), ESCALATED, {"owner", "tier above"}),
    ("return", (TIERLESS,), WORKED, set()),
    ("take", BOTH, WORKED, {"manager"}),
    ("take", BOTH, IN_INTAKE, MEMBERS | {"manager"}),
    ("take", (TIERED,), ESCALATED, {"tier above", "manager"}),
    ("hand over", BOTH, WORKED, {"owner"}),
    ("receive", (TIERED,), WORKED, {"owner", "same tier"}),
    ("receive", (TIERLESS,), WORKED, MEMBERS | {"swarm"}),
    ("mark the answer", BOTH, WORKED, {"owner"}),
    ("resolve", BOTH, WORKED, {"owner"}),
    ("hold", BOTH, WORKED, {"owner"}),
    ("make a link", BOTH, WORKED, {"owner"}),
    ("move to the other mode", BOTH, WORKED, {"manager"}),
    ("change the details", BOTH, WORKED, MEMBERS | {"manager"}),
]
CELLS = [
    pytest.param(deed, mode, waits, who, who in allowed, id=f"{mode.key}-{deed}-{waits}-{who}")
    for deed, modes, waits, allowed in TABLE
    for mode in modes
    for who in PEOPLE
]


def stands(who: str, *, waits: int | None = WORKED, status: str = "open", tier: int = 2) -> Case:
    """The ticket as this person stands to it."""
    return Case(
        actor=PEOPLE[who],
        ticket_id=1,
        team_id=TEAM,
        status=status,
        tier=tier,
        top_tier=3,
        queued_for=waits,
        owner_id=OWNER,
        owner_name="Owner",
        duty_lead_id=LEAD,
        owned_before=who in ("owner", "earlier owner"),
        standing=who if who in ("asked", "swarm", "guest") else None,
    )


@pytest.mark.parametrize(("deed", "mode", "waits", "who", "allowed"), CELLS)
def test_only_whom_the_table_names_may(
    deed: str, mode: Mode, waits: int | None, who: str, allowed: bool
) -> None:
    verdict = DEEDS[deed](stands(who, waits=waits), mode)
    assert bool(verdict) is allowed
    if isinstance(verdict, Refused):
        assert re.fullmatch(r"[A-Z].+\.", verdict.sentence), "a refusal is a sentence"
        assert "%(" not in verdict.sentence


def test_every_deed_stands_in_the_table_for_each_mode() -> None:
    covered = {(deed, mode.key) for deed, modes, _waits, _allowed in TABLE for mode in modes}
    missing = {(deed, mode.key) for deed in DEEDS for mode in BOTH} - covered
    assert missing == {("reopen", "tiered"), ("reopen", "tierless"), ("dismiss", "tiered")}


@pytest.mark.parametrize("mode", BOTH, ids=lambda mode: mode.key)
@pytest.mark.parametrize("who", PEOPLE)
def test_only_the_owner_reopens_and_only_what_is_resolved(mode: Mode, who: str) -> None:
    assert bool(rules.may_reopen(stands(who, status="resolved"))) is (who == "owner")
    assert not rules.may_reopen(stands(who, status="open"))
    assert not rules.may_reopen(stands(who, status="closed"))


@pytest.mark.parametrize("mode", BOTH, ids=lambda mode: mode.key)
@pytest.mark.parametrize(
    "deed",
    sorted(set(DEEDS) - {"read the room", "receive", "dismiss", "make a link", "end the access of a guest"}),
)
def test_nothing_is_done_to_a_closed_ticket(mode: Mode, deed: str) -> None:
    for who in PEOPLE:
        assert not DEEDS[deed](stands(who, status="closed"), mode)


def test_the_refusal_to_ask_says_where_to_escalate_and_the_one_to_escalate_how_to_ask() -> None:
    for refusal in (TIERED.may_ask(stands("owner")), TIERED.may_invite_guest(stands("owner"))):
        assert isinstance(refusal, Refused)
        assert "Escalate it to tier 3" in refusal.sentence
    highest = TIERED.may_ask(stands("owner", tier=3))
    assert isinstance(highest, Refused)
    assert "highest tier" in highest.sentence
    for verdict in (TIERLESS.may_escalate(stands("owner")), TIERLESS.may_return(stands("owner"))):
        assert isinstance(verdict, Refused)
        assert re.search("Ask for help instead|Hand it over instead", verdict.sentence)


def test_nobody_escalates_above_the_highest_tier_or_returns_below_the_first() -> None:
    assert not TIERED.may_escalate(stands("owner", tier=3))
    assert TIERED.next_tier(stands("owner", tier=3)) is None
    assert not TIERED.may_return(stands("owner", tier=1))
    assert TIERED.next_tier(stands("owner", tier=1)) == 2


def test_what_its_owner_left_waits_where_somebody_may_take_it() -> None:
    assert [TIERED.waits_without_owner(tier) for tier in (1, 2, 3)] == [0, 2, 3]
    assert [TIERLESS.waits_without_owner(tier) for tier in (1, 2, 3)] == [0, 0, 0]
