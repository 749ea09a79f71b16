"""The demo's steps as what people do: each one an action, by that person, at that time."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from sqlalchemy import select

from swarm.demo.cast import CustomerPart, Step, Switch, TicketPart
from swarm.events import Actor
from swarm.modes import policy
from swarm.people.actions import add_customer
from swarm.people.models import Customer, Team
from swarm.people.queries import person_actor
from swarm.rooms import actions as rooms
from swarm.rooms.models import Invitation
from swarm.routing.escalation import escalate, send_back
from swarm.routing.matching import ask_for_help
from swarm.store import Work, log
from swarm.tickets import actions as tickets
from swarm.tickets.models import Message, Ticket
from swarm.tickets.opening import PRIORITIES, NewTicket, customer_actor, open_ticket
from swarm.tickets.posting import LaneKey, post


class Playing:
    """One transaction in which the demo happens; ids by the keys its files use."""

    def __init__(
        self,
        work: Work,
        staff: dict[str, int],
        teams: dict[str, int],
        skills: dict[str, int],
        reopen_days: int,
    ) -> None:
        self.work = work
        self.staff = staff
        self.teams = teams
        self.skills = skills
        self.reopen_days = reopen_days
        self._tickets: dict[int, int] = {}
        self._customers: dict[str, Customer] = {}
        self._sent = count(1)

    def switch(self, part: Switch) -> None:
        """A manager sets how a team works."""
        self._act_as(part.by)
        team = self.work.session.get_one(Team, self.teams[part.team])
        policy.switch(self.work, team.id, part.policy, part.share, part.note, team.policy_version)

    def open(self, number: int, part: TicketPart) -> None:
        """A customer opens ticket `number` of the files."""
        customer = self._customer(part.customer)
        self.work.actor = customer_actor(customer)
        self._tickets[number] = open_ticket(
            self.work,
            NewTicket(
                team_id=self.teams[part.team],
                subject=part.subject,
                body=part.body.strip(),
                customer=customer,
                language=part.customer.language,
                client_id=self._client_id(),
                priority=PRIORITIES.index(part.priority),
                category=part.category,
                tags=part.tags,
            ),
        ).id

    def step(self, number: int, step: Step) -> None:
        """Something happens to ticket `number`."""
        ticket = self._tickets[number]
        if step.do == "customer":
            self.work.actor = self._customer_of(ticket)
            self._post(ticket, "lane", step.text)
            return
        self._act_as(step.by)
        self._do(ticket, step)
        for stream in (f"lane:{ticket}", f"room:{ticket}"):
            if head := log.heads(self.work.session, [stream])[stream]:
                tickets.mark_read(self.work, stream, head)

    def _do(self, ticket: int, step: Step) -> None:
        work = self.work
        match step.do:
            case "take":
                tickets.take(work, ticket)
            case "reply":
                self._post(ticket, "lane", step.text, wait=step.wait)
            case "room":
                self._post(ticket, "room", step.text)
            case "ask":
                ask_for_help(
                    work,
                    ticket,
                    question=step.question,
                    tried=step.tried,
                    skill_ids=[self.skills[key] for key in step.skills],
                    person_ids=[self.staff[key] for key in step.people],
                    client_id=self._client_id(),
                )
            case "accept":
                rooms.accept(work, self._invitation(ticket))
            case "decline":
                rooms.decline(work, self._invitation(ticket), step.why)
            case "raise_hand":
                rooms.raise_hand(work, ticket)
            case "leave":
                rooms.leave(work, ticket)
            case "mark_answer":
                tickets.mark_answer(work, ticket, self._last_of_others(ticket))
            case "resolve":
                if step.note:
                    self._post(ticket, "room", step.note)
                tickets.resolve(work, ticket)
            case "hold":
                tickets.set_pace(work, ticket, "on_hold")
            case "escalate":
                escalate(work, ticket, step.reason, step.note)
            case "return":
                send_back(work, ticket, step.reason)
            case "hand_over":
                tickets.hand_over(work, ticket, self.staff[step.to], step.reason)
            case "customer":
                raise AssertionError("the customer is no colleague")

    def _act_as(self, key: str) -> None:
        self.work.actor = person_actor(self.work.session, self.staff[key])

    def _post(self, ticket: int, lane: LaneKey, text: str, *, wait: bool = False) -> None:
        post(
            self.work, ticket, lane, text.strip(), self._client_id(), wait=wait, reopen_days=self.reopen_days
        )

    def _client_id(self) -> str:
        return f"demo-{next(self._sent)}"

    def _customer(self, part: CustomerPart) -> Customer:
        if part.email not in self._customers:
            self._customers[part.email] = add_customer(
                self.work, name=part.name, email=part.email, company=part.company, language=part.language
            )
        return self._customers[part.email]

    def _customer_of(self, ticket: int) -> Actor:
        customer = self.work.session.get_one(Ticket, ticket).customer_id
        return replace(
            customer_actor(self.work.session.get_one(Customer, customer)), cases=frozenset({ticket})
        )

    def _invitation(self, ticket: int) -> int:
        return self.work.session.scalars(
            select(Invitation.id)
            .where(
                Invitation.ticket_id == ticket,
                Invitation.person_id == self.work.actor.person_id,
                Invitation.state == "pending",
            )
            .order_by(Invitation.id.desc())
            .limit(1)
        ).one()

    def _last_of_others(self, ticket: int) -> int:
        return self.work.session.scalars(
            select(Message.id)
            .where(Message.ticket_id == ticket, Message.lane == "room", Message.author != self.work.actor.key)
            .order_by(Message.id.desc())
            .limit(1)
        ).one()
