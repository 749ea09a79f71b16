"""Who may let whom in."""

from __future__ import annotations

from swarm.events import Actor
from swarm.events.refusals import ALLOWED, Verdict
from swarm.people.rules import may_manage_accounts


def may_sign_out(actor: Actor, person_id: int) -> Verdict:
    """End somebody's sessions: one's own, and as an administrator anybody's."""
    return ALLOWED if actor.person_id == person_id else may_manage_accounts(actor)


def may_end_token(actor: Actor, person_id: int) -> Verdict:
    """See and end somebody's tokens: one's own, and as an administrator anybody's."""
    return ALLOWED if actor.person_id == person_id else may_manage_accounts(actor)
