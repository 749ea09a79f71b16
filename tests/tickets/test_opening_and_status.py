"""A ticket begins with owner, mode and lanes, and moves between its statuses as people act."""

from __future__ import annotations

from functools import partial

import pytest

from swarm.events import SYSTEM
from swarm.events.refusals import NotAllowed, Unfit, Unknown
from swarm.people import actions as people
from swarm.store import log
from swarm.tickets import actions as tickets
from swarm.tickets.opening import NewTicket, open_ticket
from swarm.tickets.posting import post
from tests.support.town import Town


def kinds(town: Town, stream: str) -> list[str]:
    """What happened on a stream."""
    return town.store.read_now(
        SYSTEM, lambda work: [entry.kind for entry in log.after(work.session, stream, 0, 100)]
    )


def write_as_customer(town: Town, ticket_id: int, client_id: str = "c1", body: str = "And now?") -> None:
    town.act_as(town.customer(ticket_id), post, ticket_id, "lane", body, client_id)


def test_a_new_ticket_has_an_owner_a_mode_and_waits_in_the_intake(town: Town) -> None:
    id_ = town.open("ladder")
    ticket = town.ticket(id_)
    assert (ticket.owner_id, ticket.owner_version, ticket.queued_for) == (town.people["lena"], 1, 0)
    assert (ticket.status, ticket.mode, ticket.assigned_mode, ticket.tier) == ("open", "tiered", "tiered", 1)
    (link,) = town.chain(id_)
    assert (link.position, link.from_id, link.how) == (1, None, "opened")
    assert kinds(town, f"lane:{id_}") == ["ticket.opened", "lane.message_posted", "ticket.owner_shown"]
    assert kinds(town, f"room:{id_}") == []
    assert kinds(town, f"team:{town.teams['ladder']}") == ["ticket.queued"]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"team_id": 10**9}, Unknown),
        ({"priority": 4}, Unfit),
        ({"tags": [f"t{n}" for n in range(21)]}, Unfit),
    ],
)
def test_what_cannot_be_opened_leaves_nothing_behind(
    town: Town, change: dict[str, object], refusal: type[Exception]
) -> None:
    fields: dict[str, object] = {
        "team_id": town.teams["ladder"],
        "subject": "Hello",
        "body": "Hello",
        "customer": None,
        "language": "en",
        "client_id": "c",
    }
    new = NewTicket(**{**fields, **change})  # type: ignore[arg-type]
    with pytest.raises(refusal):
        town.store.write_now(SYSTEM, partial(open_ticket, new=new))
    assert kinds(town, f"team:{town.teams['ladder']}") == []


def test_an_answer_that_waits_is_ended_by_the_customers_own(town: Town) -> None:
    id_ = town.open("ladder")
    town.act("ada", tickets.take, id_)
    town.act("ada", post, id_, "lane", "Which printer?", "c1", wait=True)
    assert town.ticket(id_).status == "waiting"
    write_as_customer(town, id_)
    assert town.ticket(id_).status == "open"
    assert kinds(town, f"lane:{id_}")[-4:] == [
        "lane.message_posted",
        "ticket.waiting",
        "lane.message_posted",
        "ticket.resumed",
    ]
    assert kinds(town, f"person:{town.people['ada']}")[-1] == "ticket.customer_wrote"


def test_the_owner_holds_resolves_and_reopens_and_nobody_else_does(town: Town) -> None:
    id_ = town.open("ladder")
    town.act("ada", tickets.take, id_)
    for verb in (partial(tickets.set_pace, pace="on_hold"), tickets.resolve, tickets.reopen):
        for who in ("ben", "lena", "mona"):
            with pytest.raises(NotAllowed):
                town.act(who, verb, id_)
        town.act("ada", verb, id_)
    assert town.ticket(id_).status == "open"
    assert town.ticket(id_).resolved_at is None


def test_resolving_from_the_queue_takes_it_out_of_the_queue(town: Town) -> None:
    id_ = town.open("ladder")
    town.act("lena", tickets.resolve, id_)
    ticket = town.ticket(id_)
    assert (ticket.status, ticket.queued_for, ticket.queued_at) == ("resolved", None, None)
    assert kinds(town, f"team:{town.teams['ladder']}") == ["ticket.queued", "ticket.left_queue"]
    with pytest.raises(NotAllowed):
        town.act("lena", tickets.resolve, id_)


def test_a_customers_answer_within_seven_days_reopens_to_the_same_owner(town: Town) -> None:
    id_ = town.open("ladder")
    town.act("ada", tickets.take, id_)
    town.act("ada", tickets.resolve, id_)
    with town.later(days=6.9):
        write_as_customer(town, id_)
    ticket = town.ticket(id_)
    assert (ticket.status, ticket.owner_id, ticket.queued_for) == ("open", town.people["ada"], None)


def test_after_seven_days_the_customer_is_told_to_open_a_new_one(town: Town) -> None:
    id_ = town.open("ladder")
    town.act("lena", tickets.resolve, id_)
    with town.later(days=7.1):
        with pytest.raises(NotAllowed, match="open a new one"):
            write_as_customer(town, id_)
        assert town.store.write_now(SYSTEM, partial(tickets.close_resolved, reopen_days=7)) == 1
    assert town.ticket(id_).status == "closed"
    for who in ("ben", "mona"):
        with pytest.raises(NotAllowed):
            town.act(who, tickets.take, id_)
    with pytest.raises(NotAllowed):
        write_as_customer(town, id_)


def test_only_what_was_resolved_long_ago_is_closed(town: Town) -> None:
    old, fresh, active = (town.open("ladder") for _ in range(3))
    town.act("lena", tickets.resolve, old)
    with town.later(days=5):
        town.act("lena", tickets.resolve, fresh)
    with town.later(days=8):
        assert town.store.write_now(SYSTEM, partial(tickets.close_resolved, reopen_days=7)) == 1
    assert [town.ticket(id_).status for id_ in (old, fresh, active)] == ["closed", "resolved", "open"]


def test_the_answer_is_a_message_of_the_tickets_own_room(town: Town) -> None:
    id_, other = town.open("ladder"), town.open("ladder")
    for ticket in (id_, other):
        town.act("ada", tickets.take, ticket)
    here = town.act("ada", post, id_, "room", "Restart it", "c1").message_id
    public = town.act("ada", post, id_, "lane", "Restart it", "c2").message_id
    elsewhere = town.act("ada", post, other, "room", "Restart it", "c3").message_id
    for wrong in (public, elsewhere, 10**9):
        with pytest.raises(Unfit):
            town.act("ada", tickets.mark_answer, id_, wrong)
    town.act("ada", tickets.mark_answer, id_, here)
    town.act("ada", tickets.mark_answer, id_, here)
    assert kinds(town, f"room:{id_}").count("ticket.answer_marked") == 1
    assert town.ticket(id_).answer_id == here
    with pytest.raises(NotAllowed):
        town.act("ben", tickets.unmark_answer, id_)
    for _twice in range(2):
        town.act("ada", tickets.unmark_answer, id_)
    assert kinds(town, f"room:{id_}")[-1] == "ticket.answer_unmarked"
    assert kinds(town, f"room:{id_}").count("ticket.answer_unmarked") == 1
    assert town.ticket(id_).answer_id is None


def test_details_are_changed_by_the_team_and_say_what_changed(town: Town) -> None:
    id_ = town.open("ladder")
    change = partial(
        tickets.change_details, priority=3, category="printers", language="en", tags=["Fire", "fire "]
    )
    with pytest.raises(Unknown):
        town.act("ina", change, id_)
    town.act("ben", change, id_)
    town.act("ben", change, id_)
    assert kinds(town, f"room:{id_}") == ["ticket.details_changed"]
    assert town.ticket(id_).priority == 3


def test_a_moved_ticket_still_counts_for_the_mode_it_was_assigned(town: Town) -> None:
    id_ = town.open("ladder")
    with pytest.raises(NotAllowed):
        town.act("lena", tickets.move_mode, id_, "fits better")
    town.act("mona", tickets.move_mode, id_, "fits better")
    ticket = town.ticket(id_)
    assert (ticket.mode, ticket.assigned_mode, ticket.queued_for) == ("tierless", "tiered", 0)


def test_a_team_is_never_led_by_somebody_who_left(town: Town) -> None:
    town.act("root", people.deactivate, town.people["ada"])
    with pytest.raises(Unknown):
        town.act("mona", people.name_duty_lead, town.teams["ladder"], town.people["ada"])
    with pytest.raises(Unknown):
        town.store.write_now(
            SYSTEM,
            partial(
                people.create_team,
                key="new",
                name="New",
                duty_lead_id=town.people["ada"],
                policy="tiered",
                share=0,
                tiers=(),
            ),
        )
