"""Pieces of a page are drawn anew: nothing is taken from who types or presses, and nothing old stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from swarm.tickets import actions as tickets
from tests.support.site import Site
from tests.support.town import build

pytestmark = pytest.mark.journey


@pytest.fixture
def page(chromium: Browser, site: Site) -> Iterator[Page]:
    """An owner's ticket, live."""
    town = build(site.store)
    ticket = town.open("hive")
    town.act("hugo", tickets.take, ticket)
    context = chromium.new_context(base_url=site.url, viewport={"width": 1440, "height": 900})
    secret = site.person(town.people["hugo"]).http.cookies["session"]
    context.add_cookies([{"name": "session", "value": secret, "url": site.url}])
    page = context.new_page()
    page.goto(f"/tickets/{ticket}")
    expect(page.locator("[data-live-pill]").first).to_have_attribute("data-state", "live")
    yield page
    context.close()


def test_a_piece_that_arrives_while_somebody_types_waits_until_they_are_done(page: Page) -> None:
    held: list[Route] = []
    page.route("**/foot/room", lambda route: held.append(route))
    with page.expect_request("**/foot/room"):
        page.locator(".foot").nth(1).dispatch_event("refresh")
    box = page.locator('form[data-composer^="room:"] textarea')
    box.click()
    page.keyboard.type("Half a")
    with page.expect_response("**/foot/room"):
        held.pop(0).continue_()
    page.unroute("**/foot/room")
    page.keyboard.type(" thought")
    expect(box).to_be_focused()
    expect(box).to_have_value("Half a thought")
    with page.expect_response("**/foot/room"):
        box.fill("")


def test_a_click_that_straddles_a_redrawing_is_not_lost(page: Page) -> None:
    button = page.get_by_role("button", name="Resolve")
    place = button.bounding_box()
    assert place
    page.mouse.move(place["x"] + 20, place["y"] + 10)
    page.mouse.down()
    with page.expect_response("**/head"):
        page.locator(".head").dispatch_event("refresh")
    page.mouse.up()
    expect(page.locator(".head", has_text="Resolved")).to_be_visible()


def test_what_was_read_before_an_event_and_arrives_after_it_is_not_the_last_word(page: Page) -> None:
    before, held = page.request.get(f"{page.url}/head"), list[Route]()
    page.route("**/head", lambda route: held.append(route), times=1)
    with page.expect_request("**/head"):
        page.locator(".head").dispatch_event("refresh")
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("Hugo resolved the ticket").first).to_be_visible()
    with page.expect_response("**/head"):
        held.pop().fulfill(response=before)
    expect(page.locator(".head", has_text="Resolved")).to_be_visible()
