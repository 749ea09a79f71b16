"""People who work beside a demo's visitors: while somebody looks, at a person's pace, never as a visitor."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Coroutine
from contextlib import suppress

import httpx2
import msgspec
import structlog

from swarm.simulation.browsing import Browser, Failed, connections_of
from swarm.simulation.colleagues import CAME_SECOND, Account, Colleague
from swarm.simulation.customers import CustomerLife
from swarm.simulation.figures import Figures
from swarm.simulation.pages import Form, Page
from swarm.simulation.running import NotSwarm, demo_accounts
from swarm.simulation.stage import ADDRESSES, Stage
from swarm.simulation.stories import Customer, Story, read
from swarm.simulation.town import Case, Town

LOOKS = 1.0
"""Seconds between two questions whether to work."""
MOST_OPEN = 7
"""Cases at a time: more would hide what a visitor does."""
BETWEEN = (12.0, 30.0)
"""Seconds between two customers."""
STRANGERS = 45.0
"""Seconds in which a visitor may take a ticket that a visitor opened."""
WARMING = 30.0
"""Seconds after the start in which they work unseen, so that the first visitor comes into something."""
STALE = 1800.0
"""Seconds after which a case is left as it is."""
GREETING = 120.0
"""Seconds in which somebody asks a new visitor by name, tried so often:"""
TRIES_EVERY = 2.0
TYPING = 8.0
"""Seconds at most: a visitor looks at more than one person."""
WATCHING = ("Manager", "Administrator")
"""Who does not work on tickets, by the words of the sign-in page."""
KEPT = 1000
"""So many measurements are kept, for a demo has no end."""

_log = structlog.get_logger(__name__)


class Neighbour(Colleague):
    """Somebody of the demo whom no visitor is: helps visitors, too."""

    def __init__(self, town: Town, account: Account) -> None:
        super().__init__(town, account)
        self._left: set[str] = set()
        """What stood there when this one came: it is for visitors."""
        self._since: dict[int, float] = {}
        self._looked = False

    async def live(self) -> None:
        """Until cancelled; goes on with what is this one's."""
        with suppress(Failed):
            if not self.window.me:
                await self.enter()
            for case in self.town.cases.values():
                if case.owner == self.account and not case.resolved and not case.handed_on:
                    self._begin(self._work(case))
        await super().live()

    async def greet(self, visitor: str) -> bool:
        """Ask a visitor by name on one of this one's tickets; whether that could be done."""
        mine = [one for one in self.town.cases.values() if one.owner == self.account]
        for case in sorted(mine, key=lambda one: one.story.language != "en"):
            place = f"/tickets/{case.number}"
            form = (await self.browser.page(place)).form(f"{place}/asks")
            if form is None or visitor not in (value for value, _words in form.choices.get("people", ())):
                continue
            fields = {**form.fields, "question": case.story.question, "tried": case.story.tried}
            done = await self.browser.post(form.action, {**fields, "people": [visitor]}, (*CAME_SECOND, 422))
            if done.status == 303:
                self._begin(self._heed(case))
                return True
        return False

    async def _heed(self, case: Case) -> None:
        """Wait for what the visitor says, and thank for it."""
        place, room = f"/tickets/{case.number}", f"room:{case.number}"
        await self._show(place)
        if await self.window.hears(room, self.window.heard(room), 300):
            await self.town.think(3)
            await self.write(f"{place}/room/messages", room, self.town.stories.heeding)

    async def _look(self) -> None:
        if not self.window.me:
            await self.enter()
        if not self._looked:
            for place in ("/asked", "/queue"):
                page = await self.browser.page(place)
                self._left.update(form.action for form in page.forms)
            self._left -= {f"/tickets/{number}/owner" for number in self.town.cases}
            self._looked = True
        called, stirred = self.window.called.is_set(), self.window.stirred.is_set()
        self.window.called.clear()
        self.window.stirred.clear()
        if called or not stirred:
            await self._answer_asks(await self.browser.page("/asked"))
        if len(self._cases) < 2 and (not stirred or self.town.dice.random() < 0.5):
            await self._take(await self.browser.page("/queue"))
        await self._rest()

    async def _rest(self) -> None:
        """Until something stirs; a person looks up now and then without that, too."""
        await self.town.think(2)
        waits = [asyncio.create_task(one.wait()) for one in (self.window.called, self.window.stirred)]
        await asyncio.wait(waits, timeout=self.town.dice.uniform(10, 30), return_when=asyncio.FIRST_COMPLETED)
        for one in waits:
            one.cancel()

    async def _answer_asks(self, page: Page) -> None:
        await super()._answer_asks(page)
        for form in page.forms_to("/acceptance"):
            number = int(form.action.split("/")[2])
            if number not in self._seen and form.action not in self._left:
                self._seen.add(number)
                self._begin(self._lend_a_hand(form))

    async def _lend_a_hand(self, form: Form) -> None:
        """Accept what a visitor asks, and talk it over in the room."""
        await self.town.think(3)
        done = await self.browser.post(form.action, form.fields, CAME_SECOND)
        if done.status != 303:
            return
        place = done.place
        room = f"room:{place.rpartition('/')[2]}"
        await self._show(place)
        await self._talk(f"{place}/room/messages", room, self.town.stories.helping)
        await self.browser.post(f"{place}/leaving", {}, CAME_SECOND)
        await self.window.close(room, room.replace("room", "lane"))

    async def _take(self, page: Page) -> None:
        await super()._take(page)
        for form in page.forms_to("/owner"):
            number = int(form.action.split("/")[2])
            if number in self.town.cases or form.action in self._left:
                continue
            since = self._since.setdefault(number, time.monotonic())
            if time.monotonic() - since > STRANGERS:
                del self._since[number]
                self._left.add(form.action)
                if (await self.browser.post(form.action, form.fields, CAME_SECOND)).status == 303:
                    self._begin(self._serve(number))

    async def _serve(self, number: int) -> None:
        """Answer a visitor who came as a customer."""
        place, lane = f"/tickets/{number}", f"lane:{number}"
        await self._show(place)
        await self._talk(f"{place}/lane/messages", lane, self.town.stories.serving)
        await self.window.close(lane, f"room:{number}")

    async def _talk(self, door: str, stream: str, lines: tuple[str, ...]) -> None:
        """A line, then another after each answer, as long as there are lines and answers."""
        await self.town.think(3)
        for line in lines:
            before = self.window.heard(stream)
            await self.write(door, stream, line)
            if not await self.window.hears(stream, before, 300):
                return
            await self.town.think(4)


class Caller(CustomerLife):
    """A customer with one case, of a team that is given or of any."""

    def __init__(self, town: Town, team: str = "") -> None:
        super().__init__(town, 0)
        self._only = team

    async def live(self) -> None:
        """Until it is resolved."""
        async with self.window.kept():
            with suppress(Failed):
                case = await self._open()
                if case is not None:
                    await self._follow(case)

    def _story(self) -> Story:
        fitting = [
            one for one in self.town.stories.stories if one.team == self._only and one.language == "en"
        ]
        return self.town.dice.choice(fitting) if fitting else super()._story()

    def _address(self, who: Customer) -> str:
        name = "".join(letter if letter.isalnum() else "-" for letter in who.name.lower())
        return f"{name.encode('ascii', 'ignore').decode()}{ADDRESSES}"


class Living:
    """Who is on stage now."""

    def __init__(self, url: str, dice: random.Random, connections: httpx2.AsyncHTTPTransport) -> None:
        figures = Figures(keeps=KEPT)
        self.town = Town(url, 1.0, dice, read(), figures, connections, float("inf"), longest_typing=TYPING)
        self._asking = Browser(url, figures, connections)
        self._neighbours: dict[int, Neighbour] = {}
        self._texts: dict[int, str] = {}
        """What the sign-in page says of them."""
        self._lives: dict[int, asyncio.Task[None]] = {}
        self._callers: set[asyncio.Task[None]] = set()
        self._next_caller = 0.0
        self._warm_until = 0.0
        self._greeting: dict[int, float] = {}
        """Until when, by visitor."""
        self._next_try = 0.0

    async def run(self) -> None:
        """Until cancelled, or the server says it is no demo. Raises `NotSwarm`."""
        await self._until_served()
        accounts = await demo_accounts(self.town.url, self.town.connections)
        self._texts = {int(one.key): one.text for one in accounts}
        self._neighbours = {
            int(one.key): Neighbour(self.town, one)
            for one in accounts
            if not any(role in one.text for role in WATCHING)
        }
        self.town.teams = frozenset(
            story.team
            for story in self.town.stories.stories
            if any(story.team in one.text for one in accounts)
        )
        self._warm_until = time.monotonic() + WARMING
        taken: set[int] = set()
        while True:
            stage = await self._stage()
            if stage is not None:
                self._set(stage)
                if stage.on:
                    self._welcome(set(stage.taken) - taken)
                taken = set(stage.taken)
                if stage.on and time.monotonic() >= self._next_try:
                    self._next_try = time.monotonic() + TRIES_EVERY
                    await self._greet(taken)
            await asyncio.sleep(LOOKS)

    def _set(self, stage: Stage) -> None:
        """Everybody to their place."""
        at_work = stage.on and (stage.visited or time.monotonic() < self._warm_until)
        for number, neighbour in self._neighbours.items():
            life = self._lives.get(number)
            if at_work and number not in stage.taken:
                if life is None or life.done():
                    self._lives[number] = _kept(neighbour.live())
            elif life is not None:
                life.cancel()
                del self._lives[number]
        stale = time.monotonic() - STALE
        for number, case in list(self.town.cases.items()):
            if case.resolved or case.opened < stale:
                del self.town.cases[number]
                self.town.asked.pop(number, None)
        if not at_work:
            for caller in self._callers:
                caller.cancel()
        elif time.monotonic() >= self._next_caller and self._open_cases(stage) < MOST_OPEN:
            self._next_caller = time.monotonic() + self.town.dice.uniform(*BETWEEN)
            self._call()

    def _call(self, team: str = "") -> None:
        caller = _kept(Caller(self.town, team).live())
        self._callers.add(caller)
        caller.add_done_callback(self._callers.discard)

    def _open_cases(self, stage: Stage) -> int:
        """How many wait or are worked on, but for those that a visitor has now."""
        taken = {str(number) for number in stage.taken}
        return sum(case.owner not in taken for case in self.town.cases.values())

    def _welcome(self, visitors: set[int]) -> None:
        """Something happens for a newcomer at once: a customer comes to their team."""
        for visitor in visitors:
            self._greeting[visitor] = time.monotonic() + GREETING
            self._call(next((team for team in self.town.teams if team in self._texts.get(visitor, "")), ""))

    async def _greet(self, taken: set[int]) -> None:
        """Somebody asks each new visitor by name, once somebody has a ticket to ask about."""
        now = time.monotonic()
        self._greeting = {one: until for one, until in self._greeting.items() if one in taken and now < until}
        for visitor in list(self._greeting):
            for number in list(self._lives):
                with suppress(Failed):
                    if await self._neighbours[number].greet(str(visitor)):
                        del self._greeting[visitor]
                        break

    async def _stage(self) -> Stage | None:
        try:
            answer = await self._asking.client.get("/demo/stage")
            return msgspec.json.decode(answer.content, type=Stage) if answer.status_code == 200 else None
        except (httpx2.HTTPError, msgspec.DecodeError):
            return None

    async def _until_served(self) -> None:
        while await self._stage() is None:  # noqa: ASYNC110 (a server that starts tells nobody)
            await asyncio.sleep(LOOKS)


def _kept(life: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """A task whose failure is told."""

    def told(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (failure := task.exception()) is not None:
            _log.warning("simulated_person_failed", failure=f"{type(failure).__name__}: {failure}")

    task = asyncio.create_task(life)
    task.add_done_callback(told)
    return task


async def beside(url: str) -> None:
    """Work beside the visitors of the demo at `url`, until cancelled."""
    async with connections_of(20) as connections:
        with suppress(NotSwarm):
            await Living(url, random.Random(), connections).run()  # noqa: S311 (chance, no secret)
