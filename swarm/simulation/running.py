"""A run: who comes, how long they stay, and that what they opened is resolved in the end."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Coroutine, Sequence
from typing import Any

import httpx2

from swarm.events.refusals import No
from swarm.simulation.browsing import Browser, Failed, connections_of
from swarm.simulation.colleagues import Account, Colleague, Reader
from swarm.simulation.customers import CustomerLife
from swarm.simulation.figures import Figures
from swarm.simulation.pages import Page
from swarm.simulation.stories import read
from swarm.simulation.town import Town
from swarm.text.language import _

LAG_EVERY = 0.5
TIDYING = 60.0
ARRIVING = 35.0
"""Seconds for what is under way: longer than a browser waits for an answer."""
READERS_EACH = 4
"""So many more windows of one account, far below what a server allows a person."""


class NotSwarm(No):
    """Nothing there that can be simulated with."""


async def simulate(
    url: str,
    *,
    people: int,
    seconds: float,
    seed: int,
    pace: float,
    figures: Figures,
    given: Sequence[Account] = (),
) -> Figures:
    """So many people for so long, as a demo's accounts or as those given; counts go into `figures`.

    Raises `NotSwarm`.
    """
    async with connections_of(100) as connections:
        accounts = (
            await demo_accounts(url, connections) if not given else await _proved(url, given, connections)
        )
        dice = random.Random(seed)  # noqa: S311 (chance that can be repeated)
        town = Town(url, pace, dice, read(), figures, connections, time.monotonic() + seconds)
        acting = accounts[: max(3, people // 2)][:people]
        readers = [
            accounts[place % len(accounts)]
            for place in range(min(len(accounts) * READERS_EACH, (people - len(acting)) // 3))
        ]
        town.teams = frozenset(
            story.team for story in town.stories.stories if any(story.team in one.text for one in acting)
        )
        colleagues = [Colleague(town, one) for one in acting]
        reading = [Reader(town, one) for one in readers]
        customers = [CustomerLife(town, number) for number in range(people - len(colleagues) - len(reading))]
        for name, group in (("colleagues", colleagues), ("readers", reading), ("customers", customers)):
            figures.counts[name] = len(group)
        lag = asyncio.create_task(_lag(figures))
        try:
            await _until_over(
                town, [one.live() for one in [*colleagues, *reading]] + [one.live() for one in customers]
            )
        finally:
            lag.cancel()
            await _tidy(town, colleagues)
            for customer in customers:
                customer.count()
        return figures


async def demo_accounts(url: str, connections: httpx2.AsyncHTTPTransport) -> list[Account]:
    """Whom the demo lets anybody sign in as. Raises `NotSwarm`."""
    cards = (await _sign_in_page(url, connections)).form("/demo/sign-in")
    if cards is None:
        raise NotSwarm(
            _("%(address)s is no demo: say with --accounts as whom simulated people sign in.", address=url)
        )
    return [
        Account(one.value, "/demo/sign-in", {"person": one.value, "simulated": "on"}, one.text)
        for one in cards.buttons
    ]


async def _proved(
    url: str, given: Sequence[Account], connections: httpx2.AsyncHTTPTransport
) -> Sequence[Account]:
    """The accounts, once the first of them could sign in. Raises `NotSwarm`."""
    await _sign_in_page(url, connections)
    try:
        await Browser(url, Figures(), connections).post(given[0].door, given[0].fields)
    except Failed:
        raise NotSwarm(_("%(name)s cannot sign in with this password alone.", name=given[0].key)) from None
    return given


async def _sign_in_page(url: str, connections: httpx2.AsyncHTTPTransport) -> Page:
    try:
        return await Browser(url, Figures(), connections).page_once("/sign-in")
    except (Failed, httpx2.HTTPError, httpx2.InvalidURL):
        raise NotSwarm(_("Nothing at %(address)s answers as swarm does.", address=url)) from None


async def _until_over(town: Town, lives: list[Coroutine[Any, Any, None]]) -> None:
    tasks = [asyncio.create_task(life) for life in lives]
    try:
        await asyncio.sleep(max(town.ends - time.monotonic(), 0))
        # What is under way may come to its end, for a short while.
        await asyncio.wait(tasks, timeout=10)
        for task in tasks:
            if task.done() and (failure := task.exception()) is not None:
                town.figures.errors[f"in this program: {type(failure).__name__}: {failure}"] += 1
    finally:
        town.ends = 0.0
        await _let_arrive(town.figures)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        town.figures.closing = False


async def _let_arrive(figures: Figures) -> None:
    """Until every answer is here and counted: what was stored but not counted would make figures wrong."""
    figures.closing = True
    gives_up = time.monotonic() + ARRIVING
    # An answer that is here is counted in the next turn of the loop.
    await asyncio.sleep(0.1)
    while figures.under_way and time.monotonic() < gives_up:  # noqa: ASYNC110 (browsers tell nobody)
        await asyncio.sleep(0.1)
    await asyncio.sleep(0)


async def _tidy(town: Town, colleagues: list[Colleague]) -> None:
    """Resolve what simulated customers opened: its owner first, then whoever may."""
    open_cases = [case for case in town.cases.values() if not case.resolved]
    try:
        async with asyncio.timeout(TIDYING):
            for case in open_cases:
                for one in sorted(colleagues, key=lambda one: one.account != case.owner):
                    try:
                        await one.tidy(case)
                    except Failed:
                        continue
                    if case.resolved:
                        break
    except TimeoutError:
        pass
    town.figures.counts["left_open"] = sum(not case.resolved for case in town.cases.values())


async def _lag(figures: Figures) -> None:
    """How late this program's own loop turns: figures are honest while that is little."""
    while True:
        began = time.monotonic()
        await asyncio.sleep(LAG_EVERY)
        figures.seconds["lag"].append(max(time.monotonic() - began - LAG_EVERY, 0))
