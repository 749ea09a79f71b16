"""What all simulated people of a run share: chance, pace, and which cases are theirs."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from dataclasses import dataclass, field

import httpx2

from swarm.simulation.browsing import Browser, Window
from swarm.simulation.figures import Figures
from swarm.simulation.stories import Stories, Story

LETTERS_A_SECOND = 12.0


@dataclass(slots=True)
class Case:
    """A ticket that a simulated customer opened."""

    number: int
    story: Story
    opened: float
    mode: str = ""
    owner: str = ""
    answered: bool = False
    handed_on: bool = False
    """It waits for the next tier."""
    resolved: bool = False


@dataclass(slots=True)
class Town:
    """One run."""

    url: str
    pace: float
    dice: random.Random
    stories: Stories
    figures: Figures
    connections: httpx2.AsyncHTTPTransport
    ends: float
    longest_typing: float = 20.0
    """Seconds, however long the text."""
    teams: frozenset[str] = frozenset()
    """Those in which somebody acts."""
    cases: dict[int, Case] = field(default_factory=dict)
    asked: dict[int, float] = field(default_factory=dict)
    """By ticket: when its owner asked."""
    door: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Customers open one after another: an address may open only so many a minute."""

    @property
    def over(self) -> bool:
        """Whether nothing new begins."""
        return time.monotonic() >= self.ends

    async def think(self, seconds: float) -> None:
        """About so long, at this town's pace."""
        await asyncio.sleep(seconds * self.dice.uniform(0.6, 1.6) / self.pace)


class Person:
    """A browser and a window, and how a person writes."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.browser = Browser(town.url, town.figures, town.connections)
        self.window = Window(self.browser)

    async def write(self, path: str, stream: str, text: str) -> None:
        """Type at a person's speed, then send. Raises `Failed`."""
        await self.window.type(stream)
        await self.town.think(min(len(text) / LETTERS_A_SECOND, self.town.longest_typing))
        client_id = secrets.token_urlsafe(16)
        self.town.figures.posting(client_id, self.window.me, time.monotonic())
        await self.browser.post(path, {"body": text, "client_id": client_id})
        self.town.figures.counts["messages"] += 1
