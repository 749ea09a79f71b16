"""Opening a ticket for a customer who phoned, wrote elsewhere, or stands at the desk."""

from __future__ import annotations

import re
import secrets
from typing import Annotated, Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts.entry import staff_read
from swarm.customers import queries
from swarm.desk.acting import act
from swarm.desk.customers import rows
from swarm.desk.files import Token, into_new
from swarm.desk.frame import frame
from swarm.events.refusals import Unfit
from swarm.people.actions import add_customer
from swarm.people.models import Customer, Team
from swarm.people.queries import teams
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets import for_customers as tickets
from swarm.tickets.for_customers import Described
from swarm.tickets.opening import MOST_TAGS, PRIORITIES
from swarm.tickets.posting import MOST_LETTERS
from swarm.tickets.rules import may_open
from swarm.tickets.words import LANGUAGES, language_word, priority_word
from swarm.web.errors import Conflict, Invalid, Problem, Typed
from swarm.web.forms import Form, Many, ManyLines, Number, OneLine
from swarm.web.house import house_of
from swarm.web.render import Render

_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)*")
_NUMBER = re.compile("[1-9][0-9]{0,14}")
_TAG = 40
"""Characters of one tag."""


class Opened(Form):
    """A case as a colleague writes it down."""

    team: Annotated[int, Number(1)]
    name: Annotated[str, OneLine(120)]
    subject: Annotated[str, OneLine(200)]
    body: Annotated[str, ManyLines(MOST_LETTERS)]
    client_id: Annotated[str, OneLine(64, min=8)]
    email: Annotated[str, OneLine(254, min=0)] = ""
    company: Annotated[str, OneLine(120, min=0)] = ""
    language: Annotated[str, OneLine(20)] = LANGUAGES[0]
    priority: Annotated[int, Number(0, len(PRIORITIES) - 1)] = 1
    category: Annotated[str, OneLine(60, min=0)] = ""
    tags: Annotated[str, OneLine(800, min=0)] = ""
    customer: Annotated[str, OneLine(20, min=0)] = ""
    """The number of a record that is there already, or `new`; empty: nobody was asked."""
    files: Annotated[tuple[Token, ...], Many(50)] = ()

    def __post_init__(self) -> None:
        problems = {}
        if self.email and not _ADDRESS.fullmatch(self.email):
            problems["email"] = _("This is no e-mail address, such as ana@example.com.")
        if self.language not in LANGUAGES:
            problems["language"] = _("Choose one of the offered.")
        if len(self.words) > MOST_TAGS:
            problems["tags"] = _("A ticket has at most %(most)s tags.", most=MOST_TAGS)
        if any(len(word) > _TAG for word in self.words):
            problems["tags"] = _("A tag has at most %(most)s characters.", most=_TAG)
        if self.customer not in ("", "new") and not _NUMBER.fullmatch(self.customer):
            problems["customer"] = _("Choose one of the offered.")
        if problems:
            raise Invalid(problems)

    @property
    def words(self) -> list[str]:
        """The tags, as typed with commas between."""
        return sorted({word.strip().lower() for word in self.tags.split(",") if word.strip()})


async def new(request: Request) -> Response:
    """The form."""
    blank = Typed.blank(client_id=secrets.token_hex(16), language=LANGUAGES[0], priority=1)
    return Render.response(await _page(request, blank))


async def open_for_customer(request: Request) -> Response:
    """The ticket, opened once however often the form is sent."""

    def do(work: Work, form: Opened) -> int:
        described = Described(
            team_id=form.team,
            name=form.name,
            email=form.email,
            company=form.company,
            language=form.language,
            subject=form.subject,
            body=form.body,
            client_id=form.client_id,
            priority=form.priority,
            category=form.category,
            tags=form.words,
            files=form.files,
            customer_id=int(form.customer) if form.customer.isdigit() else None,
        )
        return tickets.open_for_customer(work, described, lambda: _customer(work, form)).id

    return await act(
        request,
        "new",
        Opened,
        do,
        to=lambda ticket: f"/tickets/{ticket}",
        again=_again,
        into=into_new(request),
    )


def _customer(work: Work, form: Opened) -> Customer:
    """The chosen record, or a new one; nobody is made twice without having been asked. Raises `Unfit`."""
    if form.customer.isdigit():
        return queries.find(work.session, work.actor, int(form.customer))
    if not form.customer and form.email and queries.with_address(work.session, work.actor, form.email):
        raise Unfit(
            _("There is a customer of this address already. Is it them? Choose, and send again."), "customer"
        )
    return add_customer(
        work, name=form.name, email=form.email or None, company=form.company, language=form.language
    )


async def _again(request: Request, _name: str, problem: Problem) -> Response:
    typed = problem.typed
    if isinstance(problem, Conflict):
        # What was typed is a new case from here on.
        values = {**typed.values, "client_id": secrets.token_hex(16)}
        typed = Typed(values, typed.chosen, typed.problems, typed.sentence)
    return Render.response(await _page(request, typed), problem.status)


async def _page(request: Request, form: Typed) -> Markup:
    def draw(work: Work) -> Markup:
        email = form.value("email")
        known = queries.with_address(work.session, work.actor, email) if email else []
        context: dict[str, Any] = frame(work, "new") | {
            "form": form,
            "known": rows(work, known),
            "chosen": form.value("customer"),
            "companies": queries.companies(work.session, work.actor),
            "teams": [(team.id, team.name) for team in _teams(work)],
            "priorities": [(key, priority_word(key)) for key in range(len(PRIORITIES))],
            "languages": [(code, language_word(code)) for code in LANGUAGES],
        }
        return house_of(request).render.html(request, "desk/new.html", context)

    return await staff_read(request, draw)


def _teams(work: Work) -> list[Team]:
    return [team for team in teams(work.session) if may_open(work.actor, team.id)]
