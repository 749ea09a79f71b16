"""Writes: addresses that are told of events, and what is sent to them once more."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address

from sqlalchemy import delete, func, select

from swarm.events import known_events
from swarm.events.refusals import NotAllowed, Unfit, Unknown, ensure
from swarm.outbound import deliveries
from swarm.outbound.addresses import may_reach
from swarm.outbound.deliveries import HOUSE
from swarm.outbound.events import (
    WebhookAdded,
    WebhookChanged,
    WebhookRemoved,
    WebhookSecretRenewed,
    WebhookSwitchedOff,
    WebhookSwitchedOn,
)
from swarm.outbound.http import parsed
from swarm.outbound.models import Webhook, WebhookEvent
from swarm.outbound.signing import new_secret
from swarm.settings import Webhooks as Settings
from swarm.store import Work
from swarm.text.language import _
from swarm.webhooks.rules import may_manage_webhooks

MOST = 20
"""Addresses: every event is put in once for each that wants it."""


def add(work: Work, settings: Settings, *, name: str, url: str, events: Collection[str]) -> Webhook:
    """An address that is told from now on. Raises `NotAllowed`, `Unfit`."""
    ensure(may_manage_webhooks(work.actor))
    _check(work, settings, None, name=name, url=url, events=events)
    if (work.session.scalar(select(func.count()).where(Webhook.state != "removed")) or 0) >= MOST:
        raise NotAllowed(_("There are %(most)s webhooks already. Remove one first.", most=MOST))
    made = Webhook(name=name, url=url, secret=new_secret(), state="on", created_at=work.now)
    work.session.add(made)
    work.session.flush()
    _tell_of(work, made.id, events)
    work.record(HOUSE, WebhookAdded(webhook_id=made.id, name=name))
    return made


def change(
    work: Work, settings: Settings, webhook_id: int, *, name: str, url: str, events: Collection[str]
) -> None:
    """Another name, address or choice of events. Raises `NotAllowed`, `Unknown`, `Unfit`."""
    webhook = _held(work, webhook_id)
    _check(work, settings, webhook_id, name=name, url=url, events=events)
    if url != webhook.url:
        webhook.failures, webhook.failing_since, webhook.rest_until = 0, None, None
    webhook.name, webhook.url = name, url
    _tell_of(work, webhook_id, events)
    work.record(HOUSE, WebhookChanged(webhook_id=webhook_id, name=name))


def switch(work: Work, webhook_id: int, *, on: bool) -> None:
    """Tell it, or tell it nothing more; what waits goes on waiting. Raises `NotAllowed`, `Unknown`."""
    webhook = _held(work, webhook_id)
    if (webhook.state == "on") == on:
        return
    webhook.state, webhook.given_up = ("on" if on else "off"), False
    webhook.failures, webhook.failing_since, webhook.rest_until = 0, None, None
    what = WebhookSwitchedOn if on else WebhookSwitchedOff
    work.record(HOUSE, what(webhook_id=webhook_id, name=webhook.name))


def renew_secret(work: Work, webhook_id: int) -> Webhook:
    """Sign with another secret from now on. Raises `NotAllowed`, `Unknown`."""
    webhook = _held(work, webhook_id)
    webhook.secret = new_secret()
    work.record(HOUSE, WebhookSecretRenewed(webhook_id=webhook_id, name=webhook.name))
    return webhook


def remove(work: Work, webhook_id: int) -> None:
    """Tell it nothing more, ever; its log goes by and by. Raises `NotAllowed`, `Unknown`."""
    webhook = _held(work, webhook_id)
    webhook.state, webhook.url, webhook.secret = "removed", "", ""
    _tell_of(work, webhook_id, ())
    work.record(HOUSE, WebhookRemoved(webhook_id=webhook_id, name=webhook.name))


def send_again(work: Work, webhook_id: int, delivery_id: int | None) -> int:
    """One delivery once more, or all that failed; how many. Raises `NotAllowed`, `Unknown`."""
    webhook = _held(work, webhook_id)
    if webhook.state != "on":
        raise NotAllowed(_("It is switched off. Switch it on first."))
    webhook.rest_until = None
    return deliveries.again(work, webhook_id, delivery_id)


def _held(work: Work, webhook_id: int) -> Webhook:
    ensure(may_manage_webhooks(work.actor))
    # Who puts in more for it must not wait: their foreign key only asks that the row stays.
    held = select(Webhook).where(Webhook.id == webhook_id, Webhook.state != "removed")
    webhook = work.session.scalars(held.with_for_update(key_share=True)).one_or_none()
    if webhook is None:
        raise Unknown(_("There is no such webhook."))
    return webhook


def _check(
    work: Work, settings: Settings, webhook_id: int | None, *, name: str, url: str, events: Collection[str]
) -> None:
    try:
        target = parsed(url, http=settings.http)
    except ValueError as problem:
        raise Unfit(str(problem), "url") from None
    try:
        inside = not may_reach(ip_address(target.host), settings.networks)
    except ValueError:
        # A name: where it leads is looked at each time.
        inside = False
    if inside:
        raise Unfit(
            _("This address is inside. The setting webhooks.networks says which of those may be reached."),
            "url",
        )
    if not events:
        raise Unfit(_("Choose at least one event."), "events")
    if not set(events) <= set(known_events()):
        raise Unfit(_("Choose one of the offered."), "events")
    same = select(Webhook.id).where(
        Webhook.name == name, Webhook.state != "removed", Webhook.id != webhook_id
    )
    if work.session.scalar(same.limit(1)) is not None:
        raise Unfit(_("Another webhook has this name."), "name")


def _tell_of(work: Work, webhook_id: int, events: Collection[str]) -> None:
    work.session.execute(delete(WebhookEvent).where(WebhookEvent.webhook_id == webhook_id))
    work.session.add_all(WebhookEvent(kind=kind, webhook_id=webhook_id) for kind in sorted(set(events)))
    work.session.flush()
