"""Deliveries in the order they are sent: put in with their events, taken by one worker at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from swarm.outbound.events import WebhookGivenUp
from swarm.outbound.models import Delivery, Webhook
from swarm.store import Work

HOUSE = "house:1"
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=4)
IN_A_ROW = 3
"""After so many failures in a row an address rests."""
MOST_SAID = 500
GONE = 410


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery in the hands of one worker."""

    id: int
    webhook_id: int
    url: str
    secret: str
    stream: str
    seq: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a try: the status of the answer, if there was one, and what was said."""

    id: int
    status: int | None
    said: str

    @property
    def arrived(self) -> bool:
        """It was taken."""
        return self.status is not None and 200 <= self.status < 300


def due(work: Work) -> Sequence[int]:
    """Addresses for which something is to be sent now."""
    waits = select(Delivery.id).where(
        Delivery.webhook_id == Webhook.id, Delivery.state == "waiting", Delivery.next_at <= work.now
    )
    ready = Webhook.state == "on", or_(Webhook.rest_until.is_(None), Webhook.rest_until <= work.now)
    return work.session.scalars(select(Webhook.id).where(*ready, waits.exists()).order_by(Webhook.id)).all()


def waiting(session: Session) -> tuple[int, datetime | None]:
    """How many wait, and since when the oldest does, of addresses that are on."""
    row = session.execute(
        select(func.count(), func.min(Delivery.created_at))
        .join(Webhook, Webhook.id == Delivery.webhook_id)
        .where(Delivery.state == "waiting", Webhook.state == "on")
    ).one()
    return row[0], row[1]


def take(work: Work, webhook_id: int, most: int, seconds: float) -> Sequence[Taken]:
    """Up to `most` that are due, nobody else's for so many seconds."""
    webhook = work.session.get(Webhook, webhook_id)
    if webhook is None or webhook.state != "on":
        return []
    query = select(Delivery).where(
        Delivery.webhook_id == webhook_id, Delivery.state == "waiting", Delivery.next_at <= work.now
    )
    rows = work.session.scalars(
        query.order_by(Delivery.next_at, Delivery.id).limit(most).with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.next_at, row.tries = work.now + timedelta(seconds=seconds), row.tries + 1
    return [Taken(row.id, webhook_id, webhook.url, webhook.secret, row.stream, row.seq) for row in rows]


def settle(work: Work, webhook_id: int, outcomes: Sequence[Outcome], patience: timedelta) -> bool:
    """Note what became of them; whether the address was given up."""
    # Who puts in more must not wait for this: their foreign key only asks that the row stays.
    held = select(Webhook).where(Webhook.id == webhook_id).with_for_update(key_share=True)
    webhook = work.session.scalars(held.execution_options(populate_existing=True)).one_or_none()
    rows = {
        row.id: row
        for row in work.session.scalars(select(Delivery).where(Delivery.id.in_([one.id for one in outcomes])))
    }
    if webhook is None:
        return False
    for outcome in outcomes:
        if (row := rows.get(outcome.id)) is not None:
            _settle_one(work, webhook, row, outcome, patience)
    gone = any(outcome.status == GONE for outcome in outcomes)
    tired = webhook.failing_since is not None and work.now - webhook.failing_since > patience
    if webhook.state == "on" and (gone or tired):
        webhook.state, webhook.given_up = "off", True
        work.record(HOUSE, WebhookGivenUp(webhook_id=webhook.id, name=webhook.name))
        return True
    return False


def _settle_one(work: Work, webhook: Webhook, row: Delivery, outcome: Outcome, patience: timedelta) -> None:
    row.status, row.said = outcome.status, outcome.said[:MOST_SAID]
    if outcome.arrived:
        row.state, row.done_at = "arrived", work.now
        webhook.failures, webhook.failing_since, webhook.rest_until = 0, None, None
        return
    webhook.failures += 1
    webhook.failing_since = webhook.failing_since or work.now
    if webhook.failures >= IN_A_ROW:
        webhook.rest_until = work.now + _pause(webhook.failures - IN_A_ROW + 1)
    if work.now - row.created_at > patience:
        row.state, row.done_at = "failed", work.now
    else:
        row.next_at = work.now + _pause(row.tries)


def _pause(tries: int) -> timedelta:
    doublings: int = min(max(tries, 1) - 1, 12)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def again(work: Work, webhook_id: int, delivery_id: int | None) -> int:
    """Send one once more, or all that failed; how many."""
    rows = update(Delivery).where(Delivery.webhook_id == webhook_id)
    if delivery_id is None:
        rows = rows.where(Delivery.state == "failed")
    else:
        rows = rows.where(Delivery.id == delivery_id, Delivery.state != "waiting")
    new = {"state": "waiting", "next_at": work.now, "created_at": work.now, "tries": 0, "done_at": None}
    return len(work.session.scalars(rows.values(new).returning(Delivery.id)).all())


def forget(work: Work, days: int, most: int = 5000) -> int:
    """Take away what is over and older than so many days, and what nobody wants, a part at a time."""
    removed = select(Webhook.id).where(Webhook.state == "removed")
    unwanted = select(Delivery.id).where(Delivery.webhook_id.in_(removed)).limit(most)
    old = select(Delivery.id).where(
        Delivery.created_at < work.now - timedelta(days=days), Delivery.state != "waiting"
    )
    ids = [
        *work.session.scalars(unwanted),
        *work.session.scalars(old.order_by(Delivery.created_at).limit(most)),
    ]
    work.session.execute(delete(Delivery).where(Delivery.id.in_(ids)))
    return len(ids)
