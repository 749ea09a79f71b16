"""The next message of who has just written supposes that nothing moved, and finds out where something did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from swarm.accounts.actions import end_session, key_of, start_session
from swarm.events import SYSTEM
from swarm.live.ports import PostRefused, Viewer
from swarm.people import actions as people
from swarm.rooms import actions as rooms
from swarm.rooms.queries import pending_for
from swarm.routing.matching import ask_for_help
from swarm.settings import Settings
from swarm.store import Entry, pipeline
from swarm.tickets import actions as tickets
from swarm.watching import PostFrame
from tests.support.town import Town

pytestmark = pytest.mark.anyio
Say = Callable[..., Awaitable[int]]


@pytest.fixture
def ticket(town: Town) -> int:
    """Hugo's, in which paul, asked from outside, and ina of the team help."""
    ticket = town.open("hive")
    town.act("hugo", tickets.take, ticket)
    paul = [town.people["paul"]]
    named: dict[str, Any] = {
        "question": "Why?",
        "tried": "",
        "skill_ids": [],
        "person_ids": paul,
        "client_id": "ask",
    }
    town.do("hugo", lambda work: ask_for_help(work, ticket, **named))
    asked = town.look("paul", lambda work: pending_for(work.session, work.actor, ticket))
    assert asked is not None
    town.act("paul", rooms.accept, asked.id)
    town.act("ina", rooms.raise_hand, ticket)
    return ticket


def session(town: Town, who: str) -> Viewer:
    id_ = town.people[who]
    secret = town.store.write_now(SYSTEM, lambda work: start_session(work, id_, days=14, idle_hours=12))
    return Viewer(key_of(secret), f"person:{id_}", who.title(), "staff", "en", 1)


async def status(answer: Awaitable[int]) -> int:
    """What it was refused with, or 200."""
    try:
        await answer
    except PostRefused as refused:
        return refused.status
    return 200


MOVES: dict[str, Callable[[Town, int, Viewer], object]] = {
    "nothing": lambda town, ticket, viewer: None,
    "signed out": lambda town, ticket, viewer: town.store.write_now(
        SYSTEM, lambda work: end_session(work, viewer.key)
    ),
    "deactivated": lambda town, ticket, viewer: town.act(
        "root", people.deactivate, int(viewer.id.partition(":")[2])
    ),
    "out of the team": lambda town, ticket, viewer: town.act(
        "root", people.set_membership, int(viewer.id.partition(":")[2]), {}
    ),
    "dismissed": lambda town, ticket, viewer: town.act("hugo", rooms.dismiss, ticket, town.people["paul"]),
    "handed over": lambda town, ticket, viewer: town.act(
        "hugo", tickets.hand_over, ticket, town.people["ina"], "holiday"
    ),
    "moved to tiers": lambda town, ticket, viewer: town.act("mona", tickets.move_mode, ticket, "fits better"),
    "resolved": lambda town, ticket, viewer: town.act("hugo", tickets.resolve, ticket),
}


REFUSED = {
    "signed out": ("ina", "paul"),
    "deactivated": ("ina", "paul"),
    "moved to tiers": ("ina", "paul"),
    "dismissed": ("paul",),
}


@pytest.mark.parametrize("who", ["ina", "paul"])
@pytest.mark.parametrize("move", MOVES)
async def test_what_moved_since_the_last_message_is_noticed_by_the_next(
    town: Town, ticket: int, move: str, who: str
) -> None:
    viewer = session(town, who)
    post = PostFrame(town.store, Settings())
    await post(viewer, f"room:{ticket}", "one", "One")
    MOVES[move](town, ticket, viewer)
    asked_anew = PostFrame(town.store, Settings())
    outcomes = [
        await status(one(viewer, f"room:{ticket}", f"two-{id(one)}", "Two")) for one in (post, asked_anew)
    ]
    assert outcomes[0] == outcomes[1]
    assert (outcomes[0] != 200) is (who in REFUSED.get(move, ()))


async def test_who_now_owns_the_ticket_is_drawn_as_its_owner(town: Town, ticket: int) -> None:
    heard: list[Entry] = []
    town.store.on_commit(heard.extend)
    viewer, post = session(town, "ina"), PostFrame(town.store, Settings())
    await post(viewer, f"room:{ticket}", "one", "Not mine")
    MOVES["handed over"](town, ticket, viewer)
    await post(viewer, f"room:{ticket}", "two", "Mine")
    fresh: list[Any] = [entry.fresh for entry in heard if entry.fresh is not None]
    assert [(one.body, one.is_owner) for one in fresh] == [("Not mine", False), ("Mine", True)]


async def test_a_retry_is_answered_as_before_and_another_text_is_refused(town: Town, ticket: int) -> None:
    viewer, post = session(town, "hugo"), PostFrame(town.store, Settings())
    first = await post(viewer, f"room:{ticket}", "one", "One")
    assert await post(viewer, f"room:{ticket}", "one", "One") == first
    assert await status(post(viewer, f"room:{ticket}", "one", "Other")) == 409
    assert await post(viewer, f"room:{ticket}", "two", "Two") == first + 1


async def test_a_retry_of_who_was_refused_meanwhile_is_answered_as_before(town: Town, ticket: int) -> None:
    viewer, post = session(town, "ina"), PostFrame(town.store, Settings())
    first = await post(viewer, f"room:{ticket}", "one", "One")
    MOVES["moved to tiers"](town, ticket, viewer)
    refused = [await status(post(viewer, f"room:{ticket}", again, "Two")) for again in ("two", "three")]
    assert refused == [403, 403], "asked, then supposed"
    assert await post(viewer, f"room:{ticket}", "one", "One") == first


async def test_a_message_that_follows_another_is_one_round_trip(
    town: Town, ticket: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, post = session(town, "paul"), PostFrame(town.store, Settings())
    trips: list[int] = []
    ask = pipeline.ask

    def counted(*args: Any, **named: Any) -> Any:
        trips.append(len(args[2]))
        return ask(*args, **named)

    monkeypatch.setattr(pipeline, "ask", counted)
    for at, wanted in enumerate((3, 1, 1)):
        trips.clear()
        await post(viewer, f"room:{ticket}", f"m{at}", "Hm")
        assert len(trips) == (0 if town.store.is_sqlite else wanted)
    MOVES["handed over"](town, ticket, viewer)
    trips.clear()
    await post(viewer, f"room:{ticket}", "after", "Hm")
    assert len(trips) == (0 if town.store.is_sqlite else 3), "supposed in vain, asked, written"
