"""Accounts and teams from the terminal."""

from sqlalchemy import select

from swarm.accounts.actions import start_session
from swarm.accounts.passwords import fits
from swarm.accounts.queries import actor_by_cookie
from swarm.accounts.second_step import factors_of, new_app
from swarm.events import NOBODY, SYSTEM
from swarm.people.models import Person
from swarm.store import Work
from swarm.store.tables import EventRow
from tests.cli.conftest import PASSWORD, Run
from tests.support.backends import Backend
from tests.support.town import open_store


def test_an_account_with_team_and_skills(set_up: Run, backend: Backend) -> None:
    said = set_up(
        "person", "add", "Mira@example.org", "--name", "Mira Jansen", "--role", "specialist",
        "--team", "support:2", "--skill", "product", "--skill", "billing", "--as", "sam@example.org",
    ).stdout  # fmt: skip
    assert "swarm person password" in said
    listed = set_up("person", "list").stdout.splitlines()
    assert "mira@example.org\tMira Jansen\tspecialist\tsupport:2\tno password" in listed
    store = open_store(backend)
    person = store.read_now(
        SYSTEM, lambda work: work.session.query(Person).filter_by(role="specialist").one()
    )
    by = store.read_now(
        SYSTEM,
        lambda work: work.session.scalars(
            select(EventRow.actor).where(
                EventRow.stream == f"person:{person.id}", EventRow.kind == "person.added"
            )
        ).one(),
    )
    store.close()
    assert by == "person:1"


def test_a_password_from_standard_input_ends_sessions(set_up: Run, backend: Backend) -> None:
    store = open_store(backend)
    secret = store.write_now(SYSTEM, lambda work: start_session(work, 1, days=1, idle_hours=1))
    set_up("person", "password", "sam@example.org", typed="another row of words\n")
    person = store.read_now(SYSTEM, lambda work: work.session.get_one(Person, 1))
    assert fits("another row of words", person.password)
    assert not fits(PASSWORD, person.password)
    assert store.read_now(SYSTEM, lambda work: actor_by_cookie(work.session, secret, work.now)) is NOBODY
    store.close()


def test_a_second_step_is_taken_away_by_whoever_has_the_machine(set_up: Run, backend: Backend) -> None:
    store = open_store(backend)

    def add(work: Work) -> str:
        factor = new_app(work, 1)
        factor.name, factor.confirmed_at = "Phone", work.now
        return start_session(work, 1, days=1, idle_hours=1)

    secret = store.write_now(SYSTEM, add)
    assert "by password alone" in set_up("person", "second-step", "sam@example.org").stdout
    assert store.read_now(SYSTEM, lambda work: factors_of(work.session, 1)) == []
    assert store.read_now(SYSTEM, lambda work: actor_by_cookie(work.session, secret, work.now)) is NOBODY
    store.close()


def test_a_duty_lead_stays_until_another_is_named(set_up: Run) -> None:
    set_up("person", "add", "mira@example.org", "--name", "Mira", "--role", "administrator")
    assert "Name another one first" in set_up("person", "deactivate", "sam@example.org", code=1).stderr
    assert "Name another one first" in set_up("team", "leave", "support", "sam@example.org", code=1).stderr
    set_up("team", "join", "support", "mira@example.org", "--tier", "2")
    set_up("team", "lead", "support", "mira@example.org")
    assert set_up("team", "list").stdout == "support\tSupport\tTierless\tMira\t2\n"
    set_up("team", "leave", "support", "sam@example.org")
    set_up("person", "deactivate", "sam@example.org")
    assert set_up("person", "list").stdout.count("\n") == 1
    assert "deactivated" in set_up("person", "list", "--all").stdout


def test_refusals_are_sentences(set_up: Run) -> None:
    add = ("person", "add", "mira@example.org", "--name", "Mira")
    for arguments, says in (
        ((*add, "--team", "nowhere"), "There is no team with the key “nowhere”"),
        ((*add, "--team", "support:9"), "Support has tiers 1 to 2."),
        ((*add, "--team", "support:x"), "Write a team as KEY or KEY:TIER"),
        ((*add, "--skill", "magic"), "There is no skill “magic”. There are:"),
        ((*add, "--as", "nobody@example.org"), "Nobody who works here has the address nobody@example.org."),
        (("person", "add", "sam@example.org", "--name", "Sam"), "Somebody has this address already."),
        (("person", "role", "sam@example.org", "agent"), "This is the last administrator."),
        (("person", "password", "nobody@example.org"), "Nobody who works here has the address"),
        (("team", "lead", "nowhere", "sam@example.org"), "There is no such team."),
    ):
        assert says in set_up(*arguments, code=1).stderr
    # What was refused left nothing behind.
    assert "mira" not in set_up("person", "list", "--all").stdout
