"""Tierless support: one owner to the end, who pulls in whoever can help."""

from __future__ import annotations

from swarm.events.refusals import ALLOWED, Refused, Verdict
from swarm.modes.case import Case
from swarm.modes.questions import Mode, from_intake, only_owner
from swarm.text.language import _


class Tierless(Mode):
    """The owner stays; help comes to the ticket."""

    key = "tierless"
    icon = "hive"

    @property
    def name(self) -> str:
        return _("Tierless")

    @property
    def room_name(self) -> str:
        return _("Swarm")

    @property
    def room_prompt(self) -> str:
        return _("Write to the swarm…")

    def may_read_room(self, case: Case) -> Verdict:
        if case.in_team or case.is_owner or case.standing is not None or case.actor.manages:
            return ALLOWED
        return Refused(_("This room is for the team and the people the owner asked."))

    def may_write_room(self, case: Case) -> Verdict:
        if case.is_owner or case.standing in ("swarm", "guest"):
            return ALLOWED
        if case.standing == "asked":
            return Refused(_("Accept the ask to write in this room."))
        if case.in_team and case.is_active:
            return Refused(_("The owner and the swarm write here. Raise a hand to join."))
        return Refused(_("The owner and the swarm write here."))

    def may_ask(self, case: Case) -> Verdict:
        if not case.is_owner:
            return only_owner(case, _("ask for help on this ticket"))
        if not case.is_active:
            return Refused(_("The ticket is resolved. Reopen it to ask for help."))
        return ALLOWED

    def may_invite_guest(self, case: Case) -> Verdict:
        if not case.is_owner:
            return only_owner(case, _("invite a guest to this ticket"))
        if not case.is_active:
            return Refused(_("The ticket is resolved. Reopen it to invite a guest."))
        return ALLOWED

    def may_raise_hand(self, case: Case, *, has_skill: bool) -> Verdict:
        if case.is_owner:
            return Refused(_("You own this ticket already."))
        if case.standing == "swarm":
            return Refused(_("You are in this swarm already."))
        if not case.is_active:
            return Refused(_("The ticket is resolved: there is nothing left to help with."))
        if case.in_team or has_skill:
            return ALLOWED
        return Refused(_("Members of the team and people with a skill it asks for can raise a hand."))

    def may_escalate(self, case: Case) -> Verdict:
        return Refused(_("This ticket is tierless: its owner keeps it. Ask for help instead."))

    def may_return(self, case: Case) -> Verdict:
        return Refused(_("This ticket is tierless: there is no tier to return it to. Hand it over instead."))

    def may_take(self, case: Case) -> Verdict:
        if (intake := from_intake(case)) is not None:
            return intake
        return Refused(_("%(owner)s is working on this ticket.") % {"owner": case.owner_name})

    def may_receive(self, case: Case) -> Verdict:
        if case.in_team or case.standing == "swarm":
            return ALLOWED
        return Refused(
            _("%(name)s is neither in the team nor in the swarm of this ticket.") % {"name": case.actor.name}
        )

    def tier_after_taking(self, case: Case) -> int:
        return case.tier


TIERLESS = Tierless()
