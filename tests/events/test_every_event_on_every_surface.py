"""The registry is walked: each event has its headline, its line, its redraws, and stays where it belongs."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from functools import partial
from typing import get_type_hints

import pytest

from swarm.broadcasts import REFRESH, Broadcasts
from swarm.events import Event, known_events, load
from swarm.lanes.programs import Event as Told
from swarm.lanes.programs import events
from swarm.lanes.queries import headline
from swarm.lanes.views import Audience
from swarm.people.queries import Face
from swarm.routing.matching import ask_for_help
from swarm.store import Entry, Work, log
from swarm.tickets.actions import take
from tests.support.site import Site
from tests.support.town import Town, build

KINDS = sorted(known_events())
AUDIENCES: tuple[Audience, ...] = ("staff", "customer")
STREAM_OF = {"lane": "customer", "room": "staff"}


def example(cls: type[Event], **known: int) -> Event:
    """An event of this class with something in every field."""
    values: dict[str, object] = {}
    for field in dataclasses.fields(cls):
        kind = get_type_hints(cls)[field.name]
        values[field.name] = known.get(
            field.name, {"str": "tiered", "bool": True}.get(kind.__name__, 1) if isinstance(kind, type) else 1
        )
    return cls(**values)


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_reads_as_one_sentence_and_survives_the_log(kind: str) -> None:
    fact = example(known_events()[kind])
    assert load(kind, fact.data()) == fact
    entry = Entry("room:1", 1, kind, datetime.now(UTC), "person:1", fact.data())
    sentence = headline(entry, {"person:1": Face("person:1", "Mira")})
    assert sentence and "%(" not in sentence and sentence[0].isupper()


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_says_who_may_know_of_it(kind: str) -> None:
    assert known_events()[kind].audience in ("customer", "staff")
    assert "audience" not in known_events()[kind].__annotations__, "no default to fall back on"


def test_redraws_name_only_events_there_are() -> None:
    assert set(REFRESH) <= set(known_events().values())


def test_staff_events_are_never_drawn_for_a_customer(site: Site) -> None:
    town: Town = build(site.store)
    ticket = town.open("hive")
    known = {
        "ticket_id": ticket,
        "team_id": town.teams["hive"],
        "person_id": town.people["ina"],
        "to_id": town.people["ina"],
        "from_id": town.people["hugo"],
        "message_id": 1,
    }
    town.do("ina", lambda work: take(work, ticket))
    known["ask_id"] = town.do(
        "ina",
        lambda work: (
            ask_for_help(
                work,
                ticket,
                question="Why?",
                tried="",
                skill_ids=[town.skills["network"]],
                person_ids=[],
                client_id="an-ask-of-ina",
            ).id
        ),
    )
    draw = Broadcasts(site.store, site.app.state.house.render)
    for kind in KINDS:
        fact = example(known_events()[kind], **known)
        lane = "lane" if fact.audience == "customer" else "room"
        entry = Entry(f"{lane}:{ticket}", 1, kind, datetime.now(UTC), "person:1", fact.data())
        assert draw([entry], "staff", "en")[0], f"{kind} draws nothing for staff"
        shown = draw([entry], "customer", "en")[0]
        assert (shown is None) == (fact.audience == "staff"), kind
        for audience in AUDIENCES:
            [told] = site.look(partial(_tell, entry, audience))
            assert (told.s, told.n) == (entry.stream, entry.seq)
            if audience == "staff" or fact.audience == "customer":
                assert told.k == kind and told.data and told.data.facts == fact.data()
                assert told.data.headline and "%(" not in told.data.headline
            else:
                assert told.data is None and told.k == "", "a number, and nothing else"


def _tell(entry: Entry, audience: Audience, work: Work) -> list[Told]:
    return events(work.session, [entry], audience)


def test_what_is_internal_is_refused_on_a_customers_stream(site: Site) -> None:
    town = build(site.store)
    ticket = town.open("hive")
    for kind in KINDS:
        fact = example(known_events()[kind])
        if fact.audience == "staff":
            with pytest.raises(ValueError, match="internal"):
                site.do(partial(_record, ticket, fact))


def _record(ticket: int, fact: Event, work: Work) -> None:
    work.record(f"lane:{ticket}", fact)


def test_the_log_keeps_every_kind_and_gives_it_back(site: Site) -> None:
    facts = [example(cls) for cls in known_events().values()]

    def fill(work: Work) -> None:
        connection = work.session.connection()
        numbers = log.number(connection, {"room:999": len(facts)})["room:999"]
        assert numbers == range(1, len(facts) + 1)
        entries = [
            Entry("room:999", seq, fact.kind, work.now, "system", fact.data())
            for seq, fact in zip(numbers, facts, strict=True)
        ]
        log.keep(connection, entries)

    site.do(fill)
    kept = site.look(lambda work: log.after(work.session, "room:999", 0, 1000))
    assert [entry.event for entry in kept] == facts
