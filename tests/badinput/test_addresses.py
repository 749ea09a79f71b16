"""Addresses nobody wrote a link to: ids, cursors, filters, path tricks. Nothing fails, nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from swarm.store import paging
from tests.access.people import World
from tests.access.sending import Knocker, snapshot

HUGE = "9" * 20
ENDLESS = "9" * 4400
"""More digits than Python reads."""
NO_SUCH = ("0", HUGE, str(2**53), str(2**53 + 1), str(2**63), str(10**15), "999999")
NO_NUMBER = ("-1", "1.5", "1e3", "٣", "0x1", " 1", "1 ", "%00", "1%00", ENDLESS, "..%2f1", "null")
NAMES = ("%00", "a%00b", "%0d%0aX-Evil:%201", "x" * 3000, "..%2f..%2fetc", "%ED%A0%80", "%FF", "%E2%80%AE")
STATIC = (
    "../swarm/main.py",
    "x/..%2f..%2fswarm%2fmain.py",
    "x/%2e%2e/%2e%2e/pyproject.toml",
    "x/css/%2e%2e%2f%2e%2e%2fpyproject.toml",
    "x/..\\..\\pyproject.toml",
    "x//etc/passwd",
    "x/%2fetc%2fpasswd",
    "x/%00",
    "x/css/tokens.css%00.html",
    ".git/config",
    "x/.git/config",
    "x/css",
    "x/" + "a/" * 400,
    "x/" + "a" * 900,
    "x" * 5000,
)


@pytest.fixture
def knocker(world: World) -> Iterator[Knocker]:
    """And whatever is asked, nothing changes."""
    made, before = Knocker(world), snapshot(world)
    yield made
    made.close()
    assert snapshot(world) == before


def test_ids_that_are_nobodys(world: World, knocker: Knocker) -> None:
    wrong = []
    for kind, patterns in {
        "hive_owner": (
            *("GET /tickets/{}", "GET /tickets/{}/head", "GET /tickets/{}/timeline"),
            *("GET /tickets/{}/foot/lane", "POST /tickets/{}/room/messages", "POST /tickets/{}/hand"),
            *("GET /customers/{}", "GET /customers/{}/about", "POST /customers/{}/notes"),
            *("POST /asks/{}/end", "POST /invitations/{}/acceptance", "POST /tickets/{}/leaving"),
        ),
        "guest": (
            *("GET /guest/{}", "GET /guest/{}/head", "POST /guest/{}/messages", "POST /guest/{}/leaving"),
            *("POST /guest/{}/files", "GET /guest/of/{}/pictures/x", "GET /guest/of/{}/files/x/y"),
        ),
        "administrator": ("GET /webhooks/{}", "POST /webhooks/{}/removal", "POST /webhooks/{}/secret"),
        "customer": ("GET /case/{}", "GET /case/{}/head", "POST /case/{}/messages"),
    }.items():
        for pattern in patterns:
            for id_ in (*NO_SUCH, *NO_NUMBER):
                method, path = pattern.format(quote(id_, safe="%")).split(maxsplit=1)
                form = {"body": "x", "client_id": "abcdefgh"} if "messages" in path else {}
                form |= {"version": "1", "notes": "x"} if "notes" in path else {}
                status = knocker.send(kind, method, path, form).status
                if status != 404:
                    wrong.append(f"{method} {path[:60]}: {status}")
    assert not wrong, "\n".join(wrong)


def test_names_that_are_nobodys(world: World, knocker: Knocker) -> None:
    wrong = []
    for name in NAMES:
        for who, method, path, right in (
            ("manager", "GET", f"/teams/{name}", 404),
            ("manager", "GET", f"/teams/{name}/row", 404),
            ("manager", "POST", f"/teams/{name}/policy", 404),
            ("stranger", "GET", f"/join/{name}", 410),
            ("stranger", "POST", f"/join/{name}", 410),
            ("guest", "GET", f"/guest/{world.guests['guest']}/older/{name}?before=9", 404),
            ("stranger", "GET", f"/link/{name}", 410),
            ("stranger", "POST", f"/link/{name}", 410),
            ("hive_owner", "GET", f"/tickets/{world.tickets['swarming']}/foot/{name}", 404),
            ("stranger", "GET", f"/{name}", 404),
        ):
            form = {"policy": "tiered", "note": "x", "version": "1"} if path.endswith("policy") else {}
            answer = knocker.send(who, method, path, form)
            if answer.status not in (right, 404) or "x-evil" in dict(answer.headers):
                wrong.append(f"{method} {path[:60]}: {answer.status} instead of {right}")
    assert not wrong, "\n".join(wrong)


def test_no_path_leads_out_of_the_static_folder(world: World, knocker: Knocker) -> None:
    for path in STATIC:
        answer = knocker.send("stranger", "GET", f"/static/{path}")
        assert answer.status in (404, 405), (path[:60], answer.status)
        assert b"swarm" not in answer.body.lower() or b"<html" in answer.body, path


@pytest.mark.parametrize(
    "query",
    [
        "unknown=1",
        "status=open&status=closed",
        "status=everything",
        "priority=9",
        "priority=NaN",
        f"team={HUGE}",
        f"owner={ENDLESS}",
        "owner=0",
        "mode=chaos",
        "tag=%00",
        "tag=%E2%80%AE",
        f"tag={'x' * 61}",
        "language=%00",
        "cursor=%00",
        f"cursor={'A' * 500}",
        "current=-1",
        "&".join(f"a{number}=1" for number in range(500)),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(world: World, knocker: Knocker, query: str) -> None:
    for path in ("/tickets", "/queue", "/mine"):
        answer = knocker.send("manager", "GET", f"{path}?{query}", Accept="application/json")
        assert answer.status in (400, 422), answer.body


@pytest.mark.parametrize(
    "query",
    ["unknown=1", "q=%00", f"q={'x' * 201}", "q=%FF", "before=0", f"before={ENDLESS}", "before=x", "q=a&q=b"],
)
def test_a_search_that_makes_no_sense_is_refused(world: World, knocker: Knocker, query: str) -> None:
    paths = ("/customers", "/find", f"/customers/{world.customers['ana']}/merge")
    for path in paths if "before" not in query else paths[:1]:
        answer = knocker.send("manager", "GET", f"{path}?{query}", Accept="application/json")
        assert answer.status in (400, 422), (path, answer.body)


def test_words_that_are_looked_for_are_only_words(world: World, knocker: Knocker) -> None:
    for words in ("%25", "_", "'", "%27%20OR%201=1--", "%F4%8F%BF%BF", "*", "a" * 200, "+".join("abcdefgh")):
        for path in ("/customers", "/find"):
            assert knocker.send("manager", "GET", f"{path}?q={words}").status == 200, words


def test_a_filter_that_is_not_utf8_is_refused(world: World, knocker: Knocker) -> None:
    for query in ("tag=%ED%A0%80", "tag=%FF", "%FF=1"):
        assert knocker.send("manager", "GET", f"/tickets?{query}").status == 400


def test_a_cursor_that_was_tampered_with_is_refused(world: World, knocker: Knocker) -> None:
    good = paging.encode([1.0, 1])
    bad = [
        *("", "A", "e30", "bnVsbA", "W10", "MQ", "Ii4uIg", "!!!!", "a" * 399, good[:-3], good + "A", "é"),
        *(paging.encode(values) for values in ([], [1], ["a", "b"], [None, None], [2**70, 1], [True, True])),
        *(paging.encode(values) for values in ([1, 2, 3], [3, "x", 1], [{"t": "x"}, 1], [{"t": 1e300}, 1])),
        *(paging.encode(values) for values in ([{"t": float("nan")}, 1], [{"u": 1}, 1], [[[]], 1])),
    ]
    for path in ("/tickets", "/queue", "/mine", f"/customers/{world.customers['ana']}"):
        for cursor in bad:
            status = knocker.send("manager", "GET", f"{path}?cursor={quote(cursor)}").status
            assert status == (400 if cursor else 200), (path, cursor, status)


def test_a_tickets_page_shrugs_at_the_list_it_came_from(world: World, knocker: Knocker) -> None:
    ticket = world.tickets["swarming"]
    for query in (
        "tag=%00",
        "language=%00",
        "tag=%FF",
        f"team={ENDLESS}",
        "priority=7",
        "in=attic",
        "status=x",
    ):
        answer = knocker.send("hive_owner", "GET", f"/tickets/{ticket}?in=all&{query}")
        assert answer.status == 200, query


def test_history_is_asked_for_by_a_number(world: World, knocker: Knocker) -> None:
    ticket = world.tickets["swarming"]
    for before in ("", "x", "-1", "1.5", "%00", HUGE, ENDLESS, "%D9%A3"):
        for kind, path in (
            ("hive_owner", f"/tickets/{ticket}/older/room"),
            ("customer", f"/case/{ticket}/older"),
            ("guest", f"/guest/{world.guests['guest']}/older/room"),
        ):
            status = knocker.send(kind, "GET", f"{path}?before={before}").status
            assert status in (400, 404, 422), (path, before[:20], status)


def test_nobody_is_sent_to_another_site(world: World, knocker: Knocker) -> None:
    for target in (
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/%09/evil.example",
        "javascript:1",
    ):
        for who in ("manager", "stranger"):
            answer = knocker.send(who, "GET", f"/sign-in?next={quote(target, safe='%')}")
            said = answer.all_bytes.decode()
            assert answer.status in (200, 303)
            assert "evil" not in said and "javascript:" not in said
