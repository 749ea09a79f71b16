"""Tokens are made, listed and ended on the machine itself, too."""

from __future__ import annotations

from swarm.accounts.actions import key_of
from swarm.accounts.models import Token
from swarm.accounts.tokens import Held, held_by
from swarm.events import SYSTEM
from tests.cli.conftest import Run
from tests.support.backends import Backend
from tests.support.town import open_store

SAM = "sam@example.org"


def held(backend: Backend, secret: str) -> Held | None:
    store = open_store(backend)
    found = store.read_now(SYSTEM, lambda work: held_by(work.session, secret, work.now))
    store.close()
    return found


def test_a_token_is_made_printed_alone_listed_and_ended(set_up: Run, backend: Backend) -> None:
    made = set_up("token", "add", SAM, "--name", "Backup bot", "--scope", "tickets", "--days", "30")
    secret = made.stdout.strip()
    assert secret.startswith("swarm_") and " " not in secret
    assert "is not shown again" in made.stderr
    found = held(backend, secret)
    assert found and found.actor.person_id == 1 and found.scopes == {"read", "tickets"}
    store = open_store(backend)
    row = store.read_now(SYSTEM, lambda work: work.session.query(Token).one())
    store.close()
    assert row.key == key_of(secret)
    number, name, scopes, *_rest = set_up("token", "list", SAM).stdout.split("\t")
    assert (name, scopes) == ("Backup bot", "read tickets")
    assert "get in no more" in set_up("token", "revoke", SAM, number).stdout
    assert held(backend, secret) is None
    assert set_up("token", "list", SAM).stdout == ""


def test_all_of_somebodys_tokens_end_at_once(set_up: Run, backend: Backend) -> None:
    secrets = [set_up("token", "add", SAM, "--name", f"Bot {n}").stdout.strip() for n in range(2)]
    set_up("token", "revoke", SAM, "--all", "--as", SAM)
    assert [held(backend, secret) for secret in secrets] == [None, None]


def test_refusals_are_sentences(set_up: Run) -> None:
    set_up("person", "add", "mira@example.org", "--name", "Mira")
    add = ("token", "add", "mira@example.org", "--name", "Bot")
    set_up(*add)
    for arguments, says in (
        (add, "A token of this name is there already."),
        ((*add[:-1], "Wide", "--scope", "people"), "Only administrators give accounts"),
        ((*add[:-1], "Wide", "--scope", "everything"), "There are: read, tickets, teams, people."),
        ((*add[:-1], "Long", "--days", "3650"), "Choose one of the offered."),
        ((*add[:-1], "x" * 61), "at most 60 characters"),
        (("token", "add", "nobody@example.org", "--name", "Bot"), "Nobody who works here has the address"),
        (("token", "revoke", SAM, "999"), "There is no such token."),
        (("token", "revoke", SAM, "1"), "There is no such token."),
        (("token", "revoke", SAM), "Name one token by its number, or say --all."),
    ):
        assert says in set_up(*arguments, code=1).stderr, arguments
