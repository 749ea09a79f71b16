"""No page of the demo gives a screen reader, a keyboard or weak eyes anything that axe knows to be wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page
from starlette.routing import Route

from swarm.routes import ROUTES
from tests.looks.conftest import Demo
from tests.looks.walk import NO_PAGES, PAGES

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
Scheme = Literal["light", "dark"]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def violations(page: Page) -> list[str]:
    """A line for everything that axe finds."""
    # Evaluated by the debugger, past the page's own policy.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}}).then(it => it.violations)", RULES
    )
    return [
        f"{one['id']}: {node['target']} {node['failureSummary'].splitlines()[-1].strip()[:160]}"
        for one in found
        for node in one["nodes"]
    ]


def open_everything(page: Page) -> None:
    """What a click would unfold stands open, menus apart, which would cover the rest."""
    page.evaluate("for (const one of document.querySelectorAll('details:not(.popover)')) one.open = true")


@pytest.fixture(params=["wide in light", "narrow in dark"])
def eyes(request: pytest.FixtureRequest) -> Iterator[tuple[dict[str, int], Scheme]]:
    yield (WIDE, "light") if "light" in request.param else (NARROW, "dark")


def test_every_page_is_walked() -> None:
    doors = {
        route.path
        for route in ROUTES
        if isinstance(route, Route) and "GET" in (route.methods or ()) and not route.path.startswith("/api/")
    }
    walked = {re.sub(r"\{\w+\}", "{}", path.partition("?")[0]) for path in PAGES}

    def walk(door: str) -> str:
        door = door.replace("{lane}", "room" if "/guest" in door else "lane")
        return re.sub(r"\{[\w:]+\}", "{}", door)

    assert {door for door in doors - set(NO_PAGES) if walk(door) not in walked} == set()
    assert set(NO_PAGES) <= doors


def test_no_page_has_a_violation(chromium: Browser, shown: Demo, eyes: tuple[dict[str, int], Scheme]) -> None:
    viewport, scheme = eyes
    wrong = []
    for who in sorted({one for whos in PAGES.values() for one in whos}):
        context = shown.context(chromium, who, viewport=viewport, color_scheme=scheme)
        page = context.new_page()
        for door, whos in PAGES.items():
            if who in whos:
                answer = page.goto(shown.path(door))
                assert answer is not None
                assert answer.status in ((404, 410) if "nothing" in door else (200,)), (
                    f"{door}, {who}: {answer.status}"
                )
                open_everything(page)
                wrong += [f"{door}, {who}: {one}" for one in violations(page)]
        context.close()
    assert not wrong, "\n".join(wrong)
