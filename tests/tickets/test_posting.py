"""A post is stored once, whatever the connection does, and only where its author may write."""

from __future__ import annotations

import pytest

from swarm.events import NOBODY
from swarm.events.refusals import NotAllowed, Stale, Unknown
from swarm.store import Store, log
from swarm.tickets import actions as tickets
from swarm.tickets.posting import LaneKey, post
from swarm.tickets.queries import messages
from swarm.tickets.turns import Posted
from tests.support.town import Town


@pytest.fixture
def taken(town: Town) -> int:
    id_ = town.open("ladder")
    town.act("ada", tickets.take, id_)
    return id_


def head(store: Store, stream: str) -> int:
    return store.read_now(NOBODY, lambda work: log.heads(work.session, [stream])[stream])


def test_an_exact_retry_is_answered_with_the_first_result_and_takes_no_number(town: Town, taken: int) -> None:
    first = town.act("ada", post, taken, "lane", "Try this", "c1", wait=True)
    before = head(town.store, f"lane:{taken}")
    again = town.act("ada", post, taken, "lane", "Try this", "c1", wait=True)
    assert again == Posted(first.message_id, first.seq, repeated=True)
    assert head(town.store, f"lane:{taken}") == before
    assert town.act("ada", post, taken, "lane", "Then this", "c2").seq == before + 1


def test_a_retry_is_answered_even_when_the_right_to_post_has_gone(town: Town, taken: int) -> None:
    first = town.act("ada", post, taken, "lane", "Try this", "c1")
    town.act("ada", tickets.hand_over, taken, town.people["ben"], "holiday")
    assert town.act("ada", post, taken, "lane", "Try this", "c1").message_id == first.message_id
    with pytest.raises(NotAllowed, match="Ben owns this ticket"):
        town.act("ada", post, taken, "lane", "Something new", "c2")


def test_the_same_client_id_with_another_text_is_a_conflict(town: Town, taken: int) -> None:
    town.act("ada", post, taken, "lane", "Try this", "c1")
    with pytest.raises(Stale, match="another text"):
        town.act("ada", post, taken, "lane", "Try that", "c1")


def test_a_client_id_stands_for_one_author_in_one_lane_of_one_ticket(town: Town, taken: int) -> None:
    other = town.open("ladder")
    town.act("ada", tickets.take, other)
    posted = [
        town.act("ada", post, taken, "lane", "Hello", "c1"),
        town.act("ada", post, taken, "room", "Hello", "c1"),
        town.act("ada", post, other, "lane", "Hello", "c1"),
        town.act("lena", post, taken, "room", "Hello", "c1"),
        town.act_as(town.customer(taken), post, taken, "lane", "Hello", "c1"),
    ]
    assert len({one.message_id for one in posted}) == 5
    assert not any(one.repeated for one in posted)


def test_a_message_knows_its_number_on_the_stream(town: Town, taken: int) -> None:
    posted = town.act("ada", post, taken, "room", "Hm", "c1")

    seq, message_id = town.look(
        "ada",
        lambda work: (
            messages(work.session, [posted.message_id])[posted.message_id].seq,
            log.after(work.session, f"room:{taken}", posted.seq - 1, 1)[0].data["message_id"],
        ),
    )
    assert (seq, message_id) == (posted.seq, posted.message_id)


def test_a_customer_writes_only_in_the_lane_of_their_own_tickets(town: Town, taken: int) -> None:
    other = town.open("ladder")
    actor = town.customer(taken)
    tries: tuple[tuple[int, LaneKey, type[Exception]], ...] = (
        (taken, "room", NotAllowed),
        (other, "lane", Unknown),
        (other, "room", Unknown),
    )
    for ticket, lane, refusal in tries:
        with pytest.raises(refusal, match="not for you to see"):
            town.act_as(actor, post, ticket, lane, "Hello", "c1")
    assert head(town.store, f"room:{taken}") == 1


def test_nobody_without_a_cookie_writes_or_learns_that_the_ticket_is_there(town: Town, taken: int) -> None:
    for ticket in (taken, 10**9):
        with pytest.raises(Unknown) as refused:
            town.act_as(NOBODY, post, ticket, "lane", "Hello", "c1")
        assert "no such ticket, or it is not for you" in refused.value.sentence


def test_in_a_tiered_room_earlier_owners_write_on_and_others_of_the_team_only_read(
    town: Town, taken: int
) -> None:
    town.act("ada", tickets.hand_over, taken, town.people["ben"], "holiday")
    for who in ("ada", "ben", "lena"):
        town.act(who, post, taken, "room", "Hm", f"by {who}")
    for who in ("cleo", "mona"):
        with pytest.raises(NotAllowed):
            town.act(who, post, taken, "room", "Hm", "c9")
    with pytest.raises(Unknown):
        town.act("paul", post, taken, "room", "Hm", "c9")
