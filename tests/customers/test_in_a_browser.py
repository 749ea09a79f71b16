"""The record beside the ticket is live, and the palette finds what is not on the screen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.customers.conftest import Desk

pytestmark = pytest.mark.journey


@pytest.fixture
def page(chromium: Browser, desk: Desk) -> Iterator[Page]:
    """A colleague's browser."""
    context = chromium.new_context(base_url=desk.site.url, viewport={"width": 1440, "height": 900})
    secret = desk.person("ina").http.cookies["session"]
    context.add_cookies([{"name": "session", "value": secret, "url": desk.site.url}])
    yield context.new_page()
    context.close()


def live(page: Page) -> None:
    expect(page.locator("[data-live-pill]").first).to_have_attribute("data-state", "live")


def test_notes_of_a_colleague_and_a_merge_show_beside_the_open_ticket(desk: Desk, page: Page) -> None:
    ana, twin = desk.customer("Ana Duarte", "ana@d.example"), desk.customer("A. Duarte", "ana@d.example")
    ticket, other = desk.ticket(ana, owner="ina"), desk.ticket(twin, subject="An older case")
    mona = desk.person("mona")
    page.goto(f"/tickets/{ticket}")
    live(page)
    side = page.get_by_role("complementary", name="Details")
    mona.post(f"/customers/{ana}/notes", {"version": 1, "notes": "Likes tea"})
    expect(side.locator("p.noted")).to_have_text("Likes tea")

    side.get_by_text("Change the notes").click()
    side.get_by_label("What colleagues should know").fill("Likes tea and cake")
    side.get_by_role("button", name="Save the notes").click()
    expect(side.locator("p.noted")).to_have_text("Likes tea and cake")

    page.goto(f"/tickets/{other}")
    live(page)
    assert desk.merge(mona, ana, twin) == 303
    expect(side.get_by_role("link", name="Ana Duarte")).to_be_visible()
    expect(side.locator("p.noted")).to_have_text("Likes tea and cake")
    # It watched the record that is no more; what happens to the one that was kept is heard all the same.
    version = desk.record(ana).version
    assert mona.post(f"/customers/{ana}/notes", {"version": version, "notes": "Coffee"}).status_code == 303
    expect(side.locator("p.noted")).to_have_text("Coffee")


def test_the_palette_finds_tickets_and_customers_from_anywhere(desk: Desk, page: Page) -> None:
    ana = desk.customer("Ana Duarte", "ana@d.example")
    desk.ticket(ana, subject="The printer is on fire")
    page.goto("/me")
    page.keyboard.press("Control+k")
    palette = page.get_by_role("combobox", name="Find or do")
    palette.fill("printer")
    expect(page.get_by_role("option", name="The printer is on fire")).to_be_visible()
    palette.fill("duar")
    expect(page.get_by_role("option", name="Ana Duarte")).to_be_visible()
    palette.press("Enter")
    expect(page.get_by_role("heading", name="Ana Duarte")).to_be_visible()


def test_who_types_an_address_is_shown_whose_it_is(desk: Desk, page: Page) -> None:
    desk.ticket(desk.customer("Ana Duarte", "ana@d.example", "Duarte Lda"), owner="ina")
    page.goto("/tickets/new")
    page.get_by_label("E-mail").fill("ana@d.example")
    chosen = page.get_by_role("radio", name="Ana Duarte")
    expect(chosen).to_be_checked()
    page.get_by_label("Customer’s name").fill("Ana")
    page.get_by_label("Subject").fill("One more")
    page.get_by_label("What they said").fill("It broke.")
    page.get_by_role("button", name="Open the ticket").click()
    expect(page.get_by_role("link", name="Ana Duarte")).to_be_visible()
    expect(page.get_by_text("It broke.").last).to_be_visible()


def test_s_on_a_tiered_ticket_says_why_it_does_nothing(desk: Desk, page: Page) -> None:
    ticket = desk.ticket(desk.customer("Ana"), "ladder")
    context = page.context
    secret = desk.person("lena").http.cookies["session"]
    context.add_cookies([{"name": "session", "value": secret, "url": desk.site.url}])
    page.goto(f"/tickets/{ticket}")
    live(page)
    page.keyboard.press("s")
    expect(page.locator("#toasts")).to_contain_text("scalate")
