"""The first administrator, and what a command says when there is none, or no table."""

from pathlib import Path

import pytest

from swarm.accounts.passwords import fits
from swarm.events import SYSTEM
from swarm.people.models import Person, Skill, Team
from swarm.people.queries import teams, tiers_of
from swarm.store.tables import Instance
from tests.cli.conftest import PASSWORD, Run
from tests.support.backends import Backend
from tests.support.town import open_store

SET_UP = ("set-up", "--name", "Sam Okafor", "--email", "sam@example.org")


def test_a_blank_database_is_migrated_and_seeded(run_blank: Run, blank_backend: Backend) -> None:
    assert "Run swarm migrate first" in run_blank("person", "list", code=1).stderr
    run_blank(*SET_UP, typed=PASSWORD + "\n")
    store = open_store(blank_backend)
    try:
        with_work = store.read_now(SYSTEM, lambda work: work.session.get_one(Instance, 1))
        assert with_work.epoch and with_work.seeded_at and not with_work.demo
        person = store.read_now(SYSTEM, lambda work: work.session.query(Person).one())
        assert (person.email, person.role) == ("sam@example.org", "administrator")
        assert fits(PASSWORD, person.password)
        (team,) = store.read_now(SYSTEM, lambda work: teams(work.session))
        assert (team.name, team.policy, team.duty_lead_id) == ("Support", "tierless", person.id)
        assert len(store.read_now(SYSTEM, lambda work: tiers_of(work.session, team.id))) == 2
        assert store.read_now(SYSTEM, lambda work: work.session.query(Skill).count()) >= 3
    finally:
        store.close()


def test_it_happens_once(set_up: Run) -> None:
    again = set_up(*SET_UP[:-1], "other@example.org", typed=PASSWORD + "\n", code=1)
    assert "swarm is set up already" in again.stderr
    assert "other@example.org" not in set_up("person", "list").stdout


def test_migrating_twice_changes_nothing(run_blank: Run, blank_backend: Backend) -> None:
    run_blank("migrate")
    store = open_store(blank_backend)
    first = store.read_now(SYSTEM, lambda work: work.session.get_one(Instance, 1).epoch)
    run_blank("migrate")
    assert store.read_now(SYSTEM, lambda work: work.session.get_one(Instance, 1).epoch) == first
    store.close()


@pytest.mark.parametrize(
    ("name", "email", "typed", "says"),
    [
        ("Sam", "sam@example.org", "short\n", "A password has at least 12 characters."),
        ("Sam", "sam@example.org", "", "A password has at least"),
        ("Sam", "sam at example", PASSWORD, "is not an e-mail address"),
        (" ", "sam@example.org", PASSWORD, "A name has between 1 and 100 characters."),
        ("S\u202eam", "sam@example.org", PASSWORD, "hidden characters"),
    ],
)
def test_what_cannot_be_is_refused(run: Run, name: str, email: str, typed: str, says: str) -> None:
    assert says in run("set-up", "--name", name, "--email", email, typed=typed, code=1).stderr
    assert run("person", "list").stdout == ""


def test_teams_of_ones_own_instead_of_the_shipped_ones(run: Run, backend: Backend, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[[teams]]\nkey = "shop"\nname = "Shop"\npolicy = "split"\nshare = 25\n')
    run(*SET_UP, "--teams", str(own), typed=PASSWORD + "\n")
    store = open_store(backend)
    found = store.read_now(SYSTEM, lambda work: work.session.query(Team).all())
    assert [(team.key, team.policy, team.share) for team in found] == [("shop", "split", 25)]
    store.close()


def test_a_database_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setenv("SWARM_DATABASE_URL", "postgresql+psycopg://me:hush@127.0.0.1:1/none")
    said = run("person", "list", code=1).stderr
    assert said.startswith("The database cannot be used:")
    assert "hush" not in said
    monkeypatch.setenv("SWARM_DATABASE_URL", "mysql://x")
    assert "database.url cannot be used" in run("person", "list", code=1).stderr
