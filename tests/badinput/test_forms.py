"""Every form × everything that is wrong in a field: refused with a sentence, and nothing changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus

import pytest

from tests.access import table
from tests.access.people import World
from tests.access.sending import Knocker, form_for, snapshot, writer_of

NUMBERS = {"seen", "seq", "to", "message", "priority", "person", "people", "team", "lead", "version"} | {
    *("days", "guest", "other", "other_version"),
}
PAIRS = {"skills", "places"}
"""Each a number, a colon and a number, or empty."""
REPEATED = {"events", "people", "skills", "places", "tiers"}
BOUNDED = {
    "events",
    "letters",
    "state",
    "role",
    "pace",
    "lane",
    "policy",
    "availability",
    "language",
    "timezone",
    "priority",
}
WRONG_NUMBERS = ("NaN", "1e400", "Infinity", "-1", "1.5", "9" * 20, "9" * 5000, "٣", "[1]", "0x10", "x", " ")
WRONG_TEXTS = {
    "NUL": "a\0b",
    "control": "a\x07b",
    "escape": "a\x1b[2Jb",
    "C1 control": "a\x9bb",
    "too long": "x" * 30_000,
}
NOT_UTF8 = {"half a character": "%ED%A0%80", "overlong": "%C0%AF", "cut short": "%E2%82"}
SECRETS = {"password", "current", "again"}
"""Taken as typed, but for what no keyboard has."""
NO_FORM = {
    "POST /sign-out",
    "POST /guest/{guest:int}/files who=ended_guest",
    "POST /demo/sign-in",
    "POST /demo",
}
"""The first reads none; the second asks first who sends files; the others are not there outside the demo."""


@pytest.fixture(scope="module")
def knocker(sqlite_world: World) -> Iterator[Knocker]:
    made = Knocker(sqlite_world)
    yield made
    made.close()


DOORS = [
    door
    for door in table.DOORS
    if door.startswith("POST") and door not in NO_FORM and "attic" not in door and " /api/" not in door
]


@pytest.mark.parametrize("door", DOORS)
def test_a_wrong_field_is_refused_with_a_sentence(sqlite_world: World, knocker: Knocker, door: str) -> None:
    before = snapshot(sqlite_world)
    who, ticket = writer_of(door)
    form = form_for(sqlite_world, door, ticket)
    tries = [("owner_id", "1", 422), ("__proto__", "1", 422), ("", "", 422)]
    tries += [] if "role" in form else [("role", "administrator", 422)]
    for name in form:
        if name in PAIRS:
            tries += [(name, f"1:{value}", 422) for value in WRONG_NUMBERS]
        elif name in NUMBERS:
            tries += [(name, value, 422) for value in WRONG_NUMBERS]
        elif name in BOUNDED:
            tries += [(name, value, 422) for value in ("no-such-thing", "a\0b")]
        else:
            tries += [
                (name, value, 422)
                for what, value in WRONG_TEXTS.items()
                if name not in SECRETS or what != "C1 control"
            ]
    wrong = []
    for name, value, right in tries:
        encoded = _encoded({**form, name: value})
        wrong += _look(knocker, who, door, ticket, encoded, right, f"{name}={value[:20]!r}")
    for name in form:
        for what, value in NOT_UTF8.items():
            encoded = f"{_encoded({key: form[key] for key in form if key != name})}&{name}={value}"
            wrong += _look(knocker, who, door, ticket, encoded, 400, f"{name}: {what}")
        if name not in REPEATED:
            doubled = f"{_encoded(form)}&{name}=x"
            wrong += _look(knocker, who, door, ticket, doubled, 422, f"{name} twice")
    assert not wrong, "\n".join(wrong)
    assert snapshot(sqlite_world) == before


def _look(knocker: Knocker, who: str, door: str, ticket: str, body: str, right: int, what: str) -> list[str]:
    answer = knocker.send(who, "POST", knocker.address(door, ticket), body, Accept="application/json")
    if answer.status != right:
        return [f"{what}: {answer.status} instead of {right}, {answer.body[:200]!r}"]
    if b"<html" in answer.body:
        return []
    problem = json.loads(answer.body)
    said = [problem["detail"], *problem.get("problems", {}).values()]
    return [f"{what}: no sentence, {said}" for one in said if not one.rstrip().endswith(".")]


def _encoded(form: dict[str, Any]) -> str:
    return "&".join(
        f"{quote_plus(name)}={quote_plus(str(one))}"
        for name, value in form.items()
        for one in (value if isinstance(value, tuple) else (value,))
    )
