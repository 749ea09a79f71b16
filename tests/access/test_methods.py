"""Foreign pages change nothing, reading changes nothing, and what is not in the table is not there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.access import table
from tests.access.people import World
from tests.access.sending import Knocker, snapshot, writer_of

FOREIGN = {
    "another site": {"Origin": "https://evil.example"},
    "a sandbox": {"Origin": "null"},
    "a name that begins like ours": {"Origin": "http://127.0.0.1.evil.example"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "no origin, with a cookie": {"Origin": "", "Cookie": "session=x"},
    "what the browser says itself": {"Sec-Fetch-Site": "cross-site"},
    "a sibling": {"Sec-Fetch-Site": "same-site"},
}


@pytest.fixture(scope="module")
def knocker(sqlite_world: World) -> Iterator[Knocker]:
    made = Knocker(sqlite_world)
    yield made
    made.close()


@pytest.mark.parametrize("where", FOREIGN)
def test_from_a_foreign_page_nothing_is_done(sqlite_world: World, knocker: Knocker, where: str) -> None:
    before = snapshot(sqlite_world)
    wrong = {}
    for door in (door for door in table.DOORS if door.startswith("POST")):
        who, ticket = writer_of(door)
        status = knocker.knock(who, door, ticket, **FOREIGN[where]).status
        if status != 403:
            wrong[door] = status
    assert wrong == {}
    assert snapshot(sqlite_world) == before


def test_reading_changes_nothing(sqlite_world: World, knocker: Knocker) -> None:
    """The matrix sends every GET as everybody; here as those who see most, once more, twice each."""
    before = snapshot(sqlite_world)
    for door in table.DOORS:
        if door.startswith("GET"):
            for who in ("hive_owner", "customer"):
                knocker.knock(who, door, "swarming")
    assert snapshot(sqlite_world) == before


def test_other_methods_are_not_there(sqlite_world: World, knocker: Knocker) -> None:
    before = snapshot(sqlite_world)
    paths: dict[str, set[str]] = {}
    for door in table.DOORS:
        method, path = door.split()[:2]
        paths.setdefault(path, set()).add(method)
    wrong = []
    for path, methods in paths.items():
        lane = " lane=lane" if "{lane}" in path else ""
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
            for who in ("hive_owner", "stranger"):
                status = knocker.knock(who, f"{method} {path}{lane}", "swarming").status
                if status != 405:
                    wrong.append(f"{method} {path}, {who}: {status}")
    assert not wrong, "\n".join(wrong)
    assert snapshot(sqlite_world) == before


def test_a_head_is_a_get_without_its_body(sqlite_world: World, knocker: Knocker) -> None:
    wrong = []
    paths = {door.split()[1] for door in table.DOORS if door.startswith("GET")}
    for door in table.DOORS:
        method, path = door.split()[:2]
        if method == "POST" and path in paths:
            continue
        address = knocker.address(door, "swarming")
        answer = knocker.send("stranger", "HEAD", address)
        right = 405 if method == "POST" else knocker.send("stranger", "GET", address).status
        if answer.status != right or answer.body:
            wrong.append(f"{door}: {answer.status} instead of {right}, {len(answer.body)} bytes")
    assert not wrong, "\n".join(wrong)
