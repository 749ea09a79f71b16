"""What probes are told."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from tests.support.site import Site


def test_a_healthy_swarm_is_alive_and_ready(site: Site) -> None:
    visitor = site.stranger()
    alive, ready = visitor.get("/healthz", Host="a.probe.example"), visitor.get("/readyz")
    assert (alive.status_code, ready.status_code) == (200, 200)
    said = ready.json()
    assert (said["ready"], said["database"]) == (True, "ok")
    assert said["doorbell_seconds"] >= 0


@pytest.mark.parametrize("fault", ["silent", "away"])
def test_without_its_database_it_is_alive_and_not_ready(
    site: Site, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    async def read(*_: Any) -> None:
        if fault == "away":
            raise ConnectionRefusedError
        await asyncio.Event().wait()

    monkeypatch.setattr(site.store, "read", read)
    before = time.monotonic()
    ready = site.stranger().get("/readyz")
    assert time.monotonic() - before < 3
    assert ready.status_code == 503
    assert ready.json()["ready"] is False
    assert site.stranger().get("/healthz").status_code == 200
