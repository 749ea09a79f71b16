"""The demo goes into an empty database: all of it, in the past, or nothing."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count as count_up

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from swarm import demo
from swarm.demo.cast import Step
from swarm.demo.playing import Playing
from swarm.events import SYSTEM
from swarm.modes.models import PolicyChange
from swarm.people.models import Person, Team
from swarm.people.queries import person_actor
from swarm.rooms.queries import asked_of
from swarm.settings import load
from swarm.store import Store, instance
from swarm.store.tables import EventRow, Instance
from swarm.tickets.chains import walk
from swarm.tickets.models import Message, Ticket
from tests.support.backends import Backend
from tests.support.town import build, open_store


@pytest.fixture
def store(backend: Backend) -> Iterator[Store]:
    opened = open_store(backend)
    yield opened
    opened.close()


def count(store: Store, table: type[Person] | type[Ticket] | type[EventRow]) -> int:
    return (
        store.read_now(SYSTEM, lambda work: work.session.scalar(select(func.count()).select_from(table))) or 0
    )


def test_everything_happened_in_the_past_and_in_order(store: Store) -> None:
    assert demo.load(store, load({}))
    assert count(store, Ticket) == 60
    here = store.read_now(SYSTEM, lambda work: work.session.get_one(Instance, 1))
    assert here.demo and here.seeded_at
    later, before = aliased(EventRow), aliased(EventRow)
    backwards = (
        select(func.count())
        .select_from(before)
        .join(later, (later.stream == before.stream) & (later.seq == before.seq + 1))
        .where(later.at < before.at)
    )
    assert store.read_now(SYSTEM, lambda work: work.session.scalar(backwards)) == 0
    newest = store.read_now(SYSTEM, lambda work: work.session.scalar(select(func.max(EventRow.at))))
    oldest = store.read_now(SYSTEM, lambda work: work.session.scalar(select(func.min(EventRow.at))))
    assert newest and oldest
    assert newest < store.clock() and store.clock() - oldest > timedelta(days=20)
    assert not [one for one in store.read_now(SYSTEM, lambda work: list(walk(work.session))) if one.problem]


def test_every_state_and_both_modes_are_there(store: Store) -> None:
    demo.load(store, load({}))
    found = store.read_now(SYSTEM, lambda work: work.session.scalars(select(Ticket)).all())
    assert {ticket.status for ticket in found} == {"open", "waiting", "on_hold", "resolved"}
    assert {ticket.mode for ticket in found} == {"tiered", "tierless"}
    assert {ticket.queued_for for ticket in found} >= {None, 0, 2}
    assert any(ticket.answer_id for ticket in found)
    teams = store.read_now(SYSTEM, lambda work: work.session.scalars(select(Team)).all())
    assert {team.policy for team in teams} == {"tiered", "tierless", "split"}
    assert store.read_now(SYSTEM, lambda work: work.session.query(PolicyChange).count()) == 3
    bodies = store.read_now(SYSTEM, lambda work: work.session.scalars(select(Message.body)).all())
    assert all(body == body.strip() for body in bodies)
    tomas = store.read_now(
        SYSTEM, lambda work: work.session.query(Person).filter_by(name="Tomas Novák").one()
    )
    waits = store.read_now(SYSTEM, lambda work: asked_of(work.session, person_actor(work.session, tomas.id)))
    assert waits


def test_a_second_time_changes_nothing(store: Store) -> None:
    assert demo.load(store, load({}))
    before = count(store, EventRow)
    assert not demo.load(store, load({}))
    assert count(store, EventRow) == before


def test_interrupted_it_leaves_nothing_and_starts_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, played = Playing.step, count_up(1)

    def stops(self: Playing, number: int, step: Step) -> None:
        if next(played) == 100:
            raise KeyError("the power went")
        whole(self, number, step)

    with monkeypatch.context() as patch:
        patch.setattr(Playing, "step", stops)
        with pytest.raises(KeyError):
            demo.load(store, load({}))
    assert (count(store, Person), count(store, Ticket), count(store, EventRow)) == (0, 0, 0)
    assert demo.load(store, load({}))


def test_a_database_with_people_of_its_own_is_left_alone(store: Store) -> None:
    build(store)
    people = count(store, Person)
    with pytest.raises(demo.NotEmpty, match="holds data of its own"):
        demo.load(store, load({}))
    assert count(store, Person) == people
    assert not store.write_now(SYSTEM, lambda work: instance.locked(work).demo)
