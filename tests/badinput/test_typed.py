"""A refused form comes again as a page: with its status, the sentence, and everything that was typed."""

from __future__ import annotations

import html
from collections.abc import Iterator

import pytest

from tests.access.people import World
from tests.access.sending import Form, Knocker, snapshot

LONG = "A long text that somebody spent an evening on, with <angles> & ampersands"


@pytest.fixture
def knocker(sqlite_world: World) -> Iterator[Knocker]:
    """And nothing changes."""
    made, before = Knocker(sqlite_world), snapshot(sqlite_world)
    yield made
    made.close()
    assert snapshot(sqlite_world) == before


def again(knocker: Knocker, who: str, path: str, form: Form, status: int, *kept: str) -> str:
    """The page that came, which has this status and all of what was typed."""
    answer = knocker.send(who, "POST", path, form)
    page = html.unescape(answer.body.decode())
    assert answer.status == status, page[:2000]
    assert "<form" in page
    for words in kept or (LONG,):
        assert words in page, words
    return page


def test_a_message_that_is_too_long(sqlite_world: World, knocker: Knocker) -> None:
    form = {"body": LONG + "x" * 20_000, "client_id": "abcdefgh"}
    swarming = sqlite_world.tickets["swarming"]
    for who, path in (
        ("hive_owner", f"/tickets/{swarming}/room/messages"),
        ("hive_owner", f"/tickets/{swarming}/lane/messages"),
        ("customer", f"/case/{swarming}/messages"),
        ("guest", f"/guest/{sqlite_world.guests['guest']}/messages"),
    ):
        page = again(knocker, who, path, form, 422)
        assert "20000" in page or "20,000" in page


def test_a_message_where_one_may_not_write(sqlite_world: World, knocker: Knocker) -> None:
    form = {"body": LONG, "client_id": "abcdefgh"}
    swarming = sqlite_world.tickets["swarming"]
    page = again(knocker, "hive_one", f"/tickets/{swarming}/lane/messages", form, 403)
    assert "Only the owner answers the customer." in page
    page = again(knocker, "hive_one", f"/tickets/{swarming}/room/messages", form, 403)
    assert "Raise a hand to join." in page


def test_an_escalation_that_came_too_late(sqlite_world: World, knocker: Knocker) -> None:
    path = f"/tickets/{sqlite_world.tickets['climbing']}/escalation"
    form = {"reason": "Beyond me", "note": LONG, "seen": 1}
    page = again(knocker, "ladder_owner", path, form, 409, LONG, "Beyond me")
    assert "Ladder Owner" in page


def test_a_handover_to_somebody_who_cannot_have_it(sqlite_world: World, knocker: Knocker) -> None:
    ticket = sqlite_world.tickets["climbing"]
    seen = sqlite_world.versions["climbing"]
    people = sqlite_world.people
    for to, status in ((people["ladder_two"], 403), (people["hive_one"], 403), (10**9, 404)):
        form = {"to": to, "reason": LONG, "seen": seen}
        answer = knocker.send("ladder_owner", "POST", f"/tickets/{ticket}/handover", form)
        assert answer.status == status
        if status == 403:
            assert LONG in html.unescape(answer.body.decode())


def test_an_ask_for_what_there_is_not(sqlite_world: World, knocker: Knocker) -> None:
    path = f"/tickets/{sqlite_world.tickets['swarming']}/asks"
    ask = {"question": "Why is it slow?", "tried": LONG, "client_id": "ask-never-1"}
    owner = sqlite_world.people["hive_owner"]
    gone = sqlite_world.people["deactivated"]
    for more in ({}, {"people": owner}, {"people": gone}, {"people": 10**9}, {"skills": 10**9}):
        again(knocker, "hive_owner", path, {**ask, **more}, 422, LONG, "Why is it slow?")


def test_details_that_do_not_fit(sqlite_world: World, knocker: Knocker) -> None:
    path = f"/tickets/{sqlite_world.tickets['swarming']}/details"
    tags = ",".join(f"tag{number}" for number in range(21))
    form = {"priority": 1, "category": "A category", "language": "en", "tags": tags}
    again(knocker, "hive_owner", path, form, 422, "A category")


def test_a_case_that_cannot_be_opened(sqlite_world: World, knocker: Knocker) -> None:
    desk = {"name": "Ana <3", "subject": "About it", "body": LONG, "client_id": "opening-1"}
    team = sqlite_world.teams["hive"]
    again(knocker, "hive_owner", "/tickets", {**desk, "team": 10**9}, 403, LONG, "Ana <3", "About it")
    again(
        knocker,
        "hive_owner",
        "/tickets",
        {**desk, "team": team, "email": "no address"},
        422,
        LONG,
        "no address",
    )
    page = {**desk, "email": "ana@example.org", "client_id": "x" * 40}
    again(knocker, "stranger", "/open", {**page, "team": 10**9}, 422, LONG, "Ana <3", "ana@example.org")
    again(knocker, "stranger", "/open", {**page, "team": team, "email": "x"}, 422, LONG, "About it")
    again(knocker, "stranger", "/open", {**page, "team": team, "role": "administrator"}, 422, LONG)


def test_a_switch_made_too_late(sqlite_world: World, knocker: Knocker) -> None:
    form = {"policy": "tierless", "note": LONG, "version": 999, "share": 0}
    page = again(knocker, "manager", "/teams/ladder/policy", form, 409)
    assert "was faster" in page
    again(
        knocker,
        "manager",
        "/teams/ladder/policy",
        {**form, "policy": "split", "share": 33, "version": 1},
        422,
    )
    again(knocker, "hive_owner", "/teams/ladder/policy", {**form, "version": 1}, 403, "Only managers")


def test_my_page(sqlite_world: World, knocker: Knocker) -> None:
    profile = {"name": "Somebody New", "language": "xx", "timezone": "Mars/Olympus"}
    again(knocker, "hive_owner", "/me/profile", profile, 422, "Somebody New")
    secret = "correct horse battery staple"
    form = {"current": secret, "password": secret, "again": secret + "r"}
    assert secret not in again(
        knocker, "hive_owner", "/me/password", form, 422, "This is not the same as above."
    )


def test_passwords_never_come_back(sqlite_world: World, knocker: Knocker) -> None:
    secret = "correct horse battery staple"
    form = {"email": "hive_owner@staff.example.org", "password": secret}
    page = again(knocker, "stranger", "/sign-in", form, 401, "hive_owner@staff.example.org")
    assert secret not in page
    known = page.replace("hive_owner@staff.example.org", "")
    unknown = again(
        knocker, "stranger", "/sign-in", {**form, "email": "no@example.org"}, 401, "no@example.org"
    )
    assert unknown.replace("no@example.org", "") == known


def test_signed_out_is_said_before_anything_is_done(sqlite_world: World, knocker: Knocker) -> None:
    """No page can be shown without a session: the answer says so, and the browser keeps the form."""
    form = {"body": LONG, "client_id": "abcdefgh"}
    path = f"/tickets/{sqlite_world.tickets['swarming']}/room/messages"
    answer = knocker.send("signed_out", "POST", path, form)
    assert answer.status == 401
    assert "You are signed out" in answer.body.decode()
