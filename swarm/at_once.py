"""Event → what must follow in the same transaction, across parts that do not know each other."""

from __future__ import annotations

from swarm.accounts.actions import end_with_account
from swarm.people.events import DutyLeadNamed, PersonDeactivated, SetUp
from swarm.rooms.actions import seat_owner, send_home, withdraw_person
from swarm.rooms.asking import close_asks
from swarm.rooms.events import AskDeclined, AskExpired
from swarm.routing.escalation import end_when_over, end_when_taken
from swarm.routing.matching import ask_next
from swarm.seeds import plant
from swarm.store.work import AtOnce
from swarm.tickets.actions import follow_duty_lead, leave_to_duty_leads
from swarm.tickets.events import (
    ModeMoved,
    TicketClosed,
    TicketFellToDutyLead,
    TicketHandedOver,
    TicketResolved,
    TicketReturned,
    TicketTaken,
    TicketTakenOver,
)

AT_ONCE: AtOnce = {
    SetUp: (plant,),
    PersonDeactivated: (end_with_account, leave_to_duty_leads, withdraw_person),
    DutyLeadNamed: (follow_duty_lead,),
    TicketTaken: (end_when_taken, seat_owner),
    TicketTakenOver: (end_when_taken, seat_owner),
    TicketHandedOver: (seat_owner,),
    TicketReturned: (seat_owner,),
    TicketFellToDutyLead: (seat_owner,),
    TicketResolved: (end_when_over, close_asks),
    TicketClosed: (send_home,),
    ModeMoved: (end_when_over, close_asks, send_home),
    AskDeclined: (ask_next,),
    AskExpired: (ask_next,),
}
