"""A colleague's page in a real browser behind the fault proxy: what it must keep, what it shows at last."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, ViewportSize, expect
from sqlalchemy import select, text

from swarm.accounts.actions import start_session
from swarm.events import SYSTEM
from swarm.store import Work
from swarm.tickets import actions as tickets
from swarm.tickets.models import Message
from swarm.tickets.posting import LaneKey, post
from tests.faults.proxy import BOTH, Mode, Proxy, Way, proxied
from tests.support.app import App
from tests.support.town import Town

PATIENCE = 40_000
"""Milliseconds in which a page must have come back."""
SHOTS = os.environ.get("SWARM_TEST_SHOTS", "")
WIDE: ViewportSize = {"width": 1440, "height": 900}
HALF = "I found the cause, and it is"
CARET = 12
PILL = "[data-live-pill]"
WATCH = """() => {
  const logs = [...document.querySelectorAll('[id^="log-"]')];
  window.kept = {states: [], twice: []};
  const pill = document.querySelector('[data-live-pill]');
  new MutationObserver(() => kept.states.push(pill.dataset.state))
    .observe(pill, {attributes: true, attributeFilter: ['data-state']});
  const look = () => {
    for (const log of logs) {
      const ids = [...log.querySelectorAll('[data-client-id]')].map((one) => one.dataset.clientId);
      kept.twice.push(...ids.filter((id, at) => id && ids.indexOf(id) !== at));
    }
  };
  for (const log of logs) new MutationObserver(look).observe(log, {childList: true, subtree: true});
}"""
STANDS = """(id) => {
  const scroll = document.querySelector('[id^="log-lane-"]').closest('[data-scroll]');
  const area = document.querySelector('form[data-composer^="lane:"] textarea[name=body]');
  const read = document.getElementById(id);
  return {
    at: Math.round(read.getBoundingClientRect().top - scroll.getBoundingClientRect().top),
    typed: area.value, caret: [area.selectionStart, area.selectionEnd],
    focused: document.activeElement === area,
  };
}"""
_numbers = count(1)


class Line:
    """The proxy on a thread of its own, since the browser's driver keeps this one."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()))
        self._proxy: Proxy
        self._stop: asyncio.Event

    @property
    def url(self) -> str:
        """Where the browser goes."""
        return self._proxy.url

    def set(self, mode: Mode) -> None:
        """From now on."""
        self._call(lambda: self._proxy.set(mode))

    def reset(self) -> None:
        """Cut every connection with an RST."""
        self._call(self._proxy.reset)

    def half_close(self, *ways: Way) -> None:
        """Say goodbye in these directions."""
        self._call(lambda: self._proxy.half_close(ways or BOTH))

    def forget(self, *ways: Way) -> None:
        """Lose what today's connections carry, for ever."""
        self._call(lambda: self._proxy.forget(ways or BOTH))

    def _call(self, do: Callable[[], None]) -> None:
        async def done() -> None:
            do()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result(10)

    async def _serve(self) -> None:
        async with AsyncExitStack() as stack:
            self._proxy = await stack.enter_async_context(proxied(self._target))
            self._stop = asyncio.Event()
            self._ready.set()
            await self._stop.wait()

    def __enter__(self) -> Line:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        self._loop.close()


def until(condition: Callable[[], object], patience: float = PATIENCE / 1000) -> None:
    """Wait for what no page announces."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@contextmanager
def asleep() -> Iterator[None]:
    """Every process of this test's browser stands still, as when a laptop is shut."""
    ours = psutil.Process().children(recursive=True)
    tree = [one for one in ours if "chrom" in one.name()]
    assert len(tree) > 2, "there is no browser"
    try:
        for one in tree:
            one.send_signal(signal.SIGSTOP)
        yield
    finally:
        for one in tree:
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGCONT)


@dataclass
class Desk:
    """Ina owns a ticket and works on its page; Hugo and the others write from elsewhere."""

    town: Town
    app: App
    line: Line
    page: Page
    ticket: int
    reading: str
    """The id of the line that she reads, in the middle of the customer lane."""
    before: dict[str, Any] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def write(self, lane: str, words: str) -> None:
        """Type into a composer and send it."""
        form = self.page.locator(f'form[data-composer^="{lane}:"]')
        form.locator("textarea[name=body]").fill(words)
        form.get_by_role("button", name="Send").click()

    def others_write(self, some: int = 3) -> None:
        """In both lanes, from another process, whether swarm runs or not."""
        for _each in range(some):
            sides: tuple[tuple[str, LaneKey], ...] = (("hugo", "room"), ("ina", "lane"))
            for who, lane in sides:
                say(self.town, who, self.ticket, lane, f"meanwhile {next(self.numbers)}.")

    def type_half(self) -> None:
        """Half a sentence, the caret in the middle of it, older lines in view."""
        area = self.page.locator('form[data-composer^="lane:"] textarea[name=body]')
        area.fill(HALF)
        area.evaluate(f"(area) => area.setSelectionRange({CARET}, {CARET})")
        self.page.locator(f"#{self.reading}").evaluate("(line) => line.scrollIntoView({block: 'center'})")
        self.before = self.stands()
        assert self.before["focused"] and self.before["typed"] == HALF

    def stands(self) -> dict[str, Any]:
        """Where eyes and hands are."""
        found: dict[str, Any] = self.page.evaluate(STANDS, self.reading)
        return found

    def away(self) -> None:
        """Wait until the page says that it is."""
        until(lambda: self.page.evaluate("kept.states.includes('offline')"))

    def sees(self, words: str) -> None:
        """Wait until this stands in the room."""
        expect(self.page.locator('[id^="log-room-"]')).to_contain_text(words, timeout=PATIENCE)

    def says(self, state: str) -> None:
        """Wait until the page shows this."""
        expect(self.page.locator(PILL).first).to_have_attribute("data-state", state, timeout=PATIENCE)

    def connections(self) -> int:
        """How many swarm has."""
        found = psutil.Process(self.app.pid).net_connections("tcp")
        here = [one for one in found if one.laddr.port == self.app.port]
        return sum(one.status == psutil.CONN_ESTABLISHED for one in here)

    def settle(self) -> None:
        """Leave the socket, and one connection that the browser keeps for what comes next."""
        until(lambda: self.connections() <= 1)
        self.write("room", "before.")
        self.sees("before.")
        self.type_half()

    def stored(self, lane: str) -> list[str]:
        """What stands in the database, in order."""

        def look(work: Work) -> list[str]:
            rows = select(Message.body).where(Message.ticket_id == self.ticket, Message.lane == lane)
            return list(work.session.scalars(rows.order_by(Message.seq)))

        return self.town.store.read_now(SYSTEM, look)

    def shown(self, lane: str) -> list[str]:
        """What stands on the page."""
        lines = self.page.locator(f'[id^="log-{lane}-"] .msg:not([data-pending-bubble]) [data-body]')
        return [re.sub(r"\s+", " ", words).strip() for words in lines.all_text_contents()]

    def has_come_back(self, *sent: str) -> None:
        """Everything stands there once and in order, nothing was reloaded, nothing under her hands moved."""
        for lane in ("room", "lane"):
            self._together(lane)
        self.says("live")
        expect(self.page.locator("[data-pending-bubble]")).to_have_count(0, timeout=PATIENCE)
        for lane in ("room", "lane"):
            self._together(lane)
        assert self.page.evaluate("window.marked") == self.ticket, "the page was reloaded"
        assert self.page.evaluate("kept.twice") == []
        assert self.stands() == self.before
        for words in sent:
            assert self.stored("room").count(words) == 1

    def _together(self, lane: str) -> None:
        end = time.monotonic() + PATIENCE / 1000
        while (shown := self.shown(lane)) != (stored := self.stored(lane)):
            assert time.monotonic() < end, f"{lane}: shown {shown[-9:]}, stored {stored[-9:]}"
            self.page.wait_for_timeout(50)

    def shots(self, name: str) -> None:
        """Pictures to look at, where SWARM_TEST_SHOTS names a folder."""
        if not SHOTS:
            return
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        for width, height in ((1440, 900), (390, 844)):
            for scheme in ("light", "dark"):
                self.page.set_viewport_size({"width": width, "height": height})
                self.page.emulate_media(color_scheme=scheme)
                self.page.screenshot(path=f"{SHOTS}/{name}-{width}-{scheme}.png")
        self.page.set_viewport_size(WIDE)
        self.type_half()


def say(town: Town, who: str, ticket: int, lane: LaneKey, words: str) -> None:
    """A message by somebody who may write there, stored and nothing else."""
    town.act(who, post, ticket, lane, words, f"{who}-{next(_numbers)}")


@contextmanager
def desk(town: Town, app: App, browser: Browser) -> Iterator[Desk]:
    """A page of Ina's, live, with half a sentence typed."""
    ticket = town.open("hive")
    town.act("ina", tickets.take, ticket)
    _join(town, ticket)
    for number in range(30):
        say(town, "ina", ticket, "lane", f"earlier {number}.")
    for number in range(5):
        say(town, "hugo", ticket, "room", f"earlier {number}.")
    secret = town.store.write_now(
        SYSTEM, lambda work: start_session(work, town.people["ina"], days=1, idle_hours=12)
    )
    problems: list[str] = []
    with Line(app.port) as line:
        context = browser.new_context(base_url=line.url, viewport=WIDE)
        context.add_cookies([{"name": "session", "value": secret, "url": line.url}])
        page = context.new_page()
        page.on("pageerror", lambda problem: problems.append(str(problem)))
        page.goto(f"/tickets/{ticket}")
        middle = page.locator('[id^="log-lane-"] .msg').nth(12).get_attribute("id")
        assert middle
        made = Desk(town, app, line, page, ticket, middle)
        made.says("live")
        page.evaluate(WATCH)
        page.evaluate(f"window.marked = {ticket}")
        made.type_half()
        try:
            yield made
        finally:
            context.close()
    assert problems == []


def _join(town: Town, ticket: int) -> None:
    from swarm.rooms.actions import raise_hand

    town.act("hugo", raise_hand, ticket)


def set_epoch(town: Town, epoch: str) -> None:
    """Say that this is another life of the database, as a restore does."""
    town.store.write_now(
        SYSTEM,
        lambda work: work.session.execute(text("UPDATE instance SET epoch = :epoch"), {"epoch": epoch}),
    )


__all__: Sequence[str] = ["Desk", "Line", "asleep", "desk", "say", "set_epoch", "until"]
