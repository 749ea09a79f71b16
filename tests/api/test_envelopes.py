"""What surrounds a request: its type, form and size, its method, its headers; every refusal is a problem."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from swarm.api.table import DOORS
from tests.access.bodies import body
from tests.access.people import World
from tests.access.sending import Knocker, snapshot, writer_of
from tests.access.table import DOORS as TABLE
from tests.badinput.conftest import sqlite_world
from tests.badinput.test_forms import WRONG_TEXTS
from tests.support.site import PATIENCE

__all__ = ["sqlite_world"]
ROOM = "POST /api/v1/tickets/{number:int}/lanes/{lane}/messages lane=room"
JSON = "application/json"
FORMS = {f"{door.method} /api/v1{door.path}": door.form for door in DOORS if not door.carries}
POSTS = [door for door in TABLE if " ".join(door.split()[:2]) in FORMS and door.startswith("POST")]


@pytest.fixture
def knocker(sqlite_world: World):
    """And whatever is sent, nothing changes."""
    made, before = Knocker(sqlite_world), snapshot(sqlite_world)
    yield made
    made.close()
    assert snapshot(sqlite_world) == before


def problem(answer: Any) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in answer.headers}
    assert headers["content-type"] == "application/problem+json"
    assert headers["cache-control"] == "no-store"
    said: dict[str, Any] = json.loads(answer.body)
    assert said["status"] == answer.status
    assert said["title"] and said["detail"].rstrip().endswith((".", "”."))
    return said


BODIES: dict[str, tuple[str, bytes, int]] = {
    "no type": ("", b'{"body": "x", "client_id": "abcdefgh"}', 415),
    "text": ("text/plain", b'{"body": "x", "client_id": "abcdefgh"}', 415),
    "a form": ("application/x-www-form-urlencoded", b"body=x&client_id=abcdefgh", 415),
    "another charset": (f"{JSON}; charset=utf-16", b"{}", 415),
    "nothing": (JSON, b"", 400),
    "not JSON": (JSON, b"{'body': 1}", 400),
    "a list": (JSON, b"[]", 400),
    "a number": (JSON, b"1", 400),
    "null": (JSON, b"null", 400),
    "deep": (JSON, b'{"body": ' + b"[" * 100_000, 400),
    "deep and whole": (JSON, b'{"body": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400),
    "NaN": (JSON, b'{"body": NaN, "client_id": "abcdefgh"}', 400),
    "Infinity": (JSON, b'{"body": -Infinity, "client_id": "abcdefgh"}', 400),
    "beyond any number": (JSON, b'{"body": 1e999, "client_id": "abcdefgh"}', 400),
    "very many digits": (JSON, b'{"body": ' + b"9" * 5000 + b"}", 400),
    "a name twice": (JSON, b'{"body": "x", "body": "y", "client_id": "abcdefgh"}', 400),
    "not UTF-8": (JSON, b'{"body": "\xff", "client_id": "abcdefgh"}', 400),
    "UTF-16": (JSON, '{"body": "x"}'.encode("utf-16"), 400),
    "half a character": (JSON, b'{"body": "\\ud800", "client_id": "abcdefgh"}', 422),
    "half a character in a name": (JSON, b'{"\\ud800": "x", "body": "x", "client_id": "abcdefgh"}', 400),
    "NUL": (JSON, b'{"body": "a\\u0000b", "client_id": "abcdefgh"}', 422),
    "too long": (JSON, json.dumps({"body": "x" * 20_001, "client_id": "abcdefgh"}).encode(), 422),
    "an unknown field": (JSON, b'{"body": "x", "client_id": "abcdefgh", "role": "administrator"}', 422),
    "another type": (JSON, b'{"body": 1, "client_id": "abcdefgh"}', 422),
    "a number for yes": (JSON, b'{"body": "x", "client_id": "abcdefgh", "wait": 1}', 422),
    "a missing field": (JSON, b'{"body": "x"}', 422),
}


@pytest.mark.parametrize("what", BODIES)
def test_what_is_no_proper_body_is_refused(sqlite_world: World, knocker: Knocker, what: str) -> None:
    kind, sent, right = BODIES[what]
    answer = knocker.send("hive_owner", "POST", knocker.address(ROOM, "swarming"), sent, Content_Type=kind)
    assert answer.status == right, answer.body[:300]
    problem(answer)


def bad_instead_of(value: Any) -> list[Any]:
    """What no such field takes."""
    if isinstance(value, bool):
        return ["yes", 1]
    if isinstance(value, int):
        return [-1, 2**53, 10**19, 1.5, "1", True, [], {}]
    if isinstance(value, list):
        return ["x", {}, [[]], [None], [0.5], ["x" * 50] * 30, [-1]]
    return [1, [], {}, None, *WRONG_TEXTS.values(), "\ud800"]


@pytest.mark.parametrize("door", POSTS)
def test_a_wrong_field_is_refused_at_its_name(sqlite_world: World, knocker: Knocker, door: str) -> None:
    who, ticket = writer_of(door)
    path = door.split()[1]
    good = body(sqlite_world, path.removeprefix("/api/v1"), ticket)
    form = FORMS[" ".join(door.split()[:2])]
    assert set(good) <= set(form.__struct_fields__)
    tries: list[tuple[str, Any]] = [("owner_id", 1), ("__proto__", {}), ("", None)]
    tries += [(name, bad) for name, value in good.items() for bad in bad_instead_of(value)]
    wrong = []
    for name, value in tries:
        sent = json.dumps({**good, name: value})
        answer = knocker.send(who, "POST", knocker.address(door, ticket), sent)
        if answer.status != 422 or name not in problem(answer).get("problems", {}):
            wrong.append(f"{name}={str(value)[:30]!r}: {answer.status} {answer.body[:200]!r}")
    assert not wrong, "\n".join(wrong)


def test_a_body_where_none_is_wanted_may_be_empty_and_nothing_else(
    sqlite_world: World, knocker: Knocker
) -> None:
    address = knocker.address("POST /api/v1/tickets/{number:int}/resolution", "climbing")
    for sent, right in (("[1]", 400), ('{"x": 1}', 422), ("x", 400)):
        assert knocker.send("ladder_owner", "POST", address, sent).status == right
    assert knocker.send("outsider", "POST", address, "{}").status == 404


def test_an_unknown_field_of_a_query_is_refused(sqlite_world: World, knocker: Knocker) -> None:
    ticket = sqlite_world.tickets["swarming"]
    for path in (
        "/api/v1/tickets?owned=1",
        "/api/v1/tickets?status=open&status=closed",
        "/api/v1/tickets?team=x",
        "/api/v1/tickets?limit=0",
        "/api/v1/tickets?limit=101",
        "/api/v1/tickets?cursor=%00",
        f"/api/v1/tickets/{ticket}?x=1",
        f"/api/v1/tickets/{ticket}/lanes/room/events?after=-1",
        f"/api/v1/tickets/{ticket}/lanes/room/events?after={'9' * 30}",
    ):
        answer = knocker.send("hive_owner", "GET", path)
        assert answer.status == 422, path
        assert problem(answer)["problems"]
    answer = knocker.send("hive_owner", "POST", f"/api/v1/tickets/{ticket}/hand?x=1", "{}")
    assert answer.status == 422


def test_a_method_that_is_not_there_is_told_which_are(sqlite_world: World, knocker: Knocker) -> None:
    for path, allowed in (
        ("/api/v1/tickets", {"GET", "HEAD", "POST"}),
        ("/api/v1/people", {"GET", "HEAD", "POST"}),
        ("/api/v1/tickets/1/owner", {"POST"}),
        ("/api/v1/me", {"GET", "HEAD"}),
        ("/api/v1/openapi.json", {"GET", "HEAD"}),
    ):
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
            answer = knocker.send("hive_owner", method, path)
            assert answer.status == 405, (method, path)
            problem(answer)
            assert set(dict(answer.headers)["allow"].replace(" ", "").split(",")) == allowed
            assert not any(name.lower().startswith("access-control") for name, _value in answer.headers)


def test_what_is_not_there_is_a_problem_too(sqlite_world: World, knocker: Knocker) -> None:
    for path in (
        "/api",
        "/api/",
        "/api/v1",
        "/api/v2/tickets",
        "/api/v1/nothing",
        "/api/v1/tickets/0",
        "/api/v1/tickets/99999999999999999999",
        "/api/v1/tickets/x",
        "/api/v1/tickets/1/lanes/attic/events",
        "/api/v1/teams/%00",
        f"/api/v1/teams/{'x' * 2000}",
    ):
        answer = knocker.send("manager", "GET", path, Accept="text/html")
        assert answer.status == 404, path
        if path != "/api":
            problem(answer)


def test_a_foreign_page_gets_nothing(sqlite_world: World, knocker: Knocker) -> None:
    address = knocker.address(ROOM, "swarming")
    answer = knocker.send(
        "hive_owner", "POST", address, '{"body": "x", "client_id": "abcdefgh"}', Origin="https://evil.example"
    )
    assert answer.status == 403
    problem(answer)


def test_a_token_that_is_far_too_long_is_none(sqlite_world: World, knocker: Knocker) -> None:
    for sent in ("x" * 5000, "x" * 70_000, "\xff" * 50, "a b", "\t"):
        answer = knocker.send("stranger", "GET", "/api/v1/me", Authorization=f"Bearer {sent}")
        assert answer.status == 401
        problem(answer)


def test_a_body_that_is_too_large_is_refused_unread(sqlite_world: World, knocker: Knocker) -> None:
    address = knocker.address(ROOM, "swarming")
    head = f"POST {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {JSON}\r\n"
    head += "Content-Length: 2000000\r\n\r\n"
    with socket.create_connection(
        ("127.0.0.1", int(sqlite_world.site.url.rpartition(":")[2])), PATIENCE
    ) as raw:
        raw.sendall(head.encode())
        said = raw.recv(65536)
    assert said.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in said
