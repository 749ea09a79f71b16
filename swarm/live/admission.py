"""Admission: everybody who knocks while the last question is answered shares the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor

import structlog

from swarm.live import close_codes
from swarm.live.ports import Doorman, Refused, Viewer

TOGETHER = 64
"""At most so many are answered by one question, and let in within one turn of the event loop."""
PAUSE = 0.02
"""Seconds between two questions: who comes in company waits for more of it."""

_log = structlog.get_logger(__name__)

Knock = Mapping[str, str]
"""The headers of a handshake."""
Answer = Viewer | Refused


class Admission:
    """One question at a time; each is begun after the last knock that it answers."""

    def __init__(self, doorman: Doorman, threads: Executor) -> None:
        self._doorman = doorman
        self._threads = threads
        self._waiting: deque[tuple[Knock, asyncio.Future[Answer]]] = deque()
        self._task: asyncio.Task[None] | None = None

    def admit(self, knock: Knock) -> asyncio.Future[Answer]:
        """Whose handshake this is."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((knock, answer))
        if self._task is None:
            self._task = loop.create_task(self._answer())
        return answer

    def stop(self) -> None:
        """Whoever waits is sent away."""
        if self._task is not None:
            self._task.cancel()

    async def _answer(self) -> None:
        asked: list[tuple[Knock, asyncio.Future[Answer]]] = []
        try:
            while self._waiting:
                asked = [self._waiting.popleft() for _each in range(min(TOGETHER, len(self._waiting)))]
                answers = await self._ask([knock for knock, _answer in asked])
                for (_knock, waiting), answer in zip(asked, answers, strict=True):
                    if not waiting.done():
                        waiting.set_result(answer)
                asked = []
                await asyncio.sleep(0.0 if len(self._waiting) >= TOGETHER else PAUSE)
        finally:
            self._task = None
            for _knock, waiting in (*asked, *self._waiting):
                if not waiting.done():
                    waiting.set_result(Refused(close_codes.AGAIN_LATER, ""))
            self._waiting.clear()

    async def _ask(self, knocks: Sequence[Knock]) -> Sequence[Answer]:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._doorman.admit, knocks)
        except Exception:
            _log.exception("admission_failed", knocks=len(knocks))
            return [Refused(close_codes.AGAIN_LATER, "")] * len(knocks)
