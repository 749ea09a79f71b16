"""The questions a mode answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from swarm.events.refusals import ALLOWED, Refused, Verdict
from swarm.modes.case import Case
from swarm.text.language import _


class Mode(ABC):
    """How a ticket is worked; subclasses answer from the table in `docs/guarantees.md`."""

    key: ClassVar[str]
    icon: ClassVar[str]

    @property
    @abstractmethod
    def name(self) -> str:
        """As a person reads it."""

    @property
    @abstractmethod
    def room_name(self) -> str:
        """What the internal lane is called."""

    @property
    @abstractmethod
    def room_prompt(self) -> str:
        """What stands in the empty composer of the internal lane."""

    @abstractmethod
    def may_write_room(self, case: Case) -> Verdict:
        """Write in the room."""

    @abstractmethod
    def may_read_room(self, case: Case) -> Verdict:
        """Read the room."""

    @abstractmethod
    def may_ask(self, case: Case) -> Verdict:
        """Ask for help, invite by name, dismiss."""

    @abstractmethod
    def may_invite_guest(self, case: Case) -> Verdict:
        """Let somebody without an account into the room."""

    @abstractmethod
    def may_raise_hand(self, case: Case, *, has_skill: bool) -> Verdict:
        """Join unasked; `has_skill`: an open ask wants a skill of theirs."""

    @abstractmethod
    def may_escalate(self, case: Case) -> Verdict:
        """Ask the next tier to take it over."""

    @abstractmethod
    def may_return(self, case: Case) -> Verdict:
        """Send it back down."""

    @abstractmethod
    def may_take(self, case: Case) -> Verdict:
        """Become its owner."""

    @abstractmethod
    def may_receive(self, case: Case) -> Verdict:
        """Be handed the ticket; `case.actor` is the person who would get it."""

    @abstractmethod
    def tier_after_taking(self, case: Case) -> int:
        """The rung that has it once the actor owns it."""

    def may_hand_over(self, case: Case) -> Verdict:
        """Give it to a named person."""
        return ALLOWED if case.is_owner else only_owner(case, _("hand this ticket over"))

    def waits_without_owner(self, tier: int) -> int:
        """Where it waits when whoever worked it has left: 0 the intake, or the rung that has it."""
        return 0

    def next_tier(self, case: Case) -> int | None:
        """The rung above, where there is one."""
        return None


def only_owner(case: Case, what: str) -> Refused:
    """The usual refusal, naming the owner."""
    return Refused(
        _("Only the owner can %(what)s. %(owner)s owns it now.") % {"what": what, "owner": case.owner_name}
    )


def from_intake(case: Case) -> Verdict | None:
    """Taking from the team's queue is alike in every mode; none where it is not in the intake."""
    if case.queued_for != 0:
        return None
    if case.in_team:
        return ALLOWED
    return Refused(_("Only members of the team can take a ticket from its queue."))
