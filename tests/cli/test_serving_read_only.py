"""`swarm serve` where the database takes no writes: it reads if it can, and otherwise says why not."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx2
import pytest

from swarm.events import SYSTEM
from swarm.store.instance import ensure
from swarm.store.migrate import upgrade
from tests.support.app import App
from tests.support.backends import Backend, PostgresMaker
from tests.support.processes import DidNotStart
from tests.support.town import open_store

EAGER = {"SWARM_DATABASE__PROBE_SECONDS": "0.2"}


def only_reads(maker: PostgresMaker, backend: Backend, yes: bool) -> None:
    name = backend.database_url.rpartition("/")[2]
    how = "SET default_transaction_read_only = on" if yes else "RESET default_transaction_read_only"
    maker.postgres.run(f"ALTER DATABASE {name} {how}")


def until_writing(app: App, yes: bool) -> None:
    end = time.monotonic() + 15
    while True:
        ready = httpx2.get(f"{app.url}/readyz")
        assert ready.status_code == 200
        if ready.json()["writing"] is yes:
            return
        assert time.monotonic() < end, ready.text


def test_with_the_tables_of_this_version_it_reads_and_goes_on_by_itself(
    postgres_maker: PostgresMaker, serve: Callable[..., App]
) -> None:
    backend = postgres_maker.make()
    store = open_store(backend)
    store.write_now(SYSTEM, ensure)
    store.close()
    only_reads(postgres_maker, backend, True)
    app = serve(backend, env=EAGER)
    assert "For now you can only read" in app.output
    until_writing(app, False)
    assert "For now you can only read" in httpx2.get(f"{app.url}/set-up").text
    only_reads(postgres_maker, backend, False)
    until_writing(app, True)
    assert "For now you can only read" not in httpx2.get(f"{app.url}/set-up").text
    app.stop()
    postgres_maker.drop(backend)


def test_with_older_tables_it_says_why_it_cannot(
    postgres_maker: PostgresMaker, serve: Callable[..., App]
) -> None:
    backend = postgres_maker.make(migrated=False)
    upgrade(backend.database_url, "0001")
    only_reads(postgres_maker, backend, True)
    with pytest.raises(DidNotStart) as failed:
        serve(backend, env=EAGER)
    assert "does not have the tables of this version" in str(failed.value)
    assert "Traceback" not in str(failed.value)
    postgres_maker.drop(backend)
