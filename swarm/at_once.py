"""What must follow an event in the same transaction: event → what follows, across parts that do not know each other."""

from __future__ import annotations

from swarm.accounts.actions import end_with_account
from swarm.people.events import DutyLeadNamed, PersonDeactivated
from swarm.rooms.actions import close_asks, send_home, withdraw_person
from swarm.rooms.events import AskDeclined
from swarm.routing.escalation import end_when_over, end_when_taken
from swarm.routing.matching import ask_next
from swarm.store.work import AtOnce
from swarm.tickets.actions import follow_duty_lead, leave_to_duty_leads
from swarm.tickets.events import ModeMoved, TicketResolved, TicketTaken, TicketTakenOver

AT_ONCE: AtOnce = {
    PersonDeactivated: (end_with_account, leave_to_duty_leads, withdraw_person),
    DutyLeadNamed: (follow_duty_lead,),
    TicketTaken: (end_when_taken,),
    TicketTakenOver: (end_when_taken,),
    TicketResolved: (end_when_over, close_asks),
    ModeMoved: (end_when_over, close_asks, send_home),
    AskDeclined: (ask_next,),
}
