"""`swarm serve`: migrates, loads the demo into an empty database, and never into anybody's own."""

import urllib.request
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from swarm.events import SYSTEM
from swarm.tickets.models import Ticket
from tests.cli.conftest import Run
from tests.support.app import App
from tests.support.backends import Backend
from tests.support.town import open_store


def tickets(backend: Backend) -> int:
    store = open_store(backend)
    try:
        return store.read_now(SYSTEM, lambda work: work.session.scalar(select(func.count(Ticket.id)))) or 0
    finally:
        store.close()


def test_a_blank_database_is_served_with_the_demo(blank_backend: Backend, serve: Callable[..., App]) -> None:
    app = serve(blank_backend, "--demo")
    with urllib.request.urlopen(f"{app.url}/sign-in", timeout=10) as page:
        assert b"Ada Lindqvist" in page.read()
    assert tickets(blank_backend) == 60
    app.restart()
    assert tickets(blank_backend) == 60


def test_the_demo_never_mixes_with_real_data(set_up: Run, backend: Backend) -> None:
    refused = set_up("serve", "--demo", code=1)
    assert "the demo goes into an empty one" in refused.stderr
    assert tickets(backend) == 0


def test_a_port_outside_the_range_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--port" in run("serve", "--port", "70000", code=2).stderr
    monkeypatch.setenv("SWARM_SERVER__PROT", "1")
    assert "Did you mean port?" in run("serve", code=1).stderr
