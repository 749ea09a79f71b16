"""May this person do that with this ticket? The button and the action ask the same rule."""

from __future__ import annotations

from swarm.events import Actor
from swarm.events.refusals import ALLOWED, Refused, Verdict
from swarm.modes import Case, Mode
from swarm.modes.questions import only_owner
from swarm.text.language import _

Lane = str


def may_open(actor: Actor, team_id: int) -> Verdict:
    """Open a ticket for a customer: in a team of one's own; managers in any."""
    if actor.manages or team_id in actor.rungs:
        return ALLOWED
    return Refused(_("You can open tickets in the teams you are in."))


def may_answer_customer(case: Case) -> Verdict:
    """Write in the customer lane as staff."""
    if case.is_closed:
        return Refused(_("This ticket is closed."))
    if case.is_owner:
        return ALLOWED
    return Refused(
        _("Only the owner answers the customer. %(owner)s owns this ticket.") % {"owner": case.owner_name}
    )


def may_write_room(case: Case, mode: Mode) -> Verdict:
    """Write in the room."""
    if case.is_closed:
        return Refused(_("This ticket is closed."))
    return mode.may_write_room(case)


def may_take(case: Case, mode: Mode) -> Verdict:
    """Become its owner; managers may at any time, openly."""
    if case.is_closed:
        return Refused(_("This ticket is closed."))
    if case.is_owner and case.queued_for is None:
        return Refused(_("You own this ticket already."))
    if case.actor.manages:
        return ALLOWED
    return mode.may_take(case)


def may_hand_over(case: Case, mode: Mode) -> Verdict:
    """Give it to a named person."""
    if case.is_closed:
        return Refused(_("This ticket is closed."))
    return mode.may_hand_over(case)


def may_resolve(case: Case) -> Verdict:
    """Hold it for solved, or mark the answer."""
    if case.status in ("resolved", "closed"):
        return Refused(_("This ticket is resolved already."))
    return ALLOWED if case.is_owner else only_owner(case, _("resolve this ticket"))


def may_reopen(case: Case) -> Verdict:
    """Open a resolved ticket again."""
    if case.status != "resolved":
        return Refused(_("Only a resolved ticket can be reopened."))
    return ALLOWED if case.is_owner else only_owner(case, _("reopen this ticket"))


def may_hold(case: Case) -> Verdict:
    """Put it on hold, let it wait for the customer, or go on."""
    if not case.is_active:
        return Refused(_("This ticket is resolved."))
    return ALLOWED if case.is_owner else only_owner(case, _("put this ticket on hold"))


def may_mark_answer(case: Case) -> Verdict:
    """Say which message of the room is the answer."""
    if case.is_closed:
        return Refused(_("This ticket is closed."))
    return ALLOWED if case.is_owner else only_owner(case, _("mark the answer"))


def may_change_details(case: Case) -> Verdict:
    """Priority, category, language, tags: the owner and the team, who sort the queue together."""
    if case.is_closed:
        return Refused(_("This ticket is closed."))
    if case.is_owner or case.in_team or case.actor.manages:
        return ALLOWED
    return Refused(_("The owner and the team change the details of this ticket."))


def may_move_mode(case: Case) -> Verdict:
    """Move one ticket to the other mode."""
    if not case.actor.manages:
        return Refused(_("Only a manager moves a ticket to the other mode."))
    if not case.is_active:
        return Refused(_("This ticket is resolved."))
    return ALLOWED


def may_make_link(case: Case) -> Verdict:
    """Make a new one-time link for the customer."""
    return ALLOWED if case.is_owner else only_owner(case, _("make a link for the customer"))
