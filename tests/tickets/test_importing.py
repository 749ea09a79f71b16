"""History from a file: every good row once, with owner, team, mode and language, and nothing sent."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from swarm.events import SYSTEM
from swarm.people.models import Customer, Person, Team
from swarm.store import Store, Work, log
from swarm.tickets.csv_rows import BadRow, Options
from swarm.tickets.importing import Imported, Wishes, bring_in
from swarm.tickets.models import Message, Ticket
from swarm.tickets.queries import chain, tags_of
from tests.support.backends import Backend
from tests.support.town import Town, build, open_store

HEAD = (
    "id",
    "subject",
    "body",
    "answer",
    "queue",
    "priority",
    "language",
    "name",
    "email",
    "status",
    "tag_1",
)


@pytest.fixture
def store(backend: Backend) -> Iterator[Store]:
    opened = open_store(backend)
    yield opened
    opened.close()


@pytest.fixture
def town(store: Store) -> Town:
    return build(store)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """`write([{"id": "1", "subject": "…"}])` makes a file of rows; what a row leaves out is empty."""

    def make(rows: Sequence[dict[str, str]], head: Sequence[str] = HEAD) -> Path:
        text = io.StringIO()
        writer = csv.DictWriter(text, head, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        path = tmp_path / "tickets.csv"
        path.write_text(text.getvalue(), encoding="utf-8")
        return path

    return make


def numbered(count: int, first: int = 1) -> list[dict[str, str]]:
    return [
        {"id": str(n), "subject": f"Case {n}", "body": f"It happened {n} times.", "queue": "Hive"}
        for n in range(first, first + count)
    ]


def run(store: Store, path: Path, **wishes: object) -> tuple[Imported, list[BadRow]]:
    bad: list[BadRow] = []
    result = bring_in(store, path, Options(), Wishes(**wishes), on_bad=bad.append)  # type: ignore[arg-type]
    return result, bad


def tickets(store: Store) -> list[Ticket]:
    return store.read_now(SYSTEM, lambda work: list(work.session.scalars(select(Ticket).order_by(Ticket.id))))


def test_a_row_becomes_a_ticket_of_the_past(store: Store, town: Town, write: Callable[..., Path]) -> None:
    path = write(
        [
            {
                "id": "77", "subject": "Kein Ton", "body": "Der Lautsprecher schweigt.",
                "answer": "Bitte einschalten.",
                "queue": " hIvE ", "priority": "high", "language": "de", "name": "Bo Lund",
                "email": "Bo@Example.org", "tag_1": "Audio",
            }
        ]
    )  # fmt: skip
    result, bad = run(store, path)
    assert (result.added, result.already, bad, result.new_teams) == (1, 0, [], [])
    (ticket,) = tickets(store)

    def look(work: Work) -> None:
        assert ticket.imported and ticket.channel == "import"
        assert (ticket.source, ticket.external_id) == ("csv", "77")
        assert (ticket.team_id, ticket.mode) == (town.teams["hive"], "tierless")
        assert (ticket.status, ticket.queued_for, ticket.priority) == ("open", 0, 2)
        assert (ticket.language, tags_of(work.session, [ticket.id])[ticket.id]) == ("de", ["audio"])
        assert [link.owner_id for link in chain(work.session, ticket.id)] == [town.people["hugo"]]
        customer = work.session.get_one(Customer, ticket.customer_id)
        assert (customer.name, customer.email) == ("Bo Lund", "bo@example.org")
        told = [entry.kind for entry in log.after(work.session, f"lane:{ticket.id}", 0, 10)]
        assert told == ["ticket.opened", "lane.message_posted", "ticket.owner_shown", "lane.message_posted"]
        said = work.session.scalars(select(Message).order_by(Message.id)).all()
        assert [(message.lane, message.author, message.body) for message in said] == [
            ("lane", f"customer:{customer.id}", "Der Lautsprecher schweigt."),
            ("lane", "system", "Bitte einschalten."),
        ]
        # Nobody is told: no line on anybody's own stream.
        heads = log.heads(work.session, [f"person:{id_}" for id_ in town.people.values()])
        assert set(heads.values()) == {0}

    store.read_now(SYSTEM, look)


def test_statuses_are_kept_and_only_open_ones_wait(
    store: Store, town: Town, write: Callable[..., Path]
) -> None:
    states = ("open", "waiting", "on_hold", "resolved", "closed")
    rows = [{**row, "status": state} for row, state in zip(numbered(5), states, strict=True)]
    assert run(store, write(rows))[0].added == 5
    found = tickets(store)
    assert [ticket.status for ticket in found] == list(states)
    assert [ticket.queued_for for ticket in found] == [0, None, None, None, None]
    assert [ticket.resolved_at is None for ticket in found] == [True, True, True, False, False]


def test_running_again_changes_nothing(store: Store, town: Town, write: Callable[..., Path]) -> None:
    path = write(numbered(230))
    assert run(store, path)[0].added == 230
    result, bad = run(store, path)
    assert (result.added, result.already, bad) == (0, 230, [])
    assert len(tickets(store)) == 230


def test_a_longer_file_adds_the_rest(store: Store, town: Town, write: Callable[..., Path]) -> None:
    run(store, write(numbered(150)))
    result, _bad = run(store, write(numbered(230)))
    assert (result.added, result.already) == (80, 150)


def test_an_id_with_other_content_is_a_bad_row(store: Store, town: Town, write: Callable[..., Path]) -> None:
    run(store, write(numbered(3)))
    changed = numbered(3)
    changed[1]["body"] = "Now it says something else."
    result, bad = run(store, write(changed))
    assert (result.added, result.already, result.bad) == (0, 2, 1)
    assert bad[0].line == 3
    assert "The id “2” was imported before with other content" in bad[0].reason
    assert run(store, write(changed), source="other tool")[0].added == 3


def test_rows_without_an_id_are_known_by_their_content(
    store: Store, town: Town, write: Callable[..., Path]
) -> None:
    rows = [{**row, "id": ""} for row in numbered(3)]
    assert run(store, write(rows))[0].added == 3
    assert run(store, write(list(reversed(rows))))[0].already == 3


def test_the_same_address_is_the_same_customer_within_an_import(
    store: Store, town: Town, write: Callable[..., Path]
) -> None:
    rows = [{**row, "name": "Bo", "email": "bo@example.org"} for row in numbered(120)]
    run(store, write(rows[:60]))
    run(store, write(rows))
    assert len({ticket.customer_id for ticket in tickets(store)}) == 1
    # Somebody else's import proves nothing about the address.
    run(store, write(rows[:1]), source="other")
    assert len({ticket.customer_id for ticket in tickets(store)}) == 2


def test_unknown_queues_become_teams_with_a_lead(
    store: Store, town: Town, write: Callable[..., Path]
) -> None:
    names = ("Überläufe & Co.", "überläufe & co.", "Uberlaufe Co", "Ladder")
    rows = [{**row, "queue": name} for row, name in zip(numbered(4), names, strict=True)]
    result, bad = run(store, write(rows), policy="tiered")
    assert (result.added, bad, result.new_teams) == (4, [], ["Überläufe & Co.", "Uberlaufe Co"])
    made = store.read_now(
        SYSTEM, lambda work: work.session.query(Team).filter(Team.name.in_(names[:3])).all()
    )
    assert sorted((team.key, team.policy, team.duty_lead_id) for team in made) == [
        ("uberlaufe-co", "tiered", town.people["root"]),
        ("uberlaufe-co-2", "tiered", town.people["root"]),
    ]
    assert tickets(store)[3].team_id == town.teams["ladder"]


def test_one_team_for_all_rows_and_words_that_stand_for_teams(
    store: Store, town: Town, write: Callable[..., Path]
) -> None:
    rows = [{**row, "queue": ""} for row in numbered(2)]
    path = write(rows)
    _result, bad = run(store, path)
    assert [one.reason for one in bad] == ["This row names no team."] * 2
    assert run(store, path, team="ladder")[0].added == 2
    mapped = [{**row, "queue": "Tech"} for row in numbered(1, first=9)]
    result, _bad = run(store, write(mapped), team_map=(("tech", "Hive"),))
    assert result.new_teams == []
    assert [ticket.team_id for ticket in tickets(store)] == [
        town.teams["ladder"], town.teams["ladder"], town.teams["hive"],
    ]  # fmt: skip


def test_a_language_for_rows_that_name_none(store: Store, town: Town, write: Callable[..., Path]) -> None:
    rows = numbered(4)
    rows[0]["language"] = rows[1]["language"] = "pt"
    rows[2]["language"] = "fr"
    run(store, write(rows))
    run(store, write(numbered(1, first=9)), language="nl")
    run(store, write([{"subject": "Hello", "body": "Hi", "queue": "Hive"}], ("subject", "body", "queue")))
    assert [ticket.language for ticket in tickets(store)] == ["pt", "pt", "fr", "pt", "nl", "en"]


def test_a_row_the_rules_refuse_loses_no_other(store: Store, town: Town, write: Callable[..., Path]) -> None:
    rows = numbered(120)
    rows[50]["queue"] = "A" * 120
    result, bad = run(store, write(rows))
    assert (result.added, result.bad) == (119, 1)
    assert bad[0].line == 52
    assert "is too long for the name of a team" in bad[0].reason


def test_history_never_uses_up_a_block(store: Store, town: Town, write: Callable[..., Path]) -> None:
    def split(work: Work) -> None:
        work.session.get_one(Team, town.teams["hive"]).policy = "split"
        work.session.get_one(Team, town.teams["hive"]).share = 50

    store.write_now(SYSTEM, split)
    run(store, write(numbered(40)))
    assert {ticket.mode for ticket in tickets(store)} == {"tiered", "tierless"}
    from swarm.modes.models import Block, Draw

    assert store.read_now(SYSTEM, lambda work: work.session.query(Block).count()) == 0
    assert store.read_now(SYSTEM, lambda work: work.session.query(Draw).count()) == 0


def test_a_lead_must_be_somebody_active(store: Store, town: Town, write: Callable[..., Path]) -> None:
    store.write_now(
        SYSTEM, lambda work: setattr(work.session.get_one(Person, town.people["root"]), "active", False)
    )
    rows = [{**row, "queue": "New"} for row in numbered(1)]
    run(store, write(rows))
    made = store.read_now(SYSTEM, lambda work: work.session.query(Team).filter_by(name="New").one())
    assert made.duty_lead_id in (town.people["mona"], town.people["max"])
