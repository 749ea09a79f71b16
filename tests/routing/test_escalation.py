"""A tiered ticket climbs when somebody takes it, and comes back to who sent it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from swarm.events import SYSTEM
from swarm.events.refusals import NotAllowed, Stale
from swarm.people import actions as people
from swarm.routing.escalation import escalate, send_back
from swarm.routing.models import Escalation
from swarm.store import log
from swarm.tickets import actions as tickets
from swarm.tickets.lists import Filters, page_of
from tests.support.town import Town


@pytest.fixture
def escalated(town: Town) -> int:
    """Ada's ticket, which waits for the second line."""
    id_ = town.open("ladder")
    town.act("ada", tickets.take, id_)
    town.act("ada", escalate, id_, "stuck", "tried it all")
    return id_


def waits(town: Town, id_: int) -> tuple[int, int | None, int]:
    """The tier that has it, where it waits, and its owner."""
    ticket = town.ticket(id_)
    return ticket.tier, ticket.queued_for, ticket.owner_id


def outcomes(town: Town, id_: int) -> list[str | None]:
    query = select(Escalation.outcome).where(Escalation.ticket_id == id_).order_by(Escalation.id)
    return town.store.read_now(SYSTEM, lambda work: list(work.session.scalars(query)))


def queue(town: Town, who: str) -> list[int]:
    page = town.look(who, lambda work: page_of(work.session, work.actor, "queue", Filters()))
    return [line.ticket.id for line in page.rows]


def test_an_escalated_ticket_stays_with_its_owner_until_somebody_takes_it(town: Town, escalated: int) -> None:
    assert waits(town, escalated) == (1, 2, town.people["ada"])
    assert queue(town, "cleo") == [escalated]
    assert queue(town, "ben") == queue(town, "eve") == []
    for who in ("ben", "eve", "ada"):
        with pytest.raises(NotAllowed):
            town.act(who, tickets.take, escalated)
    town.act("cleo", tickets.take, escalated)
    assert waits(town, escalated) == (2, None, town.people["cleo"])
    assert town.owners(escalated) == ["lena", "ada", "cleo"]
    assert outcomes(town, escalated) == ["taken"]


def test_it_can_be_asked_for_only_once_and_against_the_newest_state(town: Town, escalated: int) -> None:
    with pytest.raises(NotAllowed, match="already waits for tier 2"):
        town.act("ada", escalate, escalated, "stuck", "")
    with pytest.raises(Stale):
        town.act("cleo", tickets.take, escalated, 1)
    town.act("cleo", tickets.take, escalated, 2)
    with pytest.raises(NotAllowed):
        town.act("ada", escalate, escalated, "stuck", "")


def test_the_tier_it_waits_for_sends_it_back_with_an_answer(town: Town, escalated: int) -> None:
    town.act("cleo", send_back, escalated, "see the handbook")
    assert waits(town, escalated) == (1, None, town.people["ada"])
    assert (outcomes(town, escalated), town.owners(escalated)) == (["returned"], ["lena", "ada"])


def test_the_owner_withdraws_it(town: Town, escalated: int) -> None:
    town.act("ada", send_back, escalated, "found it")
    assert (waits(town, escalated)[1], outcomes(town, escalated)) == (None, ["withdrawn"])


def test_a_taken_ticket_returns_to_who_escalated_it(town: Town, escalated: int) -> None:
    town.act("cleo", tickets.take, escalated)
    with pytest.raises(NotAllowed):
        town.act("dov", send_back, escalated, "not ours")
    town.act("cleo", send_back, escalated, "not ours")
    assert waits(town, escalated) == (1, None, town.people["ada"])
    assert town.chain(escalated)[-1].how == "returned"


def test_it_climbs_to_the_top_and_comes_down_rung_by_rung(town: Town, escalated: int) -> None:
    town.act("cleo", tickets.take, escalated)
    town.act("cleo", escalate, escalated, "stuck", "")
    town.act("eve", tickets.take, escalated)
    with pytest.raises(NotAllowed, match="highest tier"):
        town.act("eve", escalate, escalated, "stuck", "")
    town.act("eve", send_back, escalated, "done")
    town.act("cleo", send_back, escalated, "done")
    assert town.owners(escalated) == ["lena", "ada", "cleo", "eve", "cleo", "ada"]
    with pytest.raises(NotAllowed):
        town.act("ada", send_back, escalated, "done")


def test_when_who_escalated_has_left_it_returns_to_the_duty_lead_and_waits_in_the_intake(
    town: Town, escalated: int
) -> None:
    town.act("cleo", tickets.take, escalated)
    town.act("root", people.deactivate, town.people["ada"])
    town.act("cleo", send_back, escalated, "not ours")
    assert waits(town, escalated) == (1, 0, town.people["lena"])
    assert escalated in queue(town, "ben")


def test_from_the_third_line_it_waits_in_the_second_when_who_escalated_has_left(
    town: Town, escalated: int
) -> None:
    town.act("cleo", tickets.take, escalated)
    town.act("cleo", escalate, escalated, "stuck", "")
    town.act("eve", tickets.take, escalated)
    town.act("root", people.deactivate, town.people["cleo"])
    town.act("eve", send_back, escalated, "not ours")
    assert waits(town, escalated) == (2, 2, town.people["lena"])
    town.act("dov", tickets.take, escalated)
    assert waits(town, escalated) == (2, None, town.people["dov"])


def test_when_its_owner_leaves_while_it_waits_it_waits_on_under_the_duty_lead(
    town: Town, escalated: int
) -> None:
    town.act("root", people.deactivate, town.people["ada"])
    assert waits(town, escalated) == (1, 2, town.people["lena"])
    town.act("cleo", tickets.take, escalated)
    assert waits(town, escalated) == (2, None, town.people["cleo"])


def test_when_the_second_lines_owner_leaves_it_waits_for_the_second_line(town: Town, escalated: int) -> None:
    town.act("cleo", tickets.take, escalated)
    town.act("root", people.deactivate, town.people["cleo"])
    assert waits(town, escalated) == (2, 2, town.people["lena"])
    assert queue(town, "dov") == [escalated]


def test_what_waits_for_the_tier_that_has_it_goes_down_when_returned(town: Town, escalated: int) -> None:
    town.act("cleo", tickets.take, escalated)
    town.act("root", people.deactivate, town.people["cleo"])
    town.act("dov", send_back, escalated, "not ours")
    assert waits(town, escalated) == (1, None, town.people["ada"])


def test_what_waits_for_the_tier_that_has_it_no_longer_waits_when_handed_over(
    town: Town, escalated: int
) -> None:
    town.act("cleo", tickets.take, escalated)
    town.act("root", people.deactivate, town.people["cleo"])
    town.act("lena", tickets.hand_over, escalated, town.people["dov"], "yours")
    assert waits(town, escalated) == (2, None, town.people["dov"])


def test_what_waits_for_the_tier_that_has_it_follows_a_new_duty_lead(town: Town, escalated: int) -> None:
    town.act("cleo", tickets.take, escalated)
    town.act("root", people.deactivate, town.people["cleo"])
    town.act("mona", people.name_duty_lead, town.teams["ladder"], town.people["ben"])
    assert waits(town, escalated) == (2, 2, town.people["ben"])


def test_an_escalated_ticket_handed_over_within_the_tier_waits_on(town: Town, escalated: int) -> None:
    town.act("ada", tickets.hand_over, escalated, town.people["ben"], "holiday")
    assert waits(town, escalated) == (1, 2, town.people["ben"])


def test_a_tierless_ticket_from_the_second_line_falls_into_the_intake(town: Town, escalated: int) -> None:
    town.act("cleo", tickets.take, escalated)
    town.act("mona", tickets.move_mode, escalated, "fits better")
    town.act("root", people.deactivate, town.people["cleo"])
    assert waits(town, escalated) == (2, 0, town.people["lena"])
    town.act("ben", tickets.take, escalated)


@pytest.mark.parametrize("end", ["resolve", "move", "take over"])
def test_it_waits_no_longer_once_it_is_resolved_moved_or_taken_over(
    town: Town, escalated: int, end: str
) -> None:
    match end:
        case "resolve":
            town.act("ada", tickets.resolve, escalated)
        case "move":
            town.act("mona", tickets.move_mode, escalated, "fits better")
        case _:
            town.act("mona", tickets.take, escalated)
    assert waits(town, escalated)[1] is None
    assert outcomes(town, escalated) == [{"resolve": "withdrawn", "move": "moved"}.get(end, "taken")]
    kinds = town.store.read_now(
        SYSTEM, lambda work: log.after(work.session, f"team:{town.teams['ladder']}", 0, 100)
    )
    assert kinds[-1].kind == "ticket.left_queue"
