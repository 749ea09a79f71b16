"""A room in a terminal: a conversation with a browser, and a script that says one thing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from swarm.accounts.tokens import Scope, make_token
from swarm.events import SYSTEM
from swarm.people.queries import person_actor
from swarm.store import Store, Work
from swarm.tickets.models import Message, Ticket
from tests.support.app import App
from tests.support.backends import Backend
from tests.support.site import PATIENCE
from tests.support.terminal import Terminal, terminal
from tests.support.town import open_store

ROOT = Path(__file__).parents[2]
SWARM = [sys.executable, "-m", "swarm"]


@pytest.fixture
def seat() -> Iterator[Terminal]:
    with terminal() as made:
        yield made


@pytest.fixture
def desk(backend: Backend) -> Iterator[Store]:
    store = open_store(backend)
    yield store
    store.close()


def owned(store: Store) -> tuple[int, int]:
    """A tierless ticket of the demo that is worked on, and its owner."""

    def look(work: Work) -> tuple[int, int]:
        worked = select(Ticket).where(
            Ticket.mode == "tierless", Ticket.status == "open", Ticket.queued_for.is_(None)
        )
        ticket = work.session.scalars(worked.order_by(Ticket.id)).first()
        assert ticket is not None
        return ticket.id, ticket.owner_id

    return store.read_now(SYSTEM, look)


def token(store: Store, person: int, *scopes: Scope) -> str:
    """For reading, and what else is named."""

    def make(work: Work) -> str:
        actor = person_actor(work.session, person)
        return make_token(work, actor, name=f"Terminal {scopes}", scopes=scopes, days=7)

    return store.write_now(SYSTEM, make)


def run(app: App, number: int, secret: str, typed: str = "", *more: str) -> subprocess.CompletedProcess[str]:
    """The command with a pipe in place of a person."""
    return subprocess.run(
        [*SWARM, "room", str(number), "--at", app.url, *more],
        input=typed, capture_output=True, text=True, timeout=4 * PATIENCE, cwd=ROOT,
        env={**os.environ, "SWARM_TOKEN": secret},
    )  # fmt: skip


def test_a_terminal_and_a_browser_talk(
    backend: Backend, desk: Store, serve: Callable[..., App], chromium: Browser, seat: Terminal
) -> None:
    app = serve(backend, "--demo")
    number, owner = owned(desk)
    seat.start(
        [*SWARM, "room", str(number), "--at", app.url], {"SWARM_TOKEN": token(desk, owner, "tickets")}, ROOT
    )
    assert "The customer never sees this" in seat.until("Live")

    context = chromium.new_context(base_url=app.url)
    page = context.new_page()
    page.goto("/sign-in")
    page.locator(f'button[name=person][value="{owner}"]').evaluate("it => it.click()")
    page.wait_for_url("**/mine")
    page.goto(f"/tickets/{number}")
    log = page.locator(f"#log-room-{number}")
    form = page.locator('form[data-composer^="room:"]')
    form.locator("textarea").fill("Does the terminal hear me?")
    form.locator("button[type=submit]").click()
    seat.until("Does the terminal hear me?")
    seat.type("Loud and clear.")
    expect(log).to_contain_text("Loud and clear.")
    form.locator("textarea").fill("Then we are done.")
    form.locator("button[type=submit]").click()
    shown = seat.until("Then we are done.")
    for said in ("Does the terminal hear me?", "Loud and clear.", "Then we are done."):
        assert said in shown
    seat.type("/quit")
    seat.wait()
    context.close()


def test_what_is_typed_while_the_server_is_away_is_sent_once_when_it_is_back(
    backend: Backend, desk: Store, serve: Callable[..., App], seat: Terminal
) -> None:
    app = serve(backend, "--demo")
    number, owner = owned(desk)
    secret = token(desk, owner, "tickets")
    seat.start([*SWARM, "room", str(number), "--at", app.url], {"SWARM_TOKEN": secret}, ROOT)
    seat.until("Live")
    app.kill()
    seat.until("Offline")
    seat.type("Said into the silence")
    app.start()
    shown = seat.until("Said into the silence\n")
    listened = run(app, number, secret, "One more")
    assert listened.returncode == 0, listened.stderr
    said = desk.read_now(
        SYSTEM,
        lambda work: work.session.scalars(
            select(Message.body)
            .where(Message.ticket_id == number, Message.lane == "room")
            .order_by(Message.id)
        ).all(),
    )
    assert said.count("Said into the silence") == 1, shown
    assert said[-1] == "One more"


def test_what_cannot_be_is_said_in_a_sentence(
    backend: Backend, desk: Store, serve: Callable[..., App]
) -> None:
    app = serve(backend, "--demo")
    number, owner = owned(desk)
    secret = token(desk, owner, "tickets")
    for done, words in (
        (run(app, number, "swarm_nonsense", "Hello"), "is not one of ours"),
        (run(app, number, "no token\nat all", "Hello"), "no token as we give them"),
        (run(app, number, "", "Hello"), "SWARM_TOKEN"),
        (run(app, 999_999, secret, "Hello"), "no such ticket"),
        (run(app, number, token(desk, owner), "Hello"), "made without"),
        (run(app, number, secret, "x" * 20_001), "too long"),
    ):
        assert done.returncode == 1, done
        assert words in " ".join(done.stderr.split()) + " ".join(done.stdout.split())
        assert "Traceback" not in done.stderr
