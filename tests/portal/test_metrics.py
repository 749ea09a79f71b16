"""What Prometheus is told, by whom, and of how many workers."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families

from swarm.tickets import actions as tickets
from tests.support.backends import Backend
from tests.support.site import Site, Visitor, serve_site
from tests.support.town import build

TOKEN = "a-token-for-the-scraper"
Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def read(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped(visitor: Visitor) -> Samples:
    answer = visitor.get("/metrics")
    assert answer.status_code == 200
    return read(answer.text)


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def test_it_tells_what_happened_and_names_nobody(site: Site) -> None:
    town = build(site.store)
    ticket = town.open("hive")
    town.do("ina", lambda work: tickets.take(work, ticket))
    ina, scraper = site.person(town.people["ina"]), site.stranger()
    room = f"room:{ticket}"
    secret = secrets.token_hex(12)
    with ina.socket({room: 0}) as wire:
        before_n = wire.until(lambda frame: frame["t"] == "caught_up")["n"]
        before = scraped(scraper)
        assert ina.say(ticket, "room", f"psst {secret}").status_code == 303
        wire.send({"t": "post", "s": room, "id": "by-frame", "body": f"and {secret}"})
        wire.until(lambda frame: frame["t"] == "ack")
        while sum(frame["t"] == "event" and frame["n"] > before_n for frame in wire.frames) < 2:
            wire.until(lambda frame: True)
        ina.get(f"/tickets/{ticket}")
        ina.get("/nowhere/at/all")
        after = scraped(scraper)

    def more(name: str, **labels: str) -> float:
        key = (name, frozenset(labels.items()))
        return after[key] - before.get(key, 0)

    assert more("swarm_deliveries_total") == 2
    assert more("swarm_turns_total") >= 1 and more("swarm_socket_writes_total") >= 2
    assert value(after, "swarm_sockets") == 1 and value(after, "swarm_workers") == 1
    assert 1 <= more("swarm_delivery_lag_seconds_count") <= 2
    assert 0 < more("swarm_delivery_lag_seconds_sum") < 5
    assert more("swarm_socket_post_seconds_count") == 1
    page = {"method": "GET", "route": "/tickets/{number:int}"}
    assert more("swarm_http_requests_total", status="200", **page) == 1
    assert more("swarm_http_request_seconds_count", **page) == 1
    assert more("swarm_http_requests_total", method="GET", route="none", status="404") == 1
    assert value(after, "swarm_read_only") == 0
    assert value(after, "swarm_doorbell_age_seconds") < 12
    assert value(after, "swarm_database_connections_in_use", pool="writing") >= 0
    assert value(after, "swarm_process_resident_bytes") > 10_000_000
    assert value(after, "swarm_process_open_files") > 5
    assert value(after, "swarm_process_cpu_seconds_total") > 0
    text = scraper.get("/metrics").text
    assert secret not in text and str(ticket) not in re.findall(r'="([^"]*)"', text)
    labels = {name for _sample, pairs in after for name, _value in pairs}
    assert labels <= {"method", "route", "status", "le", "pool", "what"}


def test_buckets_of_the_hub_arrive_in_the_histogram_they_belong_to(site: Site) -> None:
    scraper, lag = site.stranger(), site.app.state.hub.timings["lag"]
    before = scraped(scraper)
    for seconds in (0.0004, 0.02, 0.02, 99.0, -5.0):
        lag.add(seconds)
    after = scraped(scraper)

    def more(le: str) -> float:
        key = ("swarm_delivery_lag_seconds_bucket", frozenset({("le", le)}))
        return after[key] - before[key]

    assert [more(le) for le in ("0.001", "0.01", "0.025", "10.0", "+Inf")] == [2, 2, 4, 4, 5]


def test_read_only_and_draining_are_told(site: Site) -> None:
    scraper = site.stranger()
    site.store.writing._become("full")
    assert value(scraped(scraper), "swarm_read_only") == 1
    ready = scraper.get("/readyz")
    assert (ready.status_code, ready.json()["writing"]) == (200, False)
    site.store.writing.works()
    hub = site.app.state.hub
    asyncio.run_coroutine_threadsafe(hub.close_all(0), hub._loop).result(5)
    ready = scraper.get("/readyz")
    assert (ready.status_code, ready.json()["draining"], ready.json()["ready"]) == (503, True, False)
    assert value(scraped(scraper), "swarm_draining_workers") == 1


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
def test_whoever_comes_through_a_proxy_sees_nothing(site: Site, header: str) -> None:
    assert site.stranger().get("/metrics", **{header: "127.0.0.1"}).status_code == 404


def test_without_a_token_only_this_machine_reads() -> None:
    from types import SimpleNamespace
    from typing import Any, cast

    from swarm.portal.measures import _may_read

    def asks(host: str | None) -> bool:
        client = None if host is None else SimpleNamespace(host=host)
        return _may_read(cast(Any, SimpleNamespace(client=client, headers={})), "")

    assert [asks(host) for host in ("127.0.0.1", "127.9.9.9", "::1")] == [True] * 3
    assert not any(asks(host) for host in ("10.0.0.1", "192.168.1.9", "2001:db8::1", "testclient", "", None))


def test_with_a_token_only_the_token_reads(sqlite_backend: Backend) -> None:
    with serve_site(sqlite_backend, metrics__token=TOKEN) as site:
        visitor = site.stranger()
        tried = {
            "": 404,
            TOKEN: 404,
            f"Basic {TOKEN}": 404,
            f"Bearer {TOKEN}x": 404,
            "Bearer": 404,
            "Bearer \u00e9": 404,
            f"Bearer {TOKEN}": 200,
        }
        for sent, status in tried.items():
            headers = [(b"authorization", sent.encode("latin-1"))] if sent else []
            assert visitor.http.get("/metrics", headers=headers).status_code == status, sent


def test_a_probe_may_ask_under_any_name(site: Site) -> None:
    visitor = site.stranger()
    assert visitor.get("/readyz", Host="10.1.2.3:8000").status_code == 200
    assert visitor.get("/metrics", Host="10.1.2.3:8000").status_code == 400
