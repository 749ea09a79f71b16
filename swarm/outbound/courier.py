"""Whoever carries webhooks out: on every worker, each delivery by one of them, each address by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from swarm.events import SYSTEM
from swarm.outbound import deliveries
from swarm.outbound.deliveries import Outcome, Taken
from swarm.outbound.http import NoAnswer, parsed, post
from swarm.outbound.signing import signed
from swarm.settings import Webhooks as WebhookSettings
from swarm.store import ReadOnly, Store, Work

_log = structlog.get_logger(__name__)
EVERY = 1.0
"""Seconds between two looks."""
COUNTED_EVERY = 10
"""Looks between two counts of what waits, which may be much."""
AT_ONCE = 8
"""Deliveries to one address that are under way at the same time."""
FINISHING = 5.0
"""Seconds for what is being sent when a worker leaves."""

Drawn = tuple[str, bytes]
"""The id of a message, and the message."""
Draw = Callable[[Work, Sequence[Taken]], Sequence[Drawn]]


class Courier:
    """Sends what is due; an address that stalls holds up no other, and nobody waits for any."""

    def __init__(self, store: Store, settings: WebhookSettings, draw: Draw) -> None:
        self._store = store
        self._settings = settings
        self._draw = draw
        self._leaving = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._looks = 0
        self.waiting = 0
        self.oldest: datetime | None = None
        """Since when the oldest waits; both as of the last count."""

    @property
    def age(self) -> float:
        """Seconds since the oldest delivery that waits was put in."""
        return 0.0 if self.oldest is None else max(0.0, (self._store.clock() - self.oldest).total_seconds())

    def start(self) -> None:
        """Go on until told to stop."""
        self._task = asyncio.create_task(self._go())

    async def stop(self) -> None:
        """Let what is being sent end, for a moment; what is cut off is sent again by others."""
        self._leaving.set()
        tasks = [task for task in (self._task, *self._busy.values()) if task is not None]
        if tasks:
            _done, late = await asyncio.wait(tasks, timeout=FINISHING)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _go(self) -> None:
        while not self._leaving.is_set():
            try:
                await self._look()
            except ReadOnly:
                # Said once, when it began; deliveries wait.
                pass
            except Exception as failure:
                _log.warning("webhooks_wait", failure=type(failure).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), EVERY)

    async def _look(self) -> None:
        if self._looks % COUNTED_EVERY == 0:
            self.waiting, self.oldest = await self._store.read(
                SYSTEM, lambda work: deliveries.waiting(work.session)
            )
        self._looks += 1
        for webhook in await self._store.read(SYSTEM, deliveries.due):
            if webhook not in self._busy:
                self._busy[webhook] = asyncio.create_task(self._serve(webhook))

    async def _serve(self, webhook: int) -> None:
        """Send to one address what is due there, until nothing is or it fails."""
        # Longer than sending takes: whoever dies meanwhile leaves it to the next.
        lease = 2 * self._settings.seconds + 30
        try:
            failed = False
            while not failed and not self._leaving.is_set():
                taken = await self._store.write(
                    SYSTEM, lambda work: deliveries.take(work, webhook, AT_ONCE, lease)
                )
                if not taken:
                    return
                failed = await self._deliver(webhook, taken)
        except ReadOnly:
            pass
        except Exception as failure:
            _log.warning("webhook_waits", webhook=webhook, failure=type(failure).__name__)
        finally:
            del self._busy[webhook]

    async def _deliver(self, webhook: int, taken: Sequence[Taken]) -> bool:
        drawn = await self._store.read(SYSTEM, lambda work: self._draw(work, taken))
        outcomes = await asyncio.gather(*map(self._send, taken, drawn))
        patience = timedelta(days=self._settings.patience_days)
        given_up = await self._store.write(
            SYSTEM, lambda work: deliveries.settle(work, webhook, outcomes, patience)
        )
        failed = [one for one in outcomes if not one.arrived]
        if failed:
            _log.warning(
                "webhook_not_taken", webhook=webhook, deliveries=len(failed), status=failed[0].status
            )
        if given_up:
            _log.error("webhook_given_up", webhook=webhook)
        return bool(failed)

    async def _send(self, one: Taken, drawn: Drawn) -> Outcome:
        id_, body = drawn
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "swarm",
            **signed(one.secret, id_, int(self._store.clock().timestamp()), body),
        }
        try:
            answer = await post(
                parsed(one.url, http=self._settings.http),
                headers,
                body,
                seconds=self._settings.seconds,
                networks=self._settings.networks,
            )
        except (NoAnswer, ValueError) as problem:
            return Outcome(one.id, None, str(problem))
        return Outcome(one.id, answer.status, _readable(answer.body))


def _readable(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    return "".join(char if char.isprintable() or char == "\n" else "·" for char in text)
