"""An outsider helps in a browser of their own: invited, live in the room, put out; also without script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from websockets.exceptions import ConnectionClosed

from swarm.events import NOBODY
from swarm.tickets.actions import take
from tests.journeys.test_the_main_job import SHOTS, live, shows, write
from tests.support.site import Site
from tests.support.town import Town, build

pytestmark = pytest.mark.journey

OUT_WITHIN = 3000
"""Milliseconds after which a guest whose access ended is out."""


@pytest.fixture
def town(site: Site) -> Town:
    return build(site.store)


@contextmanager
def browser(
    site: Site, chromium: Browser, secret: str = "", *, script: bool = True
) -> Iterator[BrowserContext]:
    """A browser of somebody's own."""
    context = chromium.new_context(
        base_url=site.url, viewport={"width": 1440, "height": 900}, java_script_enabled=script
    )
    if secret:
        context.add_cookies([{"name": "session", "value": secret, "url": site.url}])
    yield context
    context.close()


def shot(page: Page, name: str) -> None:
    """Pictures to look at, where SWARM_TEST_SHOTS names a folder."""
    if not SHOTS:
        return
    Path(SHOTS).mkdir(parents=True, exist_ok=True)
    for width in (1440, 1024, 390):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 844 if width == 390 else 900})
            page.screenshot(path=f"{SHOTS}/{name}-{width}-{scheme}.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1440, "height": 900})


def invited(page: Page, number: int) -> str:
    """The link that the owner is shown."""
    page.goto(f"/tickets/{number}")
    page.locator(".more > details > summary").click()
    page.get_by_text("Invite a guest", exact=True).first.click()
    page.locator("#guest-name").fill("Rui Ferreira")
    shot(page, "guest-1-form")
    page.get_by_role("button", name="Make the link").click()
    shot(page, "guest-2-link")
    link = page.locator("#link").inner_text()
    assert "/join/" in link
    return link


def test_a_guest_comes_helps_and_is_put_out(site: Site, town: Town, chromium: Browser) -> None:
    number = town.open("hive")
    town.act("ina", take, number)
    secret = site.person(town.people["ina"]).http.cookies["session"]
    with browser(site, chromium, secret) as hers, browser(site, chromium) as his:
        ina, rui = hers.new_page(), his.new_page()
        for page in (ina, rui):
            page.on("pageerror", lambda error: pytest.fail(f"a script failed: {error}"))
        link = invited(ina, number)

        scanner = site.stranger()
        assert scanner.get(link).status_code == 200 and scanner.http.head(link).status_code == 200

        ina.goto(f"/tickets/{number}")
        live(ina)
        rui.goto(link)
        shot(rui, "guest-3-invitation")
        rui.get_by_role("button", name="Come in").click()
        rui.wait_for_url(re.compile(r"/guest/\d+$"))
        live(rui)
        expect(ina.locator("[id^=log-room-]", has_text="Rui Ferreira joined as a guest")).to_be_visible()
        expect(ina.locator(".people", has_text="guest, invited by Ina")).to_have_count(1)

        expect(rui.locator("[id^=log-lane-]", has_text="It is, really.")).to_be_visible()
        expect(rui.get_by_text("You read along here.")).to_be_visible()
        write(ina, "room", "What do you see, Rui?")
        shows(rui, "room", "What do you see, Rui?")
        write(rui, "room", "The fuse is blown, room-secret-4711")
        shows(ina, "room", "room-secret-4711")
        shows(rui, "room", "room-secret-4711")
        expect(
            ina.locator(".msg", has_text="room-secret-4711").get_by_text("Guest", exact=True)
        ).to_be_visible()
        write(ina, "lane", "We found the fuse, Ana.")
        shows(rui, "lane", "We found the fuse, Ana.")
        assert "Ana" not in rui.title() and "ana." not in rui.content()
        shot(rui, "guest-4-room")
        shot(ina, "guest-5-owner")

        address, cookies = rui.url, {one["name"]: one["value"] for one in his.cookies()}
        rui.locator('form[data-composer^="room:"] textarea').fill("Half a thought")
        ina.get_by_role("button", name="End access").click()
        expect(rui.get_by_role("heading", name="You are no longer in this room")).to_be_visible(
            timeout=OUT_WITHIN
        )
        expect(rui.get_by_text("room-secret-4711")).to_have_count(0)
        shot(rui, "guest-6-out")
        assert "Half a thought" not in rui.evaluate("JSON.stringify(sessionStorage)")
        expect(ina.locator(".people", has_text="guest, invited by Ina")).to_have_count(0)

        answer = rui.goto(address)
        assert answer is not None and answer.status == 404
        old = site._visitor({name: str(value) for name, value in cookies.items()}, NOBODY)
        path = address.removeprefix(site.url)
        assert old.get(path).status_code == 404
        with pytest.raises(ConnectionClosed), old.socket({}, f"/live{path}"):
            pass
        answer = rui.goto(link)
        assert answer is not None and answer.status == 410
        expect(rui.get_by_text("This invitation is over.")).to_be_visible()
        shot(rui, "guest-7-over")


def test_the_same_without_script(site: Site, town: Town, chromium: Browser) -> None:
    number = town.open("hive")
    town.act("ina", take, number)
    secret = site.person(town.people["ina"]).http.cookies["session"]
    with (
        browser(site, chromium, secret, script=False) as hers,
        browser(site, chromium, script=False) as his,
    ):
        ina, rui = hers.new_page(), his.new_page()
        rui.goto(invited(ina, number))
        rui.get_by_role("button", name="Come in").click()
        write(rui, "room", "The fuse is blown")
        shows(rui, "room", "The fuse is blown")
        ina.goto(f"/tickets/{number}")
        shows(ina, "room", "The fuse is blown")
        rui.get_by_role("button", name="Leave the room").click()
        expect(rui.get_by_text("You left. Thank you for your help.")).to_be_visible()
        assert his.cookies() == []
        ina.reload()
        expect(ina.locator("[id^=log-room-]", has_text="Rui Ferreira left the room")).to_be_visible()
