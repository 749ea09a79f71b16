"""Who may change whom."""

from __future__ import annotations

from swarm.events import Actor
from swarm.events.refusals import ALLOWED, Refused, Verdict
from swarm.text.language import _


def may_manage_accounts(actor: Actor) -> Verdict:
    """Give accounts, change what they may do, take them away, and read who did so."""
    if actor.role == "administrator":
        return ALLOWED
    return Refused(_("Only administrators give accounts and take them away."))


def may_steer(actor: Actor) -> Verdict:
    """Change teams, who works in them, and who knows what."""
    if actor.manages:
        return ALLOWED
    return Refused(_("Only managers change teams and what people know."))
