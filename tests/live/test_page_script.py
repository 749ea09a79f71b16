"""static/js/live.js in a real browser, on a page with nothing but what the script needs."""

import asyncio
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.live.house import Doors, MemoryLog, Worker, worker

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>t</title>
<meta name="swarm-live" content='%s'><script type="module" src="/js/live.js"></script>
<style>#box{height:200px;overflow-y:auto} article,[data-pending-bubble]{height:60px}</style></head>
<body data-me="person:1"><p data-live-pill data-text-live="Live" data-text-catching-up="Catching up"
 data-text-offline="Offline" data-text-waiting="Offline, {count} waiting"></p>
<div data-lane><div id="box"><div id="log-room-1">%s</div></div>
<button data-new-messages hidden>New</button></div>
<p data-typing="room:1" data-text-one="{name} is writing" data-text-many="{names} are writing"></p>
<template data-pending="room:1"><article data-author="person:1"><p data-body></p><p data-why></p>
<button data-retry>Retry</button><button data-discard>Discard</button></article></template>
<form data-composer="room:1" action="/post" method="post"><textarea name="body"></textarea>
<input type="hidden" name="client_id" value="x"></form><div id="toasts"></div></body></html>"""


def article(entry: Any) -> str:
    data = entry.data
    return f'<article id="m{entry.seq}" data-seq="{entry.seq}" data-author="{data["by"]}" data-client-id="{data["id"]}">{data["text"]}</article>'  # noqa: E501


class House:
    """A server in a thread that can be stopped and started on the same port."""

    def __init__(self) -> None:
        self.log, self.doors = MemoryLog(), Doors()
        self.doors.let_in("", "person:1", ["room:1"])
        self.refuse: int | None = None
        self.worker: Worker | None = None
        self._loop = asyncio.new_event_loop()
        self._stop: asyncio.Event
        self._thread = threading.Thread(target=self._serve)
        self._ready = threading.Event()

    def say(self, text: str, by: str = "person:2", client_id: str = "") -> int:
        with self.log.lock:
            rows = self.log.rows.setdefault("room:1", [])
            same = [row for row in rows if client_id and row.data["id"] == client_id]
        if same:
            return same[0].seq
        entry = self.log.append("room:1", text)
        entry.data.update(by=by, id=client_id or uuid.uuid4().hex)  # type: ignore[attr-defined]
        assert self.worker is not None
        self.worker.hub.ring([entry])
        return entry.seq

    async def _page(self, request: Request) -> HTMLResponse:
        rows = list(self.log.rows.get("room:1", ()))
        meta = json.dumps({"epoch": "first", "streams": {"room:1": len(rows)}})
        return HTMLResponse(PAGE % (meta, "".join(article(row) for row in rows)))

    async def _post(self, request: Request) -> JSONResponse:
        form = await request.form()
        if self.refuse is not None:
            return JSONResponse({"title": "No", "detail": "Only the owner writes."}, self.refuse)
        return JSONResponse({"n": self.say(str(form["body"]), "person:1", str(form["client_id"]))})

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._run())
        self._loop.close()

    async def _run(self) -> None:
        self._stop = asyncio.Event()
        routes = [
            Route("/", self._page),
            Route("/post", self._post, methods=["POST"]),
            Mount("/js", StaticFiles(directory=ROOT / "static/js")),
        ]

        def render(entries: Any, audience: str, language: str) -> Any:
            return [[["append", "#log-room-1", article(entry)]] for entry in entries]

        async with worker(self.log, self.doors, render=render, routes=routes) as self.worker:
            self._ready.set()
            await self._stop.wait()

    def cut(self) -> None:
        """Reset every socket."""
        assert self.worker is not None
        hub = self.worker.hub

        def abort() -> None:
            for sockets in list(hub.sockets_by_session().values()):
                for one in list(sockets):
                    one.abort()

        self._loop.call_soon_threadsafe(abort)

    def __enter__(self) -> "House":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)


@contextmanager
def open_page(house: House, browser: "Browser") -> Iterator["Page"]:
    context = browser.new_context()
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda problem: problems.append(str(problem)))
    assert house.worker is not None
    page.goto(f"http://127.0.0.1:{house.worker.port}/")
    page.wait_for_selector('[data-live-pill][data-state="live"]')
    yield page
    context.close()
    assert problems == []


def texts(page: "Page") -> list[str]:
    found: list[str] = page.locator("#log-room-1 > article").all_inner_texts()
    return [text.splitlines()[0] for text in found]


def test_events_arrive_are_marked_mine_and_survive_a_cut(chromium: "Browser") -> None:
    with House() as house, open_page(house, chromium) as page:
        house.say("one")
        page.wait_for_selector("#m1")
        house.cut()
        house.say("two", "person:1")
        page.wait_for_selector("#m2.mine")
        page.wait_for_selector('[data-live-pill][data-state="live"]')
        assert texts(page) == ["one", "two"]


def test_what_is_sent_is_pending_then_the_event_itself_once(chromium: "Browser") -> None:
    with House() as house, open_page(house, chromium) as page:
        for text in ("first", "second", "third"):
            page.fill("textarea", text)
            page.keyboard.press("Control+Enter")
        page.wait_for_selector("#m3")
        page.wait_for_selector("[data-pending-bubble]", state="detached")
        assert texts(page) == ["first", "second", "third"]
        assert page.input_value("textarea") == ""


def test_a_failed_send_keeps_the_text_says_why_and_can_be_tried_again(chromium: "Browser") -> None:
    with House() as house, open_page(house, chromium) as page:
        house.refuse = 403
        page.fill("textarea", "let me")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector('[data-pending-bubble][data-state="failed"]')
        assert page.inner_text("[data-why]") == "Only the owner writes."
        page.reload()
        page.wait_for_selector('[data-pending-bubble][data-state="failed"]')
        house.refuse = None
        page.click("[data-retry]")
        page.wait_for_selector("#m1")
        assert texts(page) == ["let me"]


def test_an_error_of_the_server_is_tried_again_with_the_same_id(chromium: "Browser") -> None:
    with House() as house, open_page(house, chromium) as page:
        house.refuse = 503
        page.fill("textarea", "patience")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector('[data-pending-bubble][data-state="waiting"]')
        house.refuse = None
        page.wait_for_selector("#m1")
        assert texts(page) == ["patience"]


def test_a_draft_survives_a_reload(chromium: "Browser") -> None:
    with House() as house, open_page(house, chromium) as page:
        page.fill("textarea", "half a thou")
        page.reload()
        page.wait_for_selector('[data-live-pill][data-state="live"]')
        assert page.input_value("textarea") == "half a thou"


def test_what_is_being_read_does_not_move(chromium: "Browser") -> None:
    with House() as house:
        for number in range(20):
            house.say(str(number))
        with open_page(house, chromium) as page:
            page.evaluate("document.getElementById('box').scrollTop = 100")
            house.say("new")
            page.wait_for_selector("[data-new-messages]:not([hidden])")
            assert page.evaluate("document.getElementById('box').scrollTop") == 100
            page.click("[data-new-messages]")
            page.wait_for_selector("[data-new-messages]", state="hidden")
            house.say("newer")
            page.wait_for_selector("#m22")
            assert (
                page.evaluate(
                    "(b => b.scrollHeight - b.scrollTop - b.clientHeight)(document.getElementById('box'))"
                )
                < 2
            )


def test_too_far_behind_the_piece_is_fetched_anew_and_the_text_kept(chromium: "Browser") -> None:
    with House() as house, open_page(house, chromium) as page:
        page.fill("textarea", "still here")
        page.context.set_offline(True)
        with house.log.lock:
            rows = house.log.rows.setdefault("room:1", [])
        for number in range(310):
            entry = house.log.append("room:1", str(number))
            entry.data.update(by="person:2", id=f"c{number}")  # type: ignore[attr-defined]
        assert len(rows) == 310
        house.cut()
        page.context.set_offline(False)
        page.wait_for_selector("#m310")
        page.wait_for_selector('[data-live-pill][data-state="live"]')
        assert page.input_value("textarea") == "still here"
        assert len(texts(page)) == 310
