"""Colleagues: take tickets, answer, ask or escalate, help in rooms, resolve; others only read along."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass

from swarm.simulation.browsing import Failed, SignedOut
from swarm.simulation.pages import Form, Page
from swarm.simulation.town import Case, Person, Town

MOST_CASES = 3
CAME_SECOND = (303, 403, 409)
"""Somebody else was faster, or what the page offered is over: no error."""


@dataclass(frozen=True, slots=True)
class Account:
    """How somebody signs in: by which form, with what."""

    key: str
    door: str
    fields: Mapping[str, str]
    text: str = ""
    """What the sign-in page says of who it is."""


class Colleague(Person):
    """Somebody who works here."""

    def __init__(self, town: Town, account: Account) -> None:
        super().__init__(town)
        self.account = account.key
        self._way = account
        self._cases: set[asyncio.Task[None]] = set()
        self._seen: set[int] = set()

    async def live(self) -> None:
        """Until the run is over: looks at what is asked and waits when something stirs, or so."""
        async with self.window.kept():
            try:
                while not self.town.over:
                    try:
                        await self._look()
                    except SignedOut:
                        self.window.me = ""
                        await self.town.think(3)
                    except Failed:
                        await self.town.think(3)
                await asyncio.gather(*self._cases)
            finally:
                for task in self._cases:
                    task.cancel()

    async def enter(self) -> None:
        """Sign in. Raises `Failed`."""
        await self.browser.post(self._way.door, {**self._way.fields, "next": "/mine"})
        await self.window.open(await self.browser.page("/mine"))

    async def tidy(self, case: Case) -> None:
        """Resolve what is left, taking it where nobody has. Raises `Failed`."""
        place = f"/tickets/{case.number}"
        page = await self.browser.page(place)
        if (form := page.form(f"{place}/owner")) is not None and case.owner != self.account:
            await self.browser.post(form.action, form.fields, CAME_SECOND)
            page = await self.browser.page(place)
        if page.form(f"{place}/resolution") is not None:
            done = await self.browser.post(f"{place}/resolution", {}, CAME_SECOND)
            if done.status == 303:
                case.resolved = True
                self.town.figures.counts["tidied"] += 1

    async def _look(self) -> None:
        if not self.window.me:
            await self.enter()
        self.window.stirred.clear()
        await self._answer_asks(await self.browser.page("/asked"))
        if len(self._cases) < MOST_CASES:
            await self._take(await self.browser.page("/queue"))
        try:
            async with asyncio.timeout(self.town.dice.uniform(5, 12) / self.town.pace):
                await self.window.stirred.wait()
        except TimeoutError:
            return
        await self.town.think(2)

    async def _take(self, page: Page) -> None:
        offered = [
            (form, case)
            for form in page.forms_to("/owner")
            if (case := self.town.cases.get(int(form.action.split("/")[2]))) is not None and not case.resolved
        ]
        if not offered:
            return
        form, case = self.town.dice.choice(offered)
        await self.town.think(2)
        if (await self.browser.post(form.action, form.fields, CAME_SECOND)).status != 303:
            self.town.figures.counts["second"] += 1
            return
        self.town.figures.counts["handoffs" if case.handed_on else "taken"] += 1
        case.owner, case.handed_on = self.account, False
        self._begin(self._work(case))

    async def _work(self, case: Case) -> None:
        place, lane, room = f"/tickets/{case.number}", f"lane:{case.number}", f"room:{case.number}"
        page = await self._show(place)
        case.mode = "tierless" if page.form(f"{place}/asks") else "tiered"
        before = self.window.heard(lane)
        if not case.answered:
            await self.write(f"{place}/lane/messages", lane, case.story.first)
            self.town.figures.seconds["first_answer"].append(time.monotonic() - case.opened)
            case.answered = True
            await self._hear(lane, before)
        if (form := page.form(f"{place}/asks")) is not None and self.town.dice.random() < 0.8:
            await self._ask(case, form, room)
        elif page.form(f"{place}/escalation") is not None and self.town.dice.random() < 0.4:
            await self._escalate(case)
            await self.window.close(lane, room)
            return
        before = self.window.heard(lane)
        await self.write(f"{place}/lane/messages", lane, case.story.solution)
        await self._hear(lane, before)
        if (await self.browser.post(f"{place}/resolution", {}, CAME_SECOND)).status == 303:
            case.resolved = True
            self.town.figures.counts[f"resolved_{case.mode}"] += 1
        await self.window.close(lane, room)

    async def _hear(self, stream: str, before: int) -> bool:
        return await self.window.hears(stream, before, 60 / self.town.pace)

    async def _ask(self, case: Case, form: Form, room: str) -> None:
        whom = self._whom(case, form)
        await self.town.think(6)
        before = self.window.heard(room)
        fields = {**form.fields, "question": case.story.question, "tried": case.story.tried}
        self.town.asked[case.number] = time.monotonic()
        await self.browser.post(form.action, {**fields, **whom})
        self.town.figures.counts["asks"] += 1
        if not await self._hear(room, before):
            return
        await self.town.think(3)
        page = await self.browser.page(f"/tickets/{case.number}")
        answers = page.form(f"/tickets/{case.number}/answer")
        others = [one for one in answers.buttons if one.author != self.window.me] if answers else []
        if answers and others:
            chosen = {others[-1].name: others[-1].value}
            await self.browser.post(answers.action, {**answers.fields, **chosen}, CAME_SECOND)

    def _whom(self, case: Case, form: Form) -> dict[str, Sequence[str]]:
        """Who knows what the story is about; where nobody is said to, anybody who may be asked."""
        skill = form.value_of("skills", case.story.skill)
        if skill is not None:
            return {"skills": [skill]}
        for name in ("people", "skills"):
            if form.choices.get(name):
                return {name: [self.town.dice.choice(form.choices[name])[0]]}
        return {}

    async def _escalate(self, case: Case) -> None:
        place = f"/tickets/{case.number}"
        form = (await self.browser.page(place)).form(f"{place}/escalation")
        if form is None:
            return
        await self.town.think(8)
        fields = {**form.fields, "reason": case.story.reason, "note": case.story.note}
        if (await self.browser.post(form.action, fields, CAME_SECOND)).status == 303:
            self.town.figures.counts["escalated"] += 1
            case.handed_on = True

    async def _answer_asks(self, page: Page) -> None:
        for form in page.forms_to("/acceptance"):
            number = int(form.action.split("/")[2])
            if number in self._seen or _ticket(form.about) not in self.town.cases:
                continue
            self._seen.add(number)
            await self._answer_ask(form, number)

    async def _answer_ask(self, form: Form, number: int) -> None:
        chance = self.town.dice.random()
        await self.town.think(3)
        if chance < 0.08:
            self.town.figures.counts["unanswered"] += 1
        elif chance < 0.22:
            why = self.town.dice.choice(self.town.stories.declines)
            done = await self.browser.post(f"/invitations/{number}/refusal", {"why": why}, CAME_SECOND)
            self.town.figures.counts["declined" if done.status == 303 else "second"] += 1
        else:
            done = await self.browser.post(form.action, form.fields, CAME_SECOND)
            if done.status != 303:
                self.town.figures.counts["second"] += 1
                return
            self.town.figures.counts["accepted"] += 1
            ticket = int(done.place.rpartition("/")[2])
            if ticket in self.town.asked:
                self.town.figures.seconds["accepted"].append(time.monotonic() - self.town.asked[ticket])
            if ticket in self.town.cases:
                self._begin(self._help(self.town.cases[ticket]))

    async def _help(self, case: Case) -> None:
        place, room = f"/tickets/{case.number}", f"room:{case.number}"
        await self._show(place)
        await self.town.think(3)
        await self.write(f"{place}/room/messages", room, case.story.answer)
        await self.town.think(20)
        if not case.resolved and self.town.dice.random() < 0.5:
            await self.browser.post(f"{place}/leaving", {}, CAME_SECOND)
        await self.window.close(f"lane:{case.number}", room)

    async def _show(self, place: str) -> Page:
        page = await self.browser.page(place)
        await self.window.open(page)
        return page

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._cases.add(task)
        task.add_done_callback(self._cases.discard)

    async def _guarded(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Failed:
            return


def _ticket(link: str) -> int:
    """The ticket a link leads to; none is 0."""
    number = link.removeprefix("/tickets/")
    return int(number) if number.isdigit() else 0


class Reader(Colleague):
    """A second window of a colleague: goes from list to ticket to list, writes nothing."""

    async def _look(self) -> None:
        if not self.window.me:
            await self.enter()
        page = await self.browser.page(
            self.town.dice.choice(("/mine", "/rooms", "/queue", "/tickets", "/teams"))
        )
        tickets = [link for link in page.links if link.startswith("/tickets/") and link[9:].isdigit()]
        if tickets:
            place = self.town.dice.choice(tickets)
            await self._show(place)
            await self.town.think(15)
            await self.window.close(f"lane:{place[9:]}", f"room:{place[9:]}")
        await self.town.think(5)
