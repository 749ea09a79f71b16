"""The main job in four real browsers: a customer, an owner, a specialist, a manager."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from swarm.tickets import queries
from swarm.tickets.models import Message, Ticket
from tests.conftest import witnesses_of
from tests.support.site import Site
from tests.support.town import Town, build

pytestmark = pytest.mark.journey

WITHIN = 10_000
"""Milliseconds after which nobody waits any more; how long it takes, `python -m bench shown` says."""
SHOTS = os.environ.get("SWARM_TEST_SHOTS", "")

LOOK = """() => [
  document.querySelector("[data-live-pill]")?.dataset.state,
  document.body.innerText,
  JSON.stringify({ ...sessionStorage }),
].join("\\n")"""


@dataclass
class Screen:
    """One person's browser: its page, and every byte its sockets and pages were sent."""

    page: Page
    received: list[str] = field(default_factory=list)
    journal: list[str] = field(default_factory=list)
    """Requests and frames, one a line, for the report of a test that fails."""

    def __post_init__(self) -> None:
        begun = monotonic()

        def note(what: str) -> None:
            self.journal.append(f"{monotonic() - begun:7.2f} s  {what[:160]}")

        def socket(opened: Any) -> None:
            note(f"socket to {opened.url}")
            opened.on("framesent", lambda data: note(f"> {data}"))
            opened.on("framereceived", lambda data: note(f"< {data}"))
            opened.on("close", lambda _socket: note("socket closed"))

        self.page.on("websocket", socket)
        self.page.on("response", lambda answer: note(f"{answer.status} {answer.request.method} {answer.url}"))
        self.page.on("requestfailed", lambda asked: note(f"failed: {asked.method} {asked.url}"))
        self.page.on("console", lambda said: note(f"console: {said.text}"))

    def listen(self) -> None:
        """Keep what arrives."""

        def keep_frames(socket: Any) -> None:
            socket.on("framereceived", lambda data: self.received.append(str(data)))

        def keep_answer(response: Any) -> None:
            if "text/" in response.headers.get("content-type", "") and response.status == 200:
                self.received.append(response.text())

        self.page.on("websocket", keep_frames)
        self.page.on("response", keep_answer)

    def tell(self) -> str:
        """What the page shows and keeps, and its journal."""
        shown = self.page.evaluate(LOOK) if self.journal else "nothing was opened"
        return "\n".join([self.page.url, shown, *self.journal[-60:]])

    def shot(self, name: str) -> None:
        """A picture to look at, where SWARM_TEST_SHOTS names a folder."""
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{SHOTS}/{name}.png")


@pytest.fixture
def town(site: Site) -> Town:
    return build(site.store)


@pytest.fixture
def screens(
    site: Site, town: Town, chromium: Browser, request: pytest.FixtureRequest
) -> Iterator[dict[str, Screen]]:
    """Ana asks, Ina owns, Quinn knows, Mona manages; Ada is of tier 1, Cleo of tier 2."""
    opened: dict[str, Screen] = {}
    contexts = []
    for name in ("ana", "ina", "quinn", "mona", "ada", "cleo"):
        context = chromium.new_context(base_url=site.url, viewport={"width": 1440, "height": 900})
        contexts.append(context)
        if name != "ana":
            secret = site.person(town.people[name]).http.cookies["session"]
            context.add_cookies([{"name": "session", "value": secret, "url": site.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"a script failed: {error}"))
        opened[name] = Screen(page)
    witnesses = {f"{name}'s browser": screen.tell for name, screen in opened.items()}
    request.node.stash[witnesses_of] = {"the lanes": lambda: _stored(site), **witnesses}
    yield opened
    for context in contexts:
        context.close()


def _stored(site: Site) -> str:
    said = select(Message.id, Message.lane, Message.seq, Message.author, Message.at, Message.body).order_by(
        Message.id
    )
    return "\n".join(map(str, site.look(lambda work: work.session.execute(said).all())))


def live(page: Page) -> None:
    """The page is connected and caught up."""
    expect(page.locator("[data-live-pill]").first).to_have_attribute("data-state", "live")


def write(page: Page, lane: str, text: str) -> None:
    """Type into a composer and send it."""
    page.locator(f'form[data-composer^="{lane}:"] textarea').fill(text)
    page.locator(f'form[data-composer^="{lane}:"] button[type=submit]').click()


def shows(page: Page, lane: str, text: str, within: int = WITHIN) -> None:
    """The lane shows the text as a stored message, once."""
    line = page.locator(f'[id^="log-{lane}-"] .msg:not([data-pending-bubble])', has_text=text)
    expect(line).to_have_count(1, timeout=within)


def test_an_owner_swarms_and_a_manager_switches(site: Site, town: Town, screens: dict[str, Screen]) -> None:
    ana, ina, quinn = (screens[name] for name in ("ana", "ina", "quinn"))
    ana.listen()

    ana.page.goto("/open")
    ana.page.get_by_label("Your name").fill("Ana Duarte")
    ana.page.get_by_label("E-mail").fill("ana@example.org")
    ana.page.get_by_label("What is it about?").select_option(str(town.teams["hive"]))
    ana.page.get_by_label("Subject").fill("Export stops at 10,000 rows")
    ana.page.get_by_label("What happened?").fill("The nightly export ends after exactly 10,000 rows.")
    ana.page.get_by_role("button", name="Open the ticket").click()
    ana.shot("01-customer-link")
    ana.page.get_by_role("button", name="Open my ticket").click()
    expect(ana.page.get_by_text("looks after this ticket").first).to_be_visible()
    live(ana.page)
    number = int(ana.page.url.rpartition("/")[2])
    assert site.look(lambda work: work.session.get_one(Ticket, number)).owner_id == town.people["hugo"]

    quinn.page.goto("/me")
    ina.page.goto("/queue")
    ina.page.locator("[data-row]", has_text="Export stops").get_by_role("button", name="Take").click()
    ina.page.goto(f"/tickets/{number}")
    live(ina.page)
    expect(ana.page.get_by_text("Ina looks after this ticket").first).to_be_visible()

    ina.page.get_by_text("Ask for help", exact=True).first.click()
    ina.page.get_by_label("Question").fill("Where does the export lose its cursor?")
    ina.page.get_by_label("What was tried").fill("A smaller page, another report")
    ina.page.get_by_label("Network").check()
    expect(ina.page.locator(".proposal .person")).to_have_text([re.compile("Dov.*for Network · free")])
    ina.page.get_by_label("Quinn").check()
    expect(ina.page.locator(".proposal .person")).to_have_text(
        [re.compile("Quinn.*named by you · for Network")]
    )
    ina.shot("02-owner-asks")
    ina.page.get_by_role("button", name="Ask", exact=True).click()

    toast = quinn.page.locator("#toasts .toast", has_text="Where does the export lose its cursor?")
    expect(toast).to_be_visible()
    quinn.shot("03-specialist-is-asked-elsewhere")
    toast.get_by_role("button", name="Accept").click()
    quinn.page.wait_for_url(f"**/tickets/{number}")
    live(quinn.page)
    expect(ina.page.locator("[id^=log-room-]", has_text="accepted and joined")).to_be_visible()

    write(quinn.page, "room", "Since Tuesday the cursor is kept in the worker")
    shows(ina.page, "room", "Since Tuesday the cursor is kept in the worker")
    write(ina.page, "room", "So a restart loses it, room-secret-4711")
    shows(quinn.page, "room", "room-secret-4711")
    write(quinn.page, "room", "Set `export.cursor = database` and run it again")
    shows(ina.page, "room", "export.cursor = database")
    ina.shot("04-owner-in-the-swarm")
    quinn.shot("05-specialist-in-the-swarm")

    write(ina.page, "lane", "It runs completely now, Ana: please look.")
    shows(ana.page, "lane", "It runs completely now")
    ana.shot("06-customer-is-answered")

    answer = ina.page.locator(".msg", has_text="export.cursor = database")
    for marking in ("Mark as the answer", "Not the answer", "Mark as the answer"):
        answer.hover()
        answer.get_by_role("button", name=marking).click()
    expect(ina.page.locator(".msg.answer", has_text="export.cursor")).to_be_visible()
    expect(quinn.page.locator(".msg.answer", has_text="export.cursor")).to_be_visible()
    ina.page.get_by_role("button", name="Resolve").click()
    expect(ina.page.locator(".head", has_text="Resolved")).to_be_visible()
    expect(ina.page.locator(".head", has_text="Quinn")).to_be_visible()
    expect(ana.page.locator("#case-head", has_text="Resolved")).to_be_visible()
    ina.shot("07-resolved")

    write(ana.page, "lane", "It stopped again this night.")
    shows(ina.page, "lane", "It stopped again this night.")
    expect(ina.page.locator(".head .pill", has_text="Open")).to_be_visible()
    write(ina.page, "lane", "The fix was rolled back; it is in again.")
    shows(ana.page, "lane", "it is in again")
    ina.page.get_by_role("button", name="Resolve").click()
    expect(ana.page.locator("#case-head", has_text="Resolved")).to_be_visible()
    ana.shot("08-customer-resolved-again")

    everything = "\n".join(ana.received)
    assert "It runs completely now" in everything, "the net must hold something"
    for inside in (
        "room-secret-4711",
        "cursor is kept in the worker",
        "lose its cursor",
        "smaller page",
        "Quinn",
    ):
        assert inside not in everything
    assert f"room:{number}" not in everything


def test_a_switch_shows_everywhere_and_a_ticket_climbs_once(
    site: Site, town: Town, screens: dict[str, Screen]
) -> None:
    mona, ada, cleo = (screens[name] for name in ("mona", "ada", "cleo"))
    before = town.open("ladder")
    ada.page.goto(f"/tickets/{before}")
    live(ada.page)
    cleo.page.goto("/teams")
    ada.page.get_by_role("button", name="Take").click()
    expect(ada.page.locator(".head", has_text="Owner: Ada")).to_be_visible()

    ada.page.keyboard.press("s")
    expect(ada.page.locator("#toasts", has_text="tiered")).to_be_visible()
    ada.page.keyboard.press("e")
    ada.page.get_by_label("Reason").fill("Needs the firewall's logs")
    ada.page.get_by_label("Hand-over note").fill("Other cable, other port: the same.")
    ada.shot("10-escalate")
    ada.page.locator(".head form[action$=escalation] button[type=submit]").click()
    expect(ada.page.locator(".head", has_text="Waits for tier 2")).to_be_visible()

    cleo.page.goto("/queue")
    cleo.page.locator("[data-row]", has_text="printer").get_by_role("link").first.click()
    live(cleo.page)
    cleo.page.get_by_role("button", name="Take").click()
    expect(cleo.page.locator(".head", has_text="Owner: Cleo")).to_be_visible()
    expect(ada.page.locator(".head", has_text="Owner: Cleo")).to_be_visible()
    ada.shot("11-tier-1-follows")
    assert town.owners(before) == ["lena", "ada", "cleo"]

    cleo.page.goto("/teams")
    live_row = cleo.page.locator(f"#team-{town.teams['ladder']}")
    mona.page.goto("/teams")
    row = mona.page.locator(f"#team-{town.teams['ladder']}")
    row.locator("label[data-policy=tierless]").click()
    row.get_by_label("Why").fill("Two weeks' trial")
    mona.shot("12-manager-switches")
    row.get_by_role("button", name="Change for new tickets").click()
    expect(live_row.locator("input[value=tierless]")).to_be_checked()
    expect(cleo.page.locator("#toasts", has_text="Tierless")).to_be_visible()
    expect(ada.page.locator("#toasts", has_text="Tierless")).to_be_visible()
    cleo.shot("13-open-screens-show-it")

    after = town.open("ladder")
    modes = site.look(lambda work: {id_: work.session.get_one(Ticket, id_).mode for id_ in (before, after)})
    assert modes == {before: "tiered", after: "tierless"}
    cleo.page.goto("/tickets")
    rows = cleo.page.locator("[data-row]")
    expect(rows).to_have_count(2)
    expect(cleo.page.locator("[data-row] .mode.tiered")).to_have_count(1)
    expect(cleo.page.locator("[data-row] .mode.tierless")).to_have_count(1)
    cleo.shot("14-one-list")
    assert site.look(lambda work: len(queries.chain(work.session, before))) == 3
