"""How often a program may ask, and that it is told."""

from __future__ import annotations

import re

import pytest

from tests.api.program import case, nobody, program_of
from tests.support.backends import Backend
from tests.support.site import serve_site
from tests.support.town import build


@pytest.fixture
def site(backend: Backend):
    with serve_site(backend, limits__api_per_minute="5", limits__posts_per_minute="2") as site:
        yield site


@pytest.fixture
def town(site):
    return build(site.store)


def test_every_answer_says_what_is_left_and_the_last_when_to_come_again(site, town) -> None:
    ina, other = program_of(site, town.people["ina"]), program_of(site, town.people["ina"])
    for left in (4, 3, 2, 1):
        answer = ina.get("/tickets") if left % 2 else ina.get("/tickets/999")
        assert answer.headers["ratelimit-policy"] == '"token";q=5;w=60'
        said = re.fullmatch(r'"token";r=(\d+);t=(\d+)', answer.headers["ratelimit"])
        assert said and int(said[1]) == left and 0 < int(said[2]) <= 61
    ina.get("/me")
    refused = ina.get("/me")
    assert refused.status_code == 429
    assert refused.json()["title"] == "Too often"
    assert 0 < int(refused.headers["retry-after"]) <= 61
    assert refused.headers["ratelimit"].startswith('"token";r=0;')
    assert other.get("/me").status_code == 200, "each token by itself"
    assert "ratelimit" not in nobody(site).get("/me").headers


def test_messages_have_the_limit_that_pages_have(site, town) -> None:
    ina = program_of(site, town.people["ina"])
    number = ina.post("/tickets", **case(town.teams["hive"])).json()["number"]
    path = f"/tickets/{number}/lanes/room/messages"
    statuses = [ina.post(path, body=f"Line {n}", client_id=f"line-{n:04}").status_code for n in range(3)]
    assert statuses == [403, 403, 429]
