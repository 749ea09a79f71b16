"""Many who knock at once share few questions, and each gets their own answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from swarm.live import close_codes
from swarm.live.admission import TOGETHER
from swarm.live.ports import Refused, Viewer
from tests.live.house import Doors, MemoryLog, Page, Worker, until, worker


class Gate(Doors):
    """What was looked up is answered when the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.questions: list[list[str]] = []
        self.away = False
        self.opens = threading.Event()

    def admit(self, knocks: Sequence[Mapping[str, str]]) -> list[Viewer | Refused]:
        self.questions.append([knock["cookie"] for knock in knocks])
        away, answers = self.away, super().admit(knocks)
        assert self.opens.wait(10)
        if away:
            raise OSError("the database is away")
        return answers


class Crowd:
    """Pages at the door."""

    def __init__(self, gate: Gate, w: Worker, opened: AsyncExitStack) -> None:
        self.gate = gate
        self.worker = w
        self._opened = opened
        self._coming: list[asyncio.Future[Page]] = []

    async def knock(self, *cookies: str) -> None:
        """Return when all of them wait for an answer, and a question is being answered."""
        waiting = len(self.worker.server.server_state.tasks)
        self.come(*cookies)
        await until(lambda: len(self.worker.server.server_state.tasks) == waiting + len(cookies))
        await until(lambda: self.gate.questions)

    def come(self, *cookies: str) -> None:
        """Open a page with each of these."""
        for cookie in cookies:
            page = self._opened.enter_async_context(self.worker.page(cookie))
            self._coming.append(asyncio.ensure_future(page))

    async def answered(self) -> list[str | int]:
        """For each page in turn who it was let in as, or the code it was sent away with."""
        self.gate.opens.set()
        told: list[str | int] = []
        for page in await asyncio.gather(*self._coming):
            told.append(await _told(page))
        return told


async def _told(page: Page) -> str | int:
    await page.until(lambda: page.of("hello") or page.closed)
    hello = page.of("hello")
    return hello[0]["you"] if hello else page.closed or 0


@asynccontextmanager
async def crowd(people: int = 3) -> AsyncIterator[Crowd]:
    gate = Gate()
    for number in range(people):
        gate.let_in(f"key-{number}", f"person:{number}", ["room:1"])
    async with worker(MemoryLog(), gate) as w, AsyncExitStack() as opened:
        try:
            yield Crowd(gate, w, opened)
        finally:
            gate.opens.set()


async def test_who_knocks_while_a_question_is_answered_shares_the_next_one() -> None:
    people = TOGETHER + 1
    async with crowd(people) as pages:
        await pages.knock("key-0")
        await pages.knock(*(f"key-{number}" for number in range(1, people)))
        assert await pages.answered() == [f"person:{number}" for number in range(people)]
        assert [len(question) for question in pages.gate.questions] == [1, TOGETHER]


async def test_no_question_is_about_more_than_one_turn_can_let_in() -> None:
    people = 2 * TOGETHER + 10
    async with crowd(people) as pages:
        await pages.knock("key-0")
        await pages.knock(*(f"key-{number}" for number in range(1, people)))
        assert await pages.answered() == [f"person:{number}" for number in range(people)]
        assert max(len(question) for question in pages.gate.questions) == TOGETHER


async def test_a_refused_one_among_many_is_refused_alone() -> None:
    async with crowd() as pages:
        await pages.knock("key-0")
        await pages.knock("key-1", "forged", "key-2", "")
        answers = await pages.answered()
        assert answers == ["person:0", "person:1", close_codes.SIGNED_OUT, "person:2", close_codes.SIGNED_OUT]
        assert len(pages.gate.questions) == 2


async def test_who_signs_out_before_knocking_is_not_let_in_by_an_answer_from_before() -> None:
    async with crowd() as pages:
        await pages.knock("key-0")
        del pages.gate.viewers["key-0"]
        await pages.knock("key-0", "key-1")
        assert await pages.answered() == ["person:0", close_codes.SIGNED_OUT, "person:1"]


async def test_a_failing_database_sends_those_who_asked_away_to_come_back_and_nobody_after_them() -> None:
    async with crowd() as pages:
        await pages.knock("key-0")
        pages.gate.away = True
        await pages.knock("key-1", "forged")
        again = close_codes.AGAIN_LATER
        assert await pages.answered() == ["person:0", again, again]
        pages.gate.away = False
        pages.come("key-2")
        assert (await pages.answered())[-1] == "person:2"


async def test_a_stopping_worker_keeps_nobody_waiting_at_the_door() -> None:
    async with crowd() as pages, asyncio.timeout(10):
        await pages.knock("key-0")
        await pages.knock("key-1")
        await pages.worker.hub.stop()
        assert await pages.answered() == [close_codes.AGAIN_LATER] * 2
