"""A full disk on every open screen: said at once, nothing typed is lost, gone at once when there is room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from swarm.accounts.actions import exchange, make_link
from swarm.events import SYSTEM
from tests.support.app import App
from tests.support.backends import SqliteMaker
from tests.support.on_small_disk import OnDisk, prepare
from tests.support.small_disk import small_disk_or_files
from tests.support.town import open_store

pytestmark = [pytest.mark.journey, pytest.mark.fault]

SAID = re.compile("For now you can only read")
SOON = 15_000
"""Milliseconds: a look, a push, and a machine with other things to do."""


@pytest.fixture
def small(sqlite_maker: SqliteMaker, tmp_path: Path) -> Iterator[OnDisk]:
    with small_disk_or_files(tmp_path, 8 * 1024 * 1024) as disk:
        made = prepare(disk, sqlite_maker, tmp_path, prepared=_invite)
        yield made
        made.close()


def _invite(made: OnDisk) -> None:
    """The customer of the ticket gets in."""
    store = open_store(made.before)
    link = store.write_now(SYSTEM, lambda work: make_link(work, made.ticket, made.town.customer_id, 7))
    made.customer = store.write_now(SYSTEM, lambda work: exchange(work, link, None, 60)[1])
    store.close()


def page_of(browser: Browser, app: App, cookie: str, value: str, path: str, *, script: bool = True) -> Page:
    context = browser.new_context(
        base_url=app.url, viewport={"width": 1280, "height": 800}, java_script_enabled=script
    )
    context.add_cookies([{"name": cookie, "value": value, "url": app.url}])
    page = context.new_page()
    page.goto(path)
    if script:
        expect(page.locator("[data-live-pill]").first).to_have_attribute("data-state", "live")
    return page


def test_it_is_said_everywhere_and_what_was_typed_arrives(small: OnDisk, chromium: Browser) -> None:
    app = small.serve({"SWARM_DATABASE__PROBE_SECONDS": "0.5"})
    ticket = f"/tickets/{small.ticket}"
    ina = page_of(chromium, app, "session", small.secret, ticket)
    lists = page_of(chromium, app, "session", small.secret, "/queue")
    ana = page_of(chromium, app, "case", small.customer, f"/case/{small.ticket}")
    plain = page_of(chromium, app, "session", small.secret, ticket, script=False)
    plain_ana = page_of(chromium, app, "case", small.customer, f"/case/{small.ticket}", script=False)
    for page in (ina, lists, ana, plain, plain_ana):
        expect(page.get_by_text(SAID)).to_have_count(0)

    # A form that is open and half filled in keeps its words, and is told why.
    ina.locator(".head summary", has_text="Ask for help").click()
    ina.get_by_label("Question").fill("Which driver does it want?")
    small.disk.fill(app)
    ana.locator('form[data-composer^="lane:"] textarea').fill("It burns again")
    ana.locator('form[data-composer^="lane:"] button[type=submit]').click()
    for page in (ina, lists, ana):
        expect(page.locator("#notice")).to_have_text(SAID, timeout=SOON)
    assert ina.locator("#notice").get_attribute("role") == "status"
    bubble = ana.locator("[data-pending-bubble]", has_text="It burns again")
    expect(bubble).to_have_attribute("data-state", "waiting")
    ina.get_by_label("Quinn").check()
    ina.get_by_role("button", name="Ask", exact=True).click()
    expect(ina.locator(".head [data-problem] p", has_text=SAID)).to_be_in_viewport()
    expect(ina.get_by_label("Question")).to_have_value("Which driver does it want?")
    ina.locator('form[data-composer^="room:"] textarea').fill("Somebody here?")

    # Without script a page says so when it is loaded, and a refused form comes back with its words.
    plain.locator('form[data-composer^="room:"] textarea').fill("A long note, almost finished")
    plain.locator('form[data-composer^="room:"] button[type=submit]').click()
    expect(plain.locator("#notice")).to_have_text(SAID)
    expect(plain.locator('form[data-composer^="room:"] textarea')).to_have_value(
        "A long note, almost finished"
    )
    plain.set_viewport_size({"width": 390, "height": 844})
    expect(plain.locator('form[data-composer^="room:"] textarea')).to_be_visible()
    plain_ana.locator("form[data-composer] textarea").fill("Still waiting here")
    plain_ana.locator("form[data-composer] button[type=submit]").click()
    expect(plain_ana.locator("form[data-composer] textarea")).to_have_value("Still waiting here")
    expect(plain_ana.locator("#notice")).to_have_text(SAID)
    assert small.bodies() == []

    small.disk.clear(app)
    for page in (ina, lists, ana):
        expect(page.locator("#notice")).to_be_empty(timeout=SOON)
    expect(ina.locator("[data-problem]", has_text=SAID)).to_have_count(0)
    # What waited goes by itself, once; what stands in a form is sent by who wrote it.
    expect(ana.locator("[data-pending-bubble]")).to_have_count(0, timeout=SOON)
    expect(ina.locator("[id^=log-lane-] .msg", has_text="It burns again")).to_have_count(1)
    expect(ina.locator('form[data-composer^="room:"] textarea')).to_have_value("Somebody here?")
    ina.locator('form[data-composer^="room:"] button[type=submit]').click()
    plain.locator('form[data-composer^="room:"] button[type=submit]').click()
    expect(plain.locator("#notice")).to_be_empty()
    log = ina.locator("[id^=log-room-]")
    for words in ("Somebody here?", "A long note, almost finished"):
        expect(log.locator(".msg:not([data-pending-bubble])", has_text=words)).to_have_count(1)
    assert sorted(small.bodies()) == ["A long note, almost finished", "Somebody here?"]
