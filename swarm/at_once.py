"""Event → what must follow in the same transaction, across parts that do not know each other."""

from __future__ import annotations

from collections.abc import Sequence

from swarm.accounts.actions import end_with_account
from swarm.accounts.events import (
    AccountLinkMade,
    FactorAdded,
    FactorRemoved,
    PasswordSet,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    SecondStepRequired,
    SignedIn,
    SignedOutEverywhere,
    TokenEnded,
    TokenMade,
)
from swarm.accounts.second_step import end_sessions_without
from swarm.audit.actions import note
from swarm.customers.events import CustomerChanged, CustomersMerged
from swarm.events import Event
from swarm.modes.events import PolicyChanged
from swarm.outbound.events import (
    WebhookAdded,
    WebhookChanged,
    WebhookGivenUp,
    WebhookRemoved,
    WebhookSecretRenewed,
    WebhookSwitchedOff,
    WebhookSwitchedOn,
)
from swarm.people.events import (
    AddressSet,
    DutyLeadNamed,
    PersonAdded,
    PersonDeactivated,
    PersonPlaced,
    PersonReactivated,
    RoleSet,
    SetUp,
    SkillAdded,
    SkillRemoved,
    SkillRenamed,
    SkillsSet,
    TeamChanged,
    TeamCreated,
)
from swarm.rooms.actions import seat_owner, send_home, withdraw_person
from swarm.rooms.asking import close_asks, keep_what_was_asked
from swarm.rooms.events import AskDeclined, AskExpired, GuestInvited, GuestJoined, GuestWithdrawn
from swarm.rooms.guests import send_guests_home
from swarm.routing.escalation import end_when_over, end_when_taken
from swarm.routing.matching import ask_next
from swarm.seeds import plant
from swarm.store.work import AtOnce
from swarm.tickets.actions import follow_duty_lead, leave_to_duty_leads
from swarm.tickets.events import (
    LinkMade,
    LinksEnded,
    ModeMoved,
    TicketClosed,
    TicketFellToDutyLead,
    TicketHandedOver,
    TicketResolved,
    TicketReturned,
    TicketTaken,
    TicketTakenOver,
)

AUDITED: Sequence[type[Event]] = (
    SetUp,
    PersonAdded,
    PersonDeactivated,
    PersonReactivated,
    RoleSet,
    AddressSet,
    PersonPlaced,
    SkillsSet,
    SkillAdded,
    SkillRenamed,
    SkillRemoved,
    TeamCreated,
    TeamChanged,
    DutyLeadNamed,
    PolicyChanged,
    AccountLinkMade,
    PasswordSet,
    SignedIn,
    SignedOutEverywhere,
    FactorAdded,
    FactorRemoved,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    SecondStepRequired,
    TokenMade,
    TokenEnded,
    ModeMoved,
    TicketTakenOver,
    LinkMade,
    LinksEnded,
    GuestInvited,
    GuestJoined,
    GuestWithdrawn,
    WebhookAdded,
    WebhookChanged,
    WebhookSwitchedOn,
    WebhookSwitchedOff,
    WebhookGivenUp,
    WebhookSecretRenewed,
    WebhookRemoved,
    CustomerChanged,
    CustomersMerged,
)
"""What the audit log keeps."""

FOLLOWS: AtOnce = {
    SetUp: (plant,),
    PersonDeactivated: (end_with_account, leave_to_duty_leads, withdraw_person),
    DutyLeadNamed: (follow_duty_lead,),
    TicketTaken: (end_when_taken, seat_owner),
    TicketTakenOver: (end_when_taken, seat_owner),
    TicketHandedOver: (seat_owner,),
    TicketReturned: (seat_owner,),
    TicketFellToDutyLead: (seat_owner,),
    TicketResolved: (end_when_over, close_asks, send_guests_home),
    TicketClosed: (send_home, send_guests_home),
    ModeMoved: (end_when_over, close_asks, send_home, send_guests_home),
    AskDeclined: (ask_next,),
    AskExpired: (ask_next,),
    SkillRemoved: (keep_what_was_asked,),
    RoleSet: (end_sessions_without,),
}

AT_ONCE: AtOnce = {**FOLLOWS, **{event: (note, *FOLLOWS.get(event, ())) for event in AUDITED}}
