"""The audit log: who changed what about people, rights and rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts.entry import staff_read
from swarm.audit import queries
from swarm.audit.models import Audited
from swarm.desk.sections import page
from swarm.events import known_events
from swarm.events.refusals import ensure
from swarm.lanes.queries import headline, people_in
from swarm.people.models import Person, Team
from swarm.people.queries import Face, faces
from swarm.people.rules import may_manage_accounts
from swarm.store import Entry, Work
from swarm.text.language import _
from swarm.text.times import zone
from swarm.web.errors import Invalid
from swarm.web.forms import Form, Number, OneLine, read_query
from swarm.web.house import house_of
from swarm.web.render import Render

GROUPS: Mapping[str, tuple[str, ...]] = {
    "access": ("account.", "person.deactivated", "person.reactivated", "person.added", "person.set_swarm_up"),
    "rights": ("person.role_set", "person.address_set", "person.placed"),
    "teams": ("team.", "person.skills_set", "skill."),
    "tickets": ("ticket.", "guest."),
    "webhooks": ("webhook.",),
    "customers": ("customer.",),
}
"""What one can look for → the beginnings of the kinds it means."""


class Sought(Form):
    """What is looked for."""

    person: Annotated[int, Number(1)] | None = None
    ticket: Annotated[int, Number(1)] | None = None
    what: Annotated[str, OneLine(20, min=0)] = ""
    since: Annotated[str, OneLine(10, min=0)] = ""
    until: Annotated[str, OneLine(10, min=0)] = ""
    before: Annotated[int, Number(1)] | None = None

    def __post_init__(self) -> None:
        problems = {}
        for name in ("since", "until"):
            try:
                _day(getattr(self, name))
            except ValueError:
                problems[name] = _("This is no date, such as 2026-11-23.")
        if self.what and self.what not in GROUPS:
            problems["what"] = _("Choose one of the offered.")
        if problems:
            raise Invalid(problems)


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of the log."""

    at: datetime
    actor: Face | None
    sentence: str
    about: str
    href: str


async def show(request: Request) -> Response:
    """A page of it, newest first."""
    form = read_query(request, Sought)

    def draw(work: Work) -> Markup:
        ensure(may_manage_accounts(work.actor))
        search = queries.Search(
            person_id=form.person,
            ticket_id=form.ticket,
            kinds=_kinds(form.what),
            since=_start(form.since),
            until=_start(form.until, days=1),
        )
        found = queries.page(work.session, search, form.before)
        shown = found[: queries.PAGE]
        older = ""
        if len(found) > queries.PAGE:
            asked = {"person": form.person, "ticket": form.ticket, "what": form.what}
            asked |= {"since": form.since, "until": form.until, "before": shown[-1].id}
            older = f"/audit?{urlencode({name: value for name, value in asked.items() if value})}"
        people = select(Person.id, Person.name).order_by(Person.name, Person.id)
        context: dict[str, Any] = page(work, "audit") | {
            "lines": _lines(work.session, shown),
            "older": older,
            "filter": form,
            "people": work.session.execute(people).all(),
            "groups": _groups(),
        }
        return house_of(request).render.html(request, "administration/audit.html", context)

    return Render.response(await staff_read(request, draw))


def _groups() -> list[tuple[str, str]]:
    return [
        ("access", _("Accounts and signing in")),
        ("rights", _("Roles and membership")),
        ("teams", _("Teams, skills and how they work")),
        ("tickets", _("Stepping in on tickets")),
        ("webhooks", _("What other programs are told")),
        ("customers", _("Customers’ records")),
    ]


def _kinds(what: str) -> list[str]:
    if not what:
        return []
    return [kind for kind in known_events() if kind.startswith(GROUPS[what])]


def _day(text: str) -> date | None:
    day = date.fromisoformat(text) if text else None
    if day is not None and not 2000 <= day.year < 2200:
        raise ValueError("far from any day of ours")
    return day


def _start(text: str, days: int = 0) -> datetime | None:
    """The first moment of a day, or of so many days later, where the reader is."""
    day = _day(text)
    if day is None:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=zone()) + timedelta(days=days)


def _lines(session: Session, rows: Sequence[Audited]) -> list[AuditLine]:
    entries = [Entry(row.about, row.id, row.kind, row.at, row.actor, row.data) for row in rows]
    names = faces(session, people_in(entries))
    names["nobody"] = Face("nobody:0", _("somebody without an account"))
    ids = {int(row.about.partition(":")[2]) for row in rows if row.about.startswith("team:")}
    teams = {team.id: team for team in session.scalars(select(Team).where(Team.id.in_(ids)))}
    return [
        AuditLine(
            entry.at, names.get(entry.actor), headline(entry, names), *_about(entry.stream, names, teams)
        )
        for entry in entries
    ]


def _about(key: str, names: Mapping[str, Face], teams: Mapping[int, Team]) -> tuple[str, str]:
    kind, _colon, number = key.partition(":")
    if kind == "person" and key in names:
        return names[key].name, f"/people/{number}"
    if kind == "team" and int(number) in teams:
        team = teams[int(number)]
        return team.name, f"/teams/{team.key}"
    if kind == "webhook":
        return _("Webhook"), f"/webhooks/{number}"
    if kind == "customer":
        return _("Customer %(number)s", number=number), f"/customers/{number}"
    return (_("Ticket %(number)s", number=number), f"/tickets/{number}") if kind == "ticket" else ("", "")
