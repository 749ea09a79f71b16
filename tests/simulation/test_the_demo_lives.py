"""Beside a demo's visitors simulated people work: newcomers see it, who asks is helped, a switch stops it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2
import psutil
import pytest
from sqlalchemy import func, select

from swarm.events import SYSTEM
from swarm.people.models import Person
from swarm.rooms.models import Ask, Invitation
from swarm.store import Store, Work
from swarm.tickets.models import Message, Ticket
from tests.support.app import App
from tests.support.backends import Backend
from tests.support.town import open_store

TOKEN = "a-token-for-this-test"
ALIVE = {"SWARM_STILL": "false", "SWARM_METRICS__TOKEN": TOKEN}
SOON = 60.0
"""Seconds, on a machine that does other things as well."""


@contextmanager
def opened(backend: Backend) -> Iterator[Store]:
    store = open_store(backend)
    try:
        yield store
    finally:
        store.close()


def comes(true: Callable[[], bool], what: str) -> None:
    gives_up = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < gives_up, what
        time.sleep(0.1)


@contextmanager
def visitor(app: App, person: int) -> Iterator[httpx2.Client]:
    headers = {"Origin": app.url, "Accept": "text/html"}
    with httpx2.Client(base_url=app.url, headers=headers, timeout=20) as client:
        assert client.post("/demo/sign-in", data={"person": str(person)}).status_code == 303
        yield client


def windows(app: App) -> int:
    """Open sockets, all of them simulated people's: these visitors have none."""
    answer = httpx2.get(f"{app.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    line = next(line for line in answer.text.splitlines() if line.startswith("swarm_sockets "))
    return int(float(line.split()[1]))


def owned(work: Work) -> tuple[int, int]:
    """A tierless ticket of the demo that is worked on, and its owner."""
    found = work.session.execute(
        select(Ticket.id, Ticket.owner_id)
        .join(Person, Person.id == Ticket.owner_id)
        .where(Ticket.mode == "tierless", Ticket.status == "open", Person.role == "agent")
        .where(~select(Ask.id).where(Ask.ticket_id == Ticket.id, Ask.state == "open").exists())
    ).first()
    assert found is not None and found[1] is not None
    return found[0], found[1]


def test_a_visitor_sees_people_at_work_is_helped_and_stops_them(
    blank_backend: Backend, serve: Callable[..., App]
) -> None:
    app = serve(blank_backend, "--demo", env=ALIVE)
    with opened(blank_backend) as store:
        ticket, owner = store.read_now(SYSTEM, owned)
    with opened(blank_backend) as store, visitor(app, owner) as me:
        begun = store.read_now(SYSTEM, lambda work: work.session.scalar(select(func.max(Ticket.id))) or 0)

        def written(work: Work) -> int | None:
            mine = Message.author == f"person:{owner}"
            return work.session.scalar(select(func.count(Message.id)).where(mine))

        said = store.read_now(SYSTEM, written)

        def look(query: Callable[[Work], object]) -> Callable[[], bool]:
            return lambda: bool(store.read_now(SYSTEM, query))

        comes(
            look(lambda work: work.session.scalar(select(Ticket.id).where(Ticket.id > begun).limit(1))),
            "a customer comes",
        )
        comes(
            look(
                lambda work: work.session.scalar(
                    select(Invitation.id)
                    .join(Ticket, Ticket.id == Invitation.ticket_id)
                    .where(Ticket.id > begun, Invitation.person_id == owner)
                )
            ),
            "somebody asks the newcomer",
        )
        colleague = store.read_now(SYSTEM, lambda work: free(work, owner))
        form = {"question": "Who knows this?", "tried": "", "people": str(colleague)}
        asked = me.post(f"/tickets/{ticket}/asks", data={**form, "client_id": "by-a-visitor"})
        assert asked.status_code == 303, asked.text
        comes(
            look(
                lambda work: work.session.scalar(
                    select(Message.id).where(
                        Message.ticket_id == ticket,
                        Message.lane == "room",
                        Message.author == f"person:{colleague}",
                        Message.body.startswith("I am here."),
                    )
                )
            ),
            "whoever was asked comes and says so",
        )
        assert me.post("/demo", data={"people": "rest"}).status_code == 303
        comes(lambda: windows(app) == 0, "they rest")
        assert store.read_now(SYSTEM, written) == said, "somebody wrote as the visitor"
        assert me.post("/demo", data={"people": "work"}).status_code == 303
        comes(lambda: windows(app) > 0, "they are back")


def free(work: Work, owner: int) -> int:
    found = work.session.scalar(
        select(Person.id).where(
            Person.id != owner, Person.role == "specialist", Person.availability == "available", Person.active
        )
    )
    assert found is not None
    return found


def test_a_demo_that_is_told_so_stays_still(blank_backend: Backend, serve: Callable[..., App]) -> None:
    app = serve(blank_backend, "--demo", "--still", env=ALIVE)
    with opened(blank_backend) as store:
        person = store.read_now(SYSTEM, owned)[1]
    with visitor(app, person) as me:
        page = me.get("/demo").text
    assert "started without simulated people" in page
    assert windows(app) == 0


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_they_end_with_the_server(blank_backend: Backend, serve: Callable[..., App], how: str) -> None:
    app = serve(blank_backend, "--demo", env=ALIVE)
    children = psutil.Process(app.pid).children(recursive=True)
    assert any("simulation" in " ".join(child.cmdline()) for child in children)
    getattr(app, how)()
    gone, left = psutil.wait_procs(children, timeout=SOON)
    assert not left and gone
