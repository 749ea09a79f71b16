"""Who asks: the list, one record with everything about them, and what colleagues note."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_time
from markupsafe import Markup
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from swarm.accounts.entry import staff_read
from swarm.customers import actions, queries, rules
from swarm.customers.actions import MOST_NOTES, Known
from swarm.desk.acting import act
from swarm.desk.frame import frame
from swarm.desk.me import zones
from swarm.lanes.queries import headline, people_in
from swarm.people.customers import records_of
from swarm.people.models import Customer
from swarm.people.queries import Face, faces
from swarm.store import Entry, Work, log
from swarm.store.paging import BadCursor
from swarm.text.language import _, current, ngettext
from swarm.tickets.words import LANGUAGES, language_word
from swarm.web.errors import BadRequest, Invalid, NotFound, Problem, Typed
from swarm.web.forms import Form, ManyLines, Number, OneLine, read_query
from swarm.web.house import house_of
from swarm.web.render import Render

_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)*")
CHANGES = 12
"""Lines of a record's history."""


class Sought(Form):
    """Who is looked for, and where the page begins."""

    q: Annotated[str, OneLine(200, min=0)] = ""
    before: Annotated[int, Number(1)] | None = None


class Place(Form):
    """Where a page of a customer's tickets begins."""

    cursor: Annotated[str, OneLine(400, min=0)] = ""


class Record(Form):
    """What is known of a customer."""

    version: Annotated[int, Number(1)]
    name: Annotated[str, OneLine(120)]
    email: Annotated[str, OneLine(254, min=0)] = ""
    company: Annotated[str, OneLine(120, min=0)] = ""
    phone: Annotated[str, OneLine(40, min=0)] = ""
    language: Annotated[str, OneLine(20)] = LANGUAGES[0]
    timezone: Annotated[str, OneLine(60, min=0)] = ""

    def __post_init__(self) -> None:
        problems = {}
        if self.email and not _ADDRESS.fullmatch(self.email):
            problems["email"] = _("This is no e-mail address, such as ana@example.com.")
        if self.language not in LANGUAGES:
            problems["language"] = _("Choose one of the offered.")
        if self.timezone and self.timezone not in zones():
            problems["timezone"] = _("There is no such time zone.")
        if problems:
            raise Invalid(problems)


class Notes(Form):
    """What colleagues should know of a customer."""

    version: Annotated[int, Number(1)]
    notes: Annotated[str, ManyLines(MOST_NOTES, min=0)] = ""
    ticket: Annotated[int, Number(1)] | None = None
    """The ticket beside which they were written."""


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A customer as the list shows them."""

    id: int
    name: str
    hue: int
    email: str
    company: str
    tickets: str


async def show_all(request: Request) -> Response:
    """The list, newest first, or those who fit."""
    sent = read_query(request, Sought)

    def draw(work: Work) -> Markup:
        found, following = queries.page(work.session, work.actor, sent.q, sent.before)
        more = {"q": sent.q, "before": following}
        context: dict[str, Any] = frame(work, "customers") | {
            "rows": rows(work, found),
            "q": sent.q,
            "older": f"/customers?{urlencode({k: v for k, v in more.items() if v})}" if following else "",
        }
        return house_of(request).render.html(request, "desk/customers.html", context)

    return Render.response(await staff_read(request, draw))


async def show(request: Request) -> Response:
    """The whole record; the address of a merged one leads to the one that was kept."""
    id_ = customer_of(request)
    kept = await staff_read(request, lambda work: queries.find(work.session, work.actor, id_).id)
    if kept != id_:
        return RedirectResponse(f"/customers/{kept}", 303)
    return Render.response(await _page(request, id_, "", Typed()))


async def about(request: Request) -> Response:
    """What changes on the page while it is open: tickets, records of the same person, history."""
    id_ = customer_of(request)

    def draw(work: Work) -> Markup:
        row = queries.find(work.session, work.actor, id_)
        context = _about(work, row, "")
        return house_of(request).render.html(request, "desk/_customer.html", context)

    return Render.response(await staff_read(request, draw))


async def change(request: Request) -> Response:
    """Name, address, company, language."""
    id_ = customer_of(request)

    def do(work: Work, form: Record) -> None:
        known = Known(
            name=form.name,
            email=form.email or None,
            company=form.company,
            phone=form.phone,
            language=form.language,
            timezone=form.timezone,
        )
        actions.change(work, id_, form.version, known)

    return await act(request, "record", Record, do, to=f"/customers/{id_}", again=_again)


async def note(request: Request) -> Response:
    """The notes, from the record's page or beside a ticket."""
    id_ = customer_of(request)

    def do(work: Work, form: Notes) -> str:
        actions.note(work, id_, form.version, form.notes)
        return f"/customers/{id_}" if form.ticket is None else f"/tickets/{form.ticket}"

    return await act(request, "notes", Notes, do, to=str, again=_again)


def customer_of(request: Request) -> int:
    """The customer in the address. Raises `NotFound`."""
    id_ = cast(int, request.path_params["customer"])
    if id_ > 2**53:
        raise NotFound
    return id_


def rows(work: Work, found: Sequence[Customer]) -> list[CustomerRow]:
    """Lines of the list."""
    counts = queries.open_tickets(work.session, work.actor, [one.id for one in found])
    return [
        CustomerRow(
            one.id,
            one.name,
            Face(f"customer:{one.id}", one.name).hue,
            one.email or "",
            one.company,
            _counted(*counts.get(one.id, (0, 0))),
        )
        for one in found
    ]


def beside(work: Work, customer: Customer | None) -> dict[str, Any]:
    """What a ticket's side shows of its customer: who may change it, what time it is there."""
    if customer is None:
        return {"may_note": None}
    owns = queries.owns_ticket_of(work.session, work.actor, customer.id)
    return {"may_note": rules.may_edit(work.actor, owns=owns), "their_time": their_time(work, customer)}


def their_time(work: Work, customer: Customer) -> str:
    """What time it is with them, for the reader; empty where their zone is not known."""
    if not customer.timezone:
        return ""
    there = work.now.astimezone(ZoneInfo(customer.timezone))
    return format_time(there.replace(tzinfo=None), "short", locale=current())


def _counted(count: int, unsolved: int) -> str:
    words = ngettext("%(num)s ticket", "%(num)s tickets", count)
    return _("%(tickets)s, %(open)s not solved", tickets=words, open=unsolved) if unsolved else words


async def _again(request: Request, name: str, problem: Problem) -> Response:
    return Render.response(await _page(request, customer_of(request), name, problem.typed), problem.status)


async def _page(request: Request, id_: int, name: str, typed: Typed) -> Markup:
    sent = Place() if request.method == "POST" else read_query(request, Place)

    def draw(work: Work) -> Markup:
        row = queries.find(work.session, work.actor, id_)
        context = frame(work, "customers", streams=[f"customer:{row.id}"]) | _about(work, row, sent.cursor)
        record = Typed.blank(
            version=row.version,
            name=row.name,
            email=row.email,
            company=row.company,
            phone=row.phone,
            language=row.language,
            timezone=row.timezone,
        )
        context |= {
            "record": _with_version(typed, row) if name == "record" else record,
            "notes": _with_version(typed, row)
            if name == "notes"
            else Typed.blank(version=row.version, notes=row.notes),
            "companies": queries.companies(work.session, work.actor),
            "languages": [(code, language_word(code)) for code in dict.fromkeys((*LANGUAGES, row.language))],
            "zones": [("", _("Not known")), *((zone, zone.replace("_", " ")) for zone in zones())],
            "most_notes": MOST_NOTES,
        }
        return house_of(request).render.html(request, "desk/customer.html", context)

    return await staff_read(request, draw)


def _with_version(typed: Typed, row: Customer) -> Typed:
    """Sent once more, it is knowingly put in place of what is there now, and shown beside it."""
    values = {**typed.values, "version": str(row.version)}
    return Typed(values, typed.chosen, typed.problems, typed.sentence)


def _about(work: Work, row: Customer, cursor: str) -> dict[str, Any]:
    session, actor = work.session, work.actor
    try:
        theirs = queries.tickets_of(session, actor, row.id, cursor or None)
    except BadCursor:
        raise BadRequest(_("This address leads to no page of the list. Begin with its first page.")) from None
    older = {"cursor": theirs.next} if theirs.next else {}
    return {
        "customer": row,
        "hue": Face(f"customer:{row.id}", row.name).hue,
        "their_time": their_time(work, row),
        "tickets": theirs.rows,
        "older": f"/customers/{row.id}?{urlencode(older)}" if older else "",
        "newest": f"/customers/{row.id}" if cursor else "",
        "alike": queries.alike(session, actor, row),
        "merged": records_of(session, row.id),
        "changes": _changes(session, row.id),
        "may_edit": rules.may_edit(actor, owns=queries.owns_ticket_of(session, actor, row.id)),
        "may_merge": rules.may_merge(actor),
    }


def _changes(session: Session, id_: int) -> list[tuple[Entry, str]]:
    """The last changes of a record, newest first."""
    stream = f"customer:{id_}"
    entries = log.before(session, stream, log.heads(session, [stream])[stream] + 1, CHANGES)[::-1]
    names = faces(session, people_in(entries))
    return [(entry, headline(entry, names)) for entry in entries]
