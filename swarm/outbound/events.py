"""What happens to the addresses that are told of events."""

from __future__ import annotations

from dataclasses import dataclass

from swarm.events import Event, event
from swarm.text.language import N_


@event("webhook.added", audience="staff", headline=N_("%(actor)s added the webhook %(name)s"))
@dataclass(frozen=True, kw_only=True)
class WebhookAdded(Event):
    """An address is told of events."""

    webhook_id: int
    name: str


@event("webhook.changed", audience="staff", headline=N_("%(actor)s changed the webhook %(name)s"))
@dataclass(frozen=True, kw_only=True)
class WebhookChanged(Event):
    """Its name, its address or what it is told."""

    webhook_id: int
    name: str


@event("webhook.switched_on", audience="staff", headline=N_("%(actor)s switched the webhook %(name)s on"))
@dataclass(frozen=True, kw_only=True)
class WebhookSwitchedOn(Event):
    """It is told again, from now on, and of what waited."""

    webhook_id: int
    name: str


@event("webhook.switched_off", audience="staff", headline=N_("%(actor)s switched the webhook %(name)s off"))
@dataclass(frozen=True, kw_only=True)
class WebhookSwitchedOff(Event):
    """It is told nothing more."""

    webhook_id: int
    name: str


@event(
    "webhook.given_up",
    audience="staff",
    headline=N_("The webhook %(name)s was switched off: nothing arrived there"),
)
@dataclass(frozen=True, kw_only=True)
class WebhookGivenUp(Event):
    """Nothing arrived for days, or it said that it is gone."""

    webhook_id: int
    name: str


@event(
    "webhook.secret_renewed",
    audience="staff",
    headline=N_("%(actor)s made a new secret for the webhook %(name)s"),
)
@dataclass(frozen=True, kw_only=True)
class WebhookSecretRenewed(Event):
    """What goes there is signed with another secret."""

    webhook_id: int
    name: str


@event("webhook.removed", audience="staff", headline=N_("%(actor)s removed the webhook %(name)s"))
@dataclass(frozen=True, kw_only=True)
class WebhookRemoved(Event):
    """It is told nothing more, and its log is gone."""

    webhook_id: int
    name: str
