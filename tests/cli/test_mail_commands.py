"""Mail from the terminal: whether it arrives, and what became of what could not be sent."""

import pytest

from swarm.events import SYSTEM
from swarm.outbound import queue
from swarm.store import Work
from tests.cli.conftest import Run, runner
from tests.support.backends import Backend
from tests.support.processes import free_port
from tests.support.smtp import mail_server
from tests.support.town import open_store


@pytest.fixture
def sends_to(monkeypatch: pytest.MonkeyPatch):
    """`sends_to(port)`: letters of the next commands go there."""

    def set_to(port: int) -> None:
        for name, value in {
            "SERVER": "127.0.0.1",
            "PORT": str(port),
            "SECURITY": "none",
            "SENDER": "desk@example.org",
        }.items():
            monkeypatch.setenv(f"SWARM_MAIL__{name}", value)

    return set_to


def test_a_letter_to_see_whether_letters_arrive(
    sqlite_backend: Backend, monkeypatch: pytest.MonkeyPatch, sends_to
) -> None:
    run = runner(sqlite_backend, monkeypatch)
    with mail_server() as mailbox:
        sends_to(mailbox.port)
        assert "127.0.0.1 took it: Taken" in run("mail", "test", "zoe@example.org").output
        [letter] = mailbox.letters
        assert letter["To"] == "zoe@example.org"
        assert letter.get_body(("plain",)) is not None and letter.get_body(("html",)) is not None


@pytest.mark.parametrize("address", ["nobody", "a@b@c", "x@example.org\r\nBcc: y@example.org"])
def test_an_address_no_header_can_hold_is_refused_before_anything_is_sent(
    sqlite_backend: Backend, monkeypatch: pytest.MonkeyPatch, sends_to, address: str
) -> None:
    with mail_server() as mailbox:
        sends_to(mailbox.port)
        runner(sqlite_backend, monkeypatch)("mail", "test", address, code=1)
        assert (mailbox.letters, mailbox.tried) == ([], 0)


def test_a_server_that_refuses_or_is_away_is_named_with_what_it_said(
    sqlite_backend: Backend, monkeypatch: pytest.MonkeyPatch, sends_to
) -> None:
    run = runner(sqlite_backend, monkeypatch)
    with mail_server() as mailbox:
        sends_to(mailbox.port)
        mailbox.behaviour, mailbox.at = "550 No such person", "rcpt"
        said = run("mail", "test", "zoe@example.org", code=1).output
        assert f"127.0.0.1:{mailbox.port} did not take it: 550 No such person" in " ".join(said.split())
    port = free_port()
    sends_to(port)
    assert f"127.0.0.1:{port} did not take it" in " ".join(
        run("mail", "test", "zoe@example.org", code=1).output.split()
    )


def test_without_settings_it_says_which(run: Run) -> None:
    assert "set mail.server and mail.sender" in run("mail", "test", "zoe@example.org", code=1).output


def test_what_could_not_be_sent_is_listed_and_tried_again(set_up: Run, backend: Backend) -> None:
    def refused(work: Work) -> None:
        queue.put(work, "account_link", "person:1", person_id=1, hours=1)
        [taken] = queue.take(work, 5, 60)
        queue.park(work, taken.id, "550 No such person")

    store = open_store(backend)
    store.write_now(SYSTEM, refused)
    store.close()
    assert "parked" in (listed := set_up("mail", "list").output)
    assert "550 No such person" in listed
    assert "1 letter is tried again." in set_up("mail", "again").output
    assert "waiting" in set_up("mail", "list").output
