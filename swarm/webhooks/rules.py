"""Who may say what leaves the house."""

from __future__ import annotations

from swarm.events import Actor
from swarm.events.refusals import ALLOWED, Refused, Verdict
from swarm.text.language import _


def may_manage_webhooks(actor: Actor) -> Verdict:
    """Name addresses outside, what they are told, and read what became of it."""
    if actor.role == "administrator":
        return ALLOWED
    return Refused(_("Only administrators say what other programs are told."))
