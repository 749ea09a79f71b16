"""Each door × a token that has everything but its scope; and what is said while nothing can be saved."""

from __future__ import annotations

import errno
import json

import pytest

from swarm.accounts.tokens import SCOPES, make_token
from swarm.api.table import DOORS
from swarm.events import SYSTEM
from swarm.store import Work
from tests.access.people import World
from tests.access.sending import Knocker, snapshot
from tests.api.conftest import Programs
from tests.api.program import case, nobody
from tests.badinput.conftest import sqlite_world
from tests.support.site import Site
from tests.support.town import Town

__all__ = ["sqlite_world"]


@pytest.mark.parametrize("missing", [scope for scope in SCOPES if scope != "read"])
def test_without_its_scope_no_door_opens_and_nothing_changes(sqlite_world: World, missing: str) -> None:
    """To an administrator, who may do everything: it is the token that may not."""

    def make(work: Work) -> str:
        actor = sqlite_world.as_(work, "administrator").actor
        others = [scope for scope in SCOPES if scope not in ("read", missing)]
        return make_token(work, actor, name=f"Not {missing}", scopes=others, days=7)

    token = sqlite_world.site.store.write_now(SYSTEM, make)
    before, knocker, wrong = snapshot(sqlite_world), Knocker(sqlite_world), []
    knocked = 0
    for door in (door for door in DOORS if door.scope == missing):
        name = f"{door.method} /api/v1{door.path}{' lane=room' if '{lane}' in door.path else ''}"
        answer = knocker.knock("administrator", name, "swarming", Authorization=f"Bearer {token}")
        knocked += 1
        said = dict(answer.headers).get("www-authenticate", "")
        if answer.status != 403 or f'error="insufficient_scope", scope="{missing}"' not in said:
            wrong.append(f"{name}: {answer.status} {said}")
        assert f"“{missing}”" in json.loads(answer.body)["detail"]
    knocker.close()
    assert knocked > 2 and not wrong, "\n".join(wrong)
    assert snapshot(sqlite_world) == before


def test_only_reading_needs_no_more_than_a_token(sqlite_world: World) -> None:
    assert {door.scope for door in DOORS if door.method == "GET"} == {"read"}
    assert "read" not in {door.scope for door in DOORS if door.method == "POST"}


def test_while_nothing_can_be_saved_programs_are_told_and_read_on(
    site: Site, town: Town, program: Programs
) -> None:
    ina, reading = program("ina"), program("ina", "read")
    number = ina.open(town.teams["hive"])["number"]
    site.store.writing.saw(OSError(errno.ENOSPC, "refused"))
    try:
        refused = ina.post("/tickets", **case(town.teams["hive"]))
        assert refused.status_code == 503
        assert "disk is full" in refused.json()["detail"]
        assert int(refused.headers["retry-after"]) > 0
        assert nobody(site, "swarm_nothing").post("/tickets", **case(1)).status_code == 401
        assert reading.post("/tickets", **case(1)).status_code == 403
        assert ina.get(f"/tickets/{number}").status_code == 200
    finally:
        site.store.writing.works()
    assert ina.post("/tickets", **case(town.teams["hive"])).status_code == 201
