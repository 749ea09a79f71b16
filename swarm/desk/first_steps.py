"""What an administrator does first, in an installation that has no ticket yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from swarm.people.models import Membership, Person, PersonSkill
from swarm.people.rules import may_manage_accounts
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, and whether it is done."""

    title: str
    text: str
    href: str
    action: str
    done: bool


def first_steps(work: Work) -> Sequence[Step]:
    """The steps in order; none for others, and none once a ticket is there."""
    session = work.session
    if not may_manage_accounts(work.actor) or session.scalar(select(Ticket.id).limit(1)) is not None:
        return ()
    people = session.scalar(select(func.count()).select_from(Person)) or 0
    placed = session.scalar(select(func.count(Membership.person_id.distinct()))) or 0
    skilled = session.scalar(select(PersonSkill.person_id).limit(1)) is not None
    return (
        Step(
            _("Settle your teams"),
            _("A team has its own intake, a duty lead, and tiers if it escalates. One is there already."),
            "/teams",
            _("See the teams"),
            placed > 1,
        ),
        Step(
            _("Give your colleagues accounts"),
            _("Each gets a link with which they choose a password."),
            "/people/new",
            _("New account"),
            people > 1,
        ),
        Step(
            _("Say who knows what"),
            _("Asks for help find people by their skills. Everybody can set their own."),
            "/skills",
            _("See the skills"),
            skilled,
        ),
        Step(
            _("Open the first ticket"),
            _("Yourself, for a customer who phoned. Customers do it on the page below."),
            "/tickets/new",
            _("New ticket"),
            False,
        ),
    )
