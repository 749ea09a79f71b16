"""What happens in a room; nothing of it ever stands on a customer's stream."""

from __future__ import annotations

from dataclasses import dataclass

from swarm.events import Event, event
from swarm.text.language import N_


@event("room.asked", audience="staff", headline=N_("%(actor)s asked for help"))
@dataclass(frozen=True, kw_only=True)
class HelpAsked(Event):
    """An ask stands in the room."""

    ticket_id: int
    ask_id: int


@event("ask.opened", audience="staff", headline=N_("%(actor)s asked for help on a ticket of the team"))
@dataclass(frozen=True, kw_only=True)
class AskOpened(Event):
    """On the team's stream: somebody may raise a hand."""

    ticket_id: int
    ask_id: int


@event("ask.reached", audience="staff", headline=N_("%(actor)s asks for your help"))
@dataclass(frozen=True, kw_only=True)
class AskReached(Event):
    """On a person's stream: you are asked."""

    ticket_id: int
    ask_id: int
    invitation_id: int


@event("ask.settled", audience="staff", headline=N_("An ask no longer waits for you"))
@dataclass(frozen=True, kw_only=True)
class AskSettled(Event):
    """On a person's stream: answered, withdrawn or over."""

    ticket_id: int
    invitation_id: int


@event("room.invited", audience="staff", headline=N_("%(person)s was asked"))
@dataclass(frozen=True, kw_only=True)
class PersonInvited(Event):
    """One more person was reached by an ask."""

    ticket_id: int
    ask_id: int
    person_id: int


@event("room.accepted", audience="staff", headline=N_("%(actor)s accepted and joined"))
@dataclass(frozen=True, kw_only=True)
class AskAccepted(Event):
    """An invited person is in the swarm."""

    ticket_id: int
    ask_id: int
    person_id: int


@event("room.declined", audience="staff", headline=N_("%(person)s cannot help now"))
@dataclass(frozen=True, kw_only=True)
class AskDeclined(Event):
    """An invited person cannot help now."""

    ticket_id: int
    ask_id: int
    invitation_id: int
    person_id: int


@event("room.expired", audience="staff", headline=N_("%(person)s did not answer in time"))
@dataclass(frozen=True, kw_only=True)
class AskExpired(Event):
    """Somebody found by skill did not answer in time; they may still raise a hand."""

    ticket_id: int
    ask_id: int
    invitation_id: int
    person_id: int


@event("room.withdrawn", audience="staff", headline=N_("%(person)s is no longer asked"))
@dataclass(frozen=True, kw_only=True)
class InvitationWithdrawn(Event):
    """What was asked of somebody ended with their becoming the owner."""

    ticket_id: int
    ask_id: int
    person_id: int


@event("ask.over", audience="staff", headline=N_("An ask on a ticket of the team is over"))
@dataclass(frozen=True, kw_only=True)
class AskOver(Event):
    """On the team's stream: no hand needs to be raised any more."""

    ticket_id: int
    ask_id: int


@event("room.hand_raised", audience="staff", headline=N_("%(actor)s raised a hand and joined"))
@dataclass(frozen=True, kw_only=True)
class HandRaised(Event):
    """Somebody came unasked."""

    ticket_id: int
    person_id: int


@event("room.left", audience="staff", headline=N_("%(person)s left the room"))
@dataclass(frozen=True, kw_only=True)
class RoomLeft(Event):
    """Somebody went."""

    ticket_id: int
    person_id: int


@event("room.dismissed", audience="staff", headline=N_("%(actor)s dismissed %(person)s with thanks"))
@dataclass(frozen=True, kw_only=True)
class ExpertDismissed(Event):
    """The owner no longer needs somebody."""

    ticket_id: int
    person_id: int


@event("room.ask_closed", audience="staff", headline=N_("The ask was closed"))
@dataclass(frozen=True, kw_only=True)
class AskClosed(Event):
    """Nobody is asked any more."""

    ticket_id: int
    ask_id: int


@event("guest.invited", audience="staff", headline=N_("%(actor)s invited the guest %(guest)s"))
@dataclass(frozen=True, kw_only=True)
class GuestInvited(Event):
    """Somebody without an account was given a link into this room."""

    ticket_id: int
    guest_id: int


@event("guest.joined", audience="staff", headline=N_("%(actor)s joined as a guest"))
@dataclass(frozen=True, kw_only=True)
class GuestJoined(Event):
    """The link was exchanged, once."""

    ticket_id: int
    guest_id: int


@event("guest.left", audience="staff", headline=N_("%(actor)s left the room"))
@dataclass(frozen=True, kw_only=True)
class GuestLeft(Event):
    """A guest went, for good."""

    ticket_id: int
    guest_id: int


@event("guest.withdrawn", audience="staff", headline=N_("%(actor)s ended the access of the guest %(guest)s"))
@dataclass(frozen=True, kw_only=True)
class GuestWithdrawn(Event):
    """The owner or a manager put a guest out, or took an unused link back."""

    ticket_id: int
    guest_id: int


@event("guest.ended", audience="staff", headline=N_("The access of the guest %(guest)s ended"))
@dataclass(frozen=True, kw_only=True)
class GuestEnded(Event):
    """Their time is over, or the ticket's."""

    ticket_id: int
    guest_id: int
