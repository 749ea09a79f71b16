"""May this person do that with a customer's record? The button and the action ask the same rule."""

from __future__ import annotations

from swarm.events import Actor
from swarm.events.refusals import ALLOWED, Refused, Verdict
from swarm.text.language import _


def may_edit(actor: Actor, *, owns: bool) -> Verdict:
    """Change what is known; `owns`: they own a ticket of this customer that is not closed."""
    if owns or actor.manages:
        return ALLOWED
    return Refused(_("Who owns a ticket of this customer changes the record, and managers."))


def may_merge(actor: Actor) -> Verdict:
    """Make one record of two: it moves tickets of any team, and cannot be undone."""
    if actor.manages:
        return ALLOWED
    return Refused(_("Only managers merge records: it cannot be undone."))
