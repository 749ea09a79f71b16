"""The first view of the desk is light, and nothing on a phone is wider than the phone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser
from sqlalchemy import update

from swarm.people.models import Customer, Guest, Person
from swarm.store import Work
from swarm.tickets.models import Ticket
from tests.looks.conftest import Demo
from tests.looks.walk import PAGES

MOST = 150_000
"""Bytes over the wire: scripts, styles, fonts and icons, as they travel."""


@pytest.mark.parametrize("door", ["/mine", "/queue", "/tickets/{tierless}"])
def test_a_first_view_with_nothing_kept_travels_light(
    chromium: Browser, shown: Demo, door: str, record_property: Any
) -> None:
    context = shown.context(chromium, "owner", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    kinds: dict[str, str] = {}
    sizes: dict[str, float] = {}
    wire.on("Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["type"]}))
    wire.on(
        "Network.loadingFinished",
        lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}),
    )
    page.goto(shown.path(door), wait_until="networkidle")
    page.evaluate("document.fonts.ready")
    context.close()
    document = sum(size for request, size in sizes.items() if kinds[request] == "Document")
    record_property("bytes", f"{sum(sizes.values()) - document:.0f}, and {document:.0f} of page as it is")
    assert {"Document", "Stylesheet", "Script", "Font"} <= set(kinds.values())
    assert sum(sizes.values()) - document < MOST


@pytest.mark.parametrize("language", ["en", "de"])
def test_no_page_is_wider_than_a_phone(chromium: Browser, shown: Demo, language: str) -> None:
    """German is the longest of our languages."""
    speak(shown, language)
    wrong = []
    for who in sorted({one for whos in PAGES.values() for one in whos}):
        context = shown.context(chromium, who, viewport={"width": 390, "height": 844}, locale=language)
        page = context.new_page()
        for door, whos in PAGES.items():
            if who in whos:
                page.goto(shown.path(door))
                if (width := page.evaluate("document.documentElement.scrollWidth")) > 390:
                    wrong.append(f"{door}, {who}: {width} px")
        context.close()
    assert not wrong, "\n".join(wrong)


def speak(shown: Demo, language: str) -> None:
    """Everybody reads this language, and every case is in it."""

    def do(work: Work) -> None:
        for table in (Person, Ticket, Guest, Customer):
            work.session.execute(update(table).values(language=language))

    shown.site.do(do)
