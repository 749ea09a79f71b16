"""kill -9 in the middle of a conversation: pages come back, nothing lost, doubled or out of order."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from swarm.accounts.actions import start_session
from swarm.events import SYSTEM
from swarm.store import Store, Work, log
from swarm.tickets import actions as tickets
from swarm.tickets import queries
from tests.support.app import App
from tests.support.backends import Backend
from tests.support.town import build, open_store

pytestmark = [pytest.mark.journey, pytest.mark.fault]

LINES = 24
PATIENCE = 30_000
"""Milliseconds for pages to come back: a restart takes seconds, a reconnect backs off."""


def test_a_conversation_survives_kill_nine(
    backend: Backend, serve: Callable[..., App], chromium: Browser
) -> None:
    store = open_store(backend)
    town = build(store)
    ticket = town.open("hive")
    town.do("ina", lambda work: tickets.take(work, ticket))
    secrets = {who: _sign_in(store, town.people[who]) for who in ("ina", "mona")}
    app = serve(backend)
    pages = {who: _page(chromium, app, secret, ticket) for who, secret in secrets.items()}
    writer, reader = pages["ina"], pages["mona"]

    for number in range(LINES):
        if number == LINES // 3:
            app.kill()
        if number == 2 * LINES // 3:
            app.restart()
        writer.locator('form[data-composer^="room:"] textarea').fill(f"line {number}.")
        writer.locator('form[data-composer^="room:"] button[type=submit]').click()

    expected = [f"line {number}." for number in range(LINES)]
    for page in (writer, reader):
        shown = page.locator('[id^="log-room-"] .msg:not([data-pending-bubble])')
        expect(shown).to_have_count(LINES, timeout=PATIENCE)
        expect(page.locator("[data-pending-bubble]")).to_have_count(0)
        expect(page.locator("[data-live-pill]").first).to_have_attribute(
            "data-state", "live", timeout=PATIENCE
        )
        assert [
            re.sub(r"\s+", " ", text).strip() for text in shown.locator("[data-body]").all_inner_texts()
        ] == expected

    def stored(work: Work) -> tuple[list[int], list[str]]:
        entries = log.after(work.session, f"room:{ticket}", 0, 1000)
        posted = [entry for entry in entries if entry.kind == "room.message_posted"]
        texts = queries.messages(work.session, [entry.data["message_id"] for entry in posted])
        return [entry.seq for entry in entries], [texts[entry.data["message_id"]].body for entry in posted]

    numbers, bodies = store.read_now(SYSTEM, stored)
    assert numbers == list(range(1, len(numbers) + 1))
    assert bodies == expected
    store.close()


def _sign_in(store: Store, person_id: int) -> str:
    return store.write_now(SYSTEM, lambda work: start_session(work, person_id, days=1, idle_hours=12))


def _page(chromium: Browser, app: App, secret: str, ticket: int) -> Page:
    context = chromium.new_context(base_url=app.url, viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "session", "value": secret, "url": app.url}])
    page = context.new_page()
    page.goto(f"/tickets/{ticket}")
    expect(page.locator("[data-live-pill]").first).to_have_attribute("data-state", "live")
    return page
