"""Chosen, dropped or pasted, a file shows as a chip, goes with its message, and appears live elsewhere."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.files.conftest import picture
from tests.portal.house import House, enter
from tests.support.site import Site, Visitor

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
GIVE = """(area, [how, name, kind, data]) => {
  const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0)), brought = new DataTransfer();
  brought.items.add(new File([bytes], name, { type: kind }));
  const about = { bubbles: true, cancelable: true };
  area.dispatchEvent(how === "paste"
    ? new ClipboardEvent("paste", { ...about, clipboardData: brought })
    : new DragEvent("drop", { ...about, dataTransfer: brought }));
}"""


def browse(chromium: Browser, visitor: Visitor, path: str, size: str, dark: bool = False) -> Page:
    width, height = SIZES[size]
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        has_touch=size == "phone",
        color_scheme="dark" if dark else "light",
    )
    for cookie in visitor.http.cookies.jar:
        context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": visitor.site.url}])
    page = context.new_page()
    page.goto(visitor.site.url + path)
    expect(page.locator("[data-live-pill]").first).to_have_attribute("data-state", "live")
    return page


def give(page: Page, how: str, name: str, kind: str, data: bytes) -> None:
    """As a hand would: from the clipboard, or let fall on the lane."""
    area = page.locator("form[data-composer^='lane:'] textarea")
    area.evaluate(GIVE, [how, name, kind, base64.b64encode(data).decode()])


@pytest.mark.parametrize("size", SIZES)
def test_files_are_given_in_three_ways_and_shown_live(
    chromium: Browser, site: Site, house: House, size: str, tmp_path: Path
) -> None:
    laura, number = enter(site, house)
    mine = browse(chromium, laura, f"/case/{number}", size)
    mira = browse(chromium, site.person(house.mira), f"/tickets/{number}", size, dark=True)
    chosen = tmp_path / "screen.png"
    chosen.write_bytes(picture(size=(600, 300)))
    mine.locator("form[data-composer] input[type=file]").set_input_files(chosen)
    give(mine, "paste", "pasted.png", "image/png", picture("PNG", (90, 60)))
    give(mine, "drop", "router.log", "text/plain", b"link down\n")
    give(mine, "drop", "setup.exe", "application/octet-stream", b"MZ")
    chips = mine.locator("[data-chips] li")
    expect(chips).to_have_count(4)
    expect(mine.locator("[data-chips] [name=files]")).to_have_count(3)
    expect(mine.locator("[data-chips] .wrong")).to_contain_text(".exe are not taken")
    mine.locator("form[data-composer] textarea").fill("This is what I see.")
    _look_at(mine, f"chips-{size}")
    chips.nth(1).get_by_role("button").click()
    expect(mine.locator("[data-chips] [name=files]")).to_have_count(2)
    mine.locator("form[data-composer] button[type=submit]").click()
    for page in (mine, mira):
        line = page.locator(".msg", has_text="This is what I see.").last
        expect(line.locator(".files .file")).to_contain_text("router.log")
        image = line.locator(".files img")
        expect(image).to_have_attribute("alt", "screen.png")
        image.scroll_into_view_if_needed()
        page.wait_for_function(
            "image => image.complete && image.naturalWidth === 600", arg=image.element_handle()
        )
    _look_at(mine, f"sent-{size}")
    _look_at(mira, f"desk-{size}-dark")
    expect(chips).to_have_count(0)
    mine.context.close()
    mira.context.close()


def _look_at(page: Page, name: str) -> None:
    """Kept where somebody wants to look."""
    if folder := os.environ.get("SWARM_TEST_SHOTS"):
        page.screenshot(path=Path(folder) / f"files-{name}.png")


def test_by_keyboard_alone_on_a_phone_files_are_chosen_and_taken_back(
    chromium: Browser, site: Site, house: House, tmp_path: Path
) -> None:
    laura, number = enter(site, house)
    page = browse(chromium, laura, f"/case/{number}", "phone")
    for name in ("one.txt", "two.txt", "three.txt"):
        (tmp_path / name).write_text(name)
    chooser = page.locator("form[data-composer] input[type=file]")
    # Phones offer the camera beside their files where neither of these narrows it.
    assert [chooser.get_attribute(name) for name in ("accept", "capture")] == [None, None]
    # The listening begins before the way there: the browser learns of it only after a while.
    with page.expect_file_chooser() as opened:
        page.locator("form[data-composer] textarea").focus()
        for _step in range(3):
            if chooser.evaluate("one => one === document.activeElement"):
                break
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    opened.value.set_files([tmp_path / name for name in ("one.txt", "two.txt", "three.txt")])
    tokens = page.locator("[data-chips] [name=files]")
    expect(tokens).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    area = page.locator("form[data-composer] textarea")
    for left in (2, 1):
        area.focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(tokens).to_have_count(left)
        expect(area).to_be_focused()
    expect(page.locator("[data-chips] li")).to_contain_text("three.txt")
    page.context.close()
