"""Opening a ticket for a customer who phoned, wrote elsewhere, or stands at the desk."""

from __future__ import annotations

import re
import secrets
from typing import Annotated, Any

from markupsafe import Markup
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts.entry import staff_read
from swarm.desk.acting import act
from swarm.desk.files import Token, into_new
from swarm.desk.frame import frame
from swarm.events import Actor
from swarm.events.refusals import ALLOWED, Refused, Stale, Verdict, ensure
from swarm.people.actions import add_customer
from swarm.people.models import Person, Team
from swarm.people.queries import teams
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets.models import Ticket
from swarm.tickets.opening import MOST_TAGS, PRIORITIES, NewTicket, open_ticket
from swarm.tickets.posting import MOST_LETTERS
from swarm.tickets.words import LANGUAGES, language_word, priority_word
from swarm.web.errors import Conflict, Invalid, Problem, Typed
from swarm.web.forms import Form, Many, ManyLines, Number, OneLine
from swarm.web.house import house_of
from swarm.web.render import Render

_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)*")
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
        if problems:
            raise Invalid(problems)

    @property
    def words(self) -> list[str]:
        """The tags, as typed with commas between."""
        return sorted({word.strip().lower() for word in self.tags.split(",") if word.strip()})


def may_open(actor: Actor, team_id: int) -> Verdict:
    """Open a ticket for a customer: in a team of one's own; managers in any."""
    if actor.manages or team_id in actor.rungs:
        return ALLOWED
    return Refused(_("You can open tickets in the teams you are in."))


async def new(request: Request) -> Response:
    """The form."""
    blank = Typed.blank(client_id=secrets.token_hex(16), language=LANGUAGES[0], priority=1)
    return Render.response(await _page(request, blank))


async def open_for_customer(request: Request) -> Response:
    """The ticket, opened once however often the form is sent."""

    def do(work: Work, form: Opened) -> int:
        if (earlier := _earlier(work, form)) is not None:
            return earlier
        ensure(may_open(work.actor, form.team))
        customer = add_customer(
            work, name=form.name, email=form.email or None, company=form.company, language=form.language
        )
        ticket = open_ticket(
            work,
            NewTicket(
                team_id=form.team,
                subject=form.subject,
                body=form.body,
                customer=customer,
                language=form.language,
                client_id=form.client_id,
                priority=form.priority,
                category=form.category,
                tags=form.words,
                channel="desk",
                files=form.files,
                uploader=work.actor.key,
            ),
        )
        ticket.source, ticket.external_id = _source(work.actor), form.client_id
        work.session.flush()
        return ticket.id

    return await act(
        request,
        "new",
        Opened,
        do,
        to=lambda ticket: f"/tickets/{ticket}",
        again=_again,
        into=into_new(request),
    )


def _earlier(work: Work, form: Opened) -> int | None:
    # Two sendings of one form wait for each other at the colleague's own row.
    mine = select(Person.id).where(Person.id == work.actor.person_id)
    work.session.execute(mine.with_for_update(key_share=True))
    earlier = work.session.execute(
        select(Ticket.id, Ticket.subject, Ticket.team_id).where(
            Ticket.source == _source(work.actor), Ticket.external_id == form.client_id
        )
    ).one_or_none()
    if earlier is None:
        return None
    if (earlier.subject, earlier.team_id) != (form.subject, form.team):
        raise Stale(
            _("This form opened a ticket before, with another subject. Send it again to open another.")
        )
    return int(earlier.id)


def _source(actor: Actor) -> str:
    return f"desk:{actor.key}"


async def _again(request: Request, _name: str, problem: Problem) -> Response:
    typed = problem.typed
    if isinstance(problem, Conflict):
        # What was typed is a new case from here on.
        values = {**typed.values, "client_id": secrets.token_hex(16)}
        typed = Typed(values, typed.chosen, typed.problems, typed.sentence)
    return Render.response(await _page(request, typed), problem.status)


async def _page(request: Request, form: Typed) -> Markup:
    def draw(work: Work) -> Markup:
        context: dict[str, Any] = frame(work, "new") | {
            "form": form,
            "teams": [(team.id, team.name) for team in _teams(work)],
            "priorities": [(key, priority_word(key)) for key in range(len(PRIORITIES))],
            "languages": [(code, language_word(code)) for code in LANGUAGES],
        }
        return house_of(request).render.html(request, "desk/new.html", context)

    return await staff_read(request, draw)


def _teams(work: Work) -> list[Team]:
    return [team for team in teams(work.session) if may_open(work.actor, team.id)]
