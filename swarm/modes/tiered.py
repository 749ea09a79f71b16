"""Classic tiered support: a ticket climbs from tier to tier."""

from __future__ import annotations

from swarm.events.refusals import ALLOWED, Refused, Verdict
from swarm.modes.case import Case
from swarm.modes.questions import Mode, from_intake, only_owner
from swarm.text.language import _


class Tiered(Mode):
    """Ownership climbs; help means asking the next tier to take over."""

    key = "tiered"
    icon = "ladder"

    @property
    def name(self) -> str:
        return _("Tiered")

    @property
    def room_name(self) -> str:
        return _("Team notes")

    @property
    def room_prompt(self) -> str:
        return _("Write to the team notes…")

    def may_read_room(self, case: Case) -> Verdict:
        if case.in_team or case.is_owner or case.actor.manages:
            return ALLOWED
        return Refused(_("This ticket is tiered: its room is for the team."))

    def may_write_room(self, case: Case) -> Verdict:
        waits = case.waits_for_tier is not None and case.rung == case.waits_for_tier
        if case.is_owner or case.is_duty_lead or (case.in_team and case.owned_before) or waits:
            return ALLOWED
        return Refused(
            _(
                "This ticket is tiered: its owner, earlier owners, the tier it waits for "
                "and the duty lead write here."
            )
        )

    def may_ask(self, case: Case) -> Verdict:
        if (tier := self.next_tier(case)) is not None:
            return Refused(
                _("This ticket is tiered: nobody is invited to it. Escalate it to tier %(tier)s instead.")
                % {"tier": tier}
            )
        return Refused(_("This ticket is tiered and already with the highest tier: nobody is invited to it."))

    def may_invite_guest(self, case: Case) -> Verdict:
        return self.may_ask(case)

    def may_raise_hand(self, case: Case, *, has_skill: bool) -> Verdict:
        return Refused(_("This ticket is tiered: people come to it by escalation, not by raising a hand."))

    def may_escalate(self, case: Case) -> Verdict:
        if not case.is_owner:
            return only_owner(case, _("escalate this ticket"))
        if not case.is_active:
            return Refused(_("A resolved ticket is not escalated. Reopen it first."))
        if case.waits_for_tier is not None:
            return Refused(_("It already waits for tier %(tier)s.") % {"tier": case.waits_for_tier})
        if case.queued_for == 0:
            return Refused(_("Nobody has taken this ticket yet. Take it first."))
        if self.next_tier(case) is None:
            return Refused(_("Tier %(tier)s is the highest tier of this team.") % {"tier": case.tier})
        if not case.staffed_above:
            return Refused(_("Nobody is in tier %(tier)s of this team.") % {"tier": case.tier + 1})
        return ALLOWED

    def may_return(self, case: Case) -> Verdict:
        if not case.is_active:
            return Refused(_("A resolved ticket is not returned. Reopen it first."))
        if case.waits_for_tier is not None:
            if case.is_owner or case.rung == case.waits_for_tier:
                return ALLOWED
            return Refused(
                _("Only its owner and tier %(tier)s can return this ticket.") % {"tier": case.waits_for_tier}
            )
        if case.tier <= 1:
            return Refused(_("Tier 1 has this ticket: there is nothing below to return it to."))
        if case.is_owner:
            return ALLOWED
        return only_owner(case, _("return this ticket"))

    def may_take(self, case: Case) -> Verdict:
        if (intake := from_intake(case)) is not None:
            return intake
        if case.waits_for_tier is None:
            return Refused(_("%(owner)s is working on this ticket.") % {"owner": case.owner_name})
        if case.rung == case.waits_for_tier:
            return ALLOWED
        return Refused(
            _("It waits for tier %(tier)s: only somebody there can take it.") % {"tier": case.waits_for_tier}
        )

    def may_receive(self, case: Case) -> Verdict:
        if case.rung == case.tier:
            return ALLOWED
        return Refused(
            _(
                "A tiered ticket is handed over within its tier, "
                "and %(name)s is not in tier %(tier)s of this team."
            )
            % {"name": case.actor.name, "tier": case.tier}
        )

    def tier_after_taking(self, case: Case) -> int:
        return case.rung or case.tier

    def waits_without_owner(self, tier: int) -> int:
        return tier if tier > 1 else 0

    def next_tier(self, case: Case) -> int | None:
        return case.tier + 1 if case.tier < case.top_tier else None


TIERED = Tiered()
