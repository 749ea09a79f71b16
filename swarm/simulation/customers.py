"""Customers: open a ticket on the public page, follow it by their link, answer, say thanks."""

from __future__ import annotations

import time

from swarm.simulation.browsing import Failed
from swarm.simulation.pages import Form
from swarm.simulation.stage import ADDRESSES
from swarm.simulation.stories import Customer, Story
from swarm.simulation.town import Case, Person, Town


class CustomerLife(Person):
    """One customer, with one case after another."""

    def __init__(self, town: Town, number: int) -> None:
        super().__init__(town)
        self._number = number
        self._came = False

    async def live(self) -> None:
        """Until the run is over."""
        town = self.town
        await town.think(town.dice.uniform(0, 30))
        async with self.window.kept():
            while not town.over:
                try:
                    case = await self._open()
                    if case is not None:
                        await self._follow(case)
                except Failed:
                    await town.think(5)

    def count(self) -> None:
        """Say that this one never got to open a ticket."""
        self.town.figures.counts["not_come"] += not self._came

    async def _open(self) -> Case | None:
        town = self.town
        story = self._story()
        who = self._who(story)
        async with town.door:
            if town.over:
                return None
            page = await self.browser.page("/open")
            form = page.form("/open")
            if form is None:
                town.figures.errors["nobody takes tickets here"] += 1
                raise Failed("/open")
            await town.think(2)
            opened = await self.browser.post(
                "/open",
                {
                    **form.fields,
                    "name": who.name,
                    "email": self._address(who),
                    "company": who.company,
                    "language": story.language,
                    "team": self._team(form, story.team),
                    "subject": story.subject,
                    "body": story.body,
                },
                (201,),
            )
            began = time.monotonic()
            town.figures.counts["opened"] += 1
            self._came = True
            links = opened.page.forms
            if not links:
                raise Failed("/open")
            place = (await self.browser.post(links[0].action, {})).place
        number = int(place.rpartition("/")[2])
        case = town.cases[number] = Case(number, story, began)
        return case

    def _story(self) -> Story:
        town = self.town
        return town.dice.choice(
            [one for one in town.stories.stories if one.team in town.teams] or list(town.stories.stories)
        )

    def _who(self, story: Story) -> Customer:
        return self.town.dice.choice(self.town.stories.customers[story.language])

    def _address(self, _who: Customer) -> str:
        return f"{self._number}{ADDRESSES}"

    def _team(self, form: Form, words: str) -> str:
        """The team the story is about; any other where the server has no such team."""
        found = form.value_of("team", words)
        if found is not None:
            return found
        others = [value for value, _text in form.choices.get("team", ()) if value]
        return self.town.dice.choice(others) if others else form.fields.get("team", "")

    async def _follow(self, case: Case) -> None:
        place, stream = f"/case/{case.number}", f"lane:{case.number}"
        await self.window.open(await self.browser.page(place))
        for seen, text in enumerate((case.story.more, case.story.thanks)):
            while not await self.window.hears(stream, seen, 5):
                if self.town.over or case.resolved:
                    return
            await self.town.think(4)
            if case.resolved:
                return
            await self.write(f"{place}/messages", stream, text)
        # It stays open in the browser for a while.
        await self.town.think(20)
        await self.window.close(stream)
