"""Whoever carries letters out: on every worker, each letter by one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage

import structlog

from swarm.events import SYSTEM
from swarm.outbound import queue, smtp
from swarm.outbound.letters import Letter, Write
from swarm.outbound.queue import Taken
from swarm.settings import Mail as MailSettings
from swarm.store import ReadOnly, Store, Work
from swarm.text.language import use

_log = structlog.get_logger(__name__)
EVERY = 1.0
"""Seconds between two looks."""
AT_ONCE = 5
"""Letters one worker sends at the same time."""
FINISHING = 5.0
"""Seconds for what is being sent when a worker leaves."""

Draw = Callable[[Letter], tuple[str, str]]
"""A letter as text and as HTML."""


class Postman:
    """Sends what is due; the database is asked, never told to wait."""

    def __init__(self, store: Store, settings: MailSettings, kinds: Mapping[str, Write], draw: Draw) -> None:
        self._store = store
        self._settings = settings
        self._kinds = kinds
        self._draw = draw
        self._leaving = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.waiting = 0
        self.oldest: datetime | None = None
        """Since when the oldest letter waits; both as of the last look."""

    @property
    def age(self) -> float:
        """Seconds since the oldest letter that waits was put in."""
        return 0.0 if self.oldest is None else max(0.0, (self._store.clock() - self.oldest).total_seconds())

    def start(self) -> None:
        """Go on until told to stop."""
        self._task = asyncio.create_task(self._go())

    async def stop(self) -> None:
        """Let what is being sent end, for a moment."""
        self._leaving.set()
        if self._task is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._task, FINISHING)

    async def round(self) -> int:
        """Send what is due now; how many were tried."""
        due, (self.waiting, self.oldest) = await self._store.read(
            SYSTEM, lambda work: (queue.is_due(work), queue.waiting(work.session))
        )
        if not due:
            return 0
        # Longer than sending takes: whoever dies meanwhile leaves it to the next.
        lease = 2 * self._settings.seconds + 30
        taken = await self._store.write(SYSTEM, lambda work: queue.take(work, AT_ONCE, lease))
        for outcome in await asyncio.gather(*map(self._send, taken), return_exceptions=True):
            if isinstance(outcome, BaseException):
                # It is its worker's until the time is over, then anybody's.
                _log.error("letter_failed", exc_info=outcome)
        return len(taken)

    async def _go(self) -> None:
        while not self._leaving.is_set():
            tried = 0
            try:
                tried = await self.round()
            except ReadOnly:
                # Said once, when it began; letters wait.
                pass
            except Exception as failure:
                _log.warning("letters_wait", failure=type(failure).__name__)
            if tried < AT_ONCE:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._leaving.wait(), EVERY)

    async def _send(self, taken: Taken) -> None:
        letter = taken.letter or await self._written(taken)
        if letter is None:
            await self._store.write(SYSTEM, lambda work: queue.drop(work, taken.id))
            return
        try:
            await smtp.send(self._settings, self._made(taken, letter))
        except smtp.NotTaken as problem:
            why = str(problem)
            _log.warning(
                "letter_not_taken", mail=taken.id, kind=taken.kind, why=why, for_good=problem.for_good
            )
            put_by = queue.park if problem.for_good else queue.later
            await self._store.write(SYSTEM, lambda work: put_by(work, taken.id, why))
        else:
            await self._store.write(SYSTEM, lambda work: queue.sent(work, taken.id))

    async def _written(self, taken: Taken) -> Letter | None:
        def write(work: Work) -> Letter | None:
            letter = self._kinds[taken.kind](work, taken.data)
            if letter is not None:
                queue.keep(work, taken.id, letter)
            return letter

        return await self._store.write(SYSTEM, write)

    def _made(self, taken: Taken, letter: Letter) -> EmailMessage:
        with use(letter.language):
            text, html = self._draw(letter)
        return smtp.message(
            self._settings,
            to=letter.to,
            name=letter.name,
            subject=letter.subject,
            text=text,
            html=html,
            token=taken.token,
            at=self._store.clock(),
            thread=letter.thread,
        )
