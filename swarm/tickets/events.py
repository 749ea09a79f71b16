"""What happens to a ticket.

What a customer may know stands on the lane's stream, the rest on the room's: the numbers a customer sees tell
nothing of the room.
"""

from __future__ import annotations

from dataclasses import dataclass

from swarm.events import Event, event
from swarm.text.language import N_


@event("ticket.opened", audience="customer", headline=N_("%(actor)s opened the ticket"))
@dataclass(frozen=True, kw_only=True)
class TicketOpened(Event):
    """A case begins."""

    ticket_id: int


@event("ticket.owner_shown", audience="customer", headline=N_("%(to)s looks after this ticket"))
@dataclass(frozen=True, kw_only=True)
class OwnerShown(Event):
    """The customer is told who answers for the case."""

    ticket_id: int
    to_id: int


@event("lane.message_posted", audience="customer", headline=N_("%(actor)s wrote"))
@dataclass(frozen=True, kw_only=True)
class LaneMessagePosted(Event):
    """A text in the customer lane."""

    ticket_id: int
    message_id: int
    by_staff: bool


@event("room.message_posted", audience="staff", headline=N_("%(actor)s wrote in the room"))
@dataclass(frozen=True, kw_only=True)
class RoomMessagePosted(Event):
    """A text in the room."""

    ticket_id: int
    message_id: int


@event("ticket.waiting", audience="customer", headline=N_("Waiting for the customer’s answer"))
@dataclass(frozen=True, kw_only=True)
class TicketWaiting(Event):
    """Nothing more can be done before the customer answers."""

    ticket_id: int


@event("ticket.held", audience="customer", headline=N_("%(actor)s put the ticket on hold"))
@dataclass(frozen=True, kw_only=True)
class TicketHeld(Event):
    """It rests for a while."""

    ticket_id: int


@event("ticket.resumed", audience="customer", headline=N_("Work on the ticket goes on"))
@dataclass(frozen=True, kw_only=True)
class TicketResumed(Event):
    """It no longer waits or rests."""

    ticket_id: int


@event("ticket.resolved", audience="customer", headline=N_("%(actor)s resolved the ticket"))
@dataclass(frozen=True, kw_only=True)
class TicketResolved(Event):
    """The owner holds it for solved."""

    ticket_id: int


@event("ticket.reopened", audience="customer", headline=N_("%(actor)s reopened the ticket"))
@dataclass(frozen=True, kw_only=True)
class TicketReopened(Event):
    """It was not solved after all."""

    ticket_id: int


@event("ticket.closed", audience="customer", headline=N_("The ticket was closed"))
@dataclass(frozen=True, kw_only=True)
class TicketClosed(Event):
    """Ended for good."""

    ticket_id: int


@event(
    "ticket.file_refused",
    audience="staff",
    headline=N_("The virus scan refused “%(name)s” from %(actor)s: %(verdict)s"),
)
@dataclass(frozen=True, kw_only=True)
class FileRefused(Event):
    """For the audit log alone. `ticket_id` 0: of a ticket that was not opened yet."""

    ticket_id: int
    name: str
    verdict: str


@event("ticket.queued", audience="staff", headline=N_("Waits in the team’s queue"))
@dataclass(frozen=True, kw_only=True)
class TicketQueued(Event):
    """On the team's stream: somebody may take it. `tier` 0 is the intake."""

    ticket_id: int
    tier: int


@event("ticket.left_queue", audience="staff", headline=N_("Left the team’s queue"))
@dataclass(frozen=True, kw_only=True)
class TicketLeftQueue(Event):
    """On the team's stream: nobody needs to take it any more."""

    ticket_id: int


@event("ticket.taken", audience="staff", headline=N_("%(to)s took the ticket"))
@dataclass(frozen=True, kw_only=True)
class TicketTaken(Event):
    """Somebody became its owner by taking it."""

    ticket_id: int
    from_id: int
    to_id: int


@event(
    "ticket.taken_over",
    audience="staff",
    headline=N_("%(to)s took the ticket over from %(from)s, as a manager"),
)
@dataclass(frozen=True, kw_only=True)
class TicketTakenOver(Event):
    """A manager stepped in, openly."""

    ticket_id: int
    from_id: int
    to_id: int


@event(
    "ticket.handed_over",
    audience="staff",
    headline=N_("%(actor)s handed the ticket over to %(to)s"),
)
@dataclass(frozen=True, kw_only=True)
class TicketHandedOver(Event):
    """The owner gave it to a named person."""

    ticket_id: int
    from_id: int
    to_id: int


@event(
    "ticket.returned_to",
    audience="staff",
    headline=N_("%(actor)s returned the ticket to %(to)s, tier %(tier)s"),
)
@dataclass(frozen=True, kw_only=True)
class TicketReturned(Event):
    """It went back down a tier."""

    ticket_id: int
    from_id: int
    to_id: int
    tier: int


@event(
    "ticket.fell_to",
    audience="staff",
    headline=N_("%(to)s owns the ticket now, as the duty lead, after %(from)s"),
)
@dataclass(frozen=True, kw_only=True)
class TicketFellToDutyLead(Event):
    """Its owner can own nothing any more, or the duty lead changed."""

    ticket_id: int
    from_id: int
    to_id: int


@event("ticket.yours", audience="staff", headline=N_("A ticket became yours"))
@dataclass(frozen=True, kw_only=True)
class TicketBecameYours(Event):
    """On a person's stream."""

    ticket_id: int


@event("ticket.not_yours", audience="staff", headline=N_("A ticket went to somebody else"))
@dataclass(frozen=True, kw_only=True)
class TicketLeftYou(Event):
    """On a person's stream."""

    ticket_id: int


@event("ticket.customer_wrote", audience="staff", headline=N_("The customer answered on a ticket of yours"))
@dataclass(frozen=True, kw_only=True)
class CustomerWrote(Event):
    """On the owner's stream."""

    ticket_id: int


@event("ticket.moved", audience="staff", headline=N_("Something changed on a ticket of yours"))
@dataclass(frozen=True, kw_only=True)
class TicketMoved(Event):
    """On the owner's stream: its place in their lists may be another."""

    ticket_id: int


@event("ticket.details_changed", audience="staff", headline=N_("%(actor)s changed %(what)s"))
@dataclass(frozen=True, kw_only=True)
class DetailsChanged(Event):
    """Priority, category, language or tags; `what` lists their names in the code."""

    ticket_id: int
    what: str


@event(
    "ticket.mode_moved",
    audience="staff",
    headline=N_("%(actor)s moved the ticket: it is now %(mode)s"),
)
@dataclass(frozen=True, kw_only=True)
class ModeMoved(Event):
    """A manager moved one ticket; it still counts for the mode it was assigned."""

    ticket_id: int
    mode: str
    reason: str


@event("ticket.answer_marked", audience="staff", headline=N_("%(actor)s marked the answer"))
@dataclass(frozen=True, kw_only=True)
class AnswerMarked(Event):
    """One message of the room is the answer; `before_id` was, until now."""

    ticket_id: int
    message_id: int
    before_id: int | None


@event("ticket.answer_unmarked", audience="staff", headline=N_("%(actor)s took the mark of the answer back"))
@dataclass(frozen=True, kw_only=True)
class AnswerUnmarked(Event):
    """No message is the answer any more; `before_id` was."""

    ticket_id: int
    before_id: int


@event("ticket.link_made", audience="staff", headline=N_("%(actor)s made a link for the customer"))
@dataclass(frozen=True, kw_only=True)
class LinkMade(Event):
    """A one-time link to the customer lane exists."""

    ticket_id: int


@event("ticket.links_ended", audience="staff", headline=N_("%(actor)s ended the customer's access"))
@dataclass(frozen=True, kw_only=True)
class LinksEnded(Event):
    """No link to the customer lane opens it any more, and no browser that used one sees it."""

    ticket_id: int


@event(
    "lane.letters_stopped",
    audience="customer",
    headline=N_("%(actor)s wants no more letters about this ticket"),
)
@dataclass(frozen=True, kw_only=True)
class LettersStopped(Event):
    """The customer reads of it on the page alone."""

    ticket_id: int


@event(
    "lane.letters_wanted",
    audience="customer",
    headline=N_("%(actor)s wants letters about this ticket again"),
)
@dataclass(frozen=True, kw_only=True)
class LettersWanted(Event):
    """Answers go to the customer by mail too."""

    ticket_id: int
