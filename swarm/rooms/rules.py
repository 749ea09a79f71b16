"""May this person do that in this room?"""

from __future__ import annotations

from swarm.events.refusals import ALLOWED, Refused, Verdict
from swarm.modes import Case, Mode
from swarm.modes.questions import only_owner
from swarm.text.language import _


def may_raise_hand(case: Case, mode: Mode, *, has_skill: bool) -> Verdict:
    """Join unasked."""
    return mode.may_raise_hand(case, has_skill=has_skill)


def may_dismiss(case: Case) -> Verdict:
    """Let somebody go, or end an ask."""
    return ALLOWED if case.is_owner else only_owner(case, _("dismiss people or end an ask"))


def may_withdraw_guest(case: Case) -> Verdict:
    """End a guest's access, whoever invited them."""
    if case.is_owner or case.actor.manages:
        return ALLOWED
    return only_owner(case, _("end the access of a guest"))


def may_leave(case: Case) -> Verdict:
    """Go out of the room."""
    if case.standing == "swarm":
        return ALLOWED
    return Refused(_("You are not in this swarm."))
