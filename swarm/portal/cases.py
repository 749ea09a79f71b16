"""A customer's ticket: open one, follow it, write in it. Every read begins at the customer lane."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Annotated, Any, Literal

from babel.dates import format_date
from markupsafe import Markup
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from swarm.accounts.entry import anyone_read, anyone_write, customer_read, customer_write
from swarm.lanes.files import read_message
from swarm.lanes.queries import tail
from swarm.lanes.views import unsent
from swarm.people.models import Customer, Person
from swarm.people.queries import Face, teams
from swarm.portal.files import Token, into, into_new, uploader_at
from swarm.portal.opening import Opening, first_language, open_once, secret_of
from swarm.portal.visitor import address, customer_here, in_its_language, number_of
from swarm.store import Work, log
from swarm.text.language import current
from swarm.text.times import zone
from swarm.tickets.following import following, mark_read, set_letters
from swarm.tickets.models import Ticket
from swarm.tickets.posting import MOST_LETTERS, may_customer_write
from swarm.tickets.posting import post as write
from swarm.tickets.queries import find
from swarm.tickets.turns import Posted
from swarm.tickets.words import LANGUAGES, customer_status_word, language_word
from swarm.web.errors import Invalid, Problem, SignedOut, Typed, wants
from swarm.web.fields import needed
from swarm.web.forms import Form, Many, ManyLines, Number, OneLine, read_form, read_query
from swarm.web.house import house_of
from swarm.web.limits import Rule
from swarm.web.render import Render


class Message(Form, kw_only=True):
    """What is typed into the composer."""

    client_id: Annotated[str, OneLine(64, min=8)]
    body: Annotated[str, ManyLines(MOST_LETTERS, min=0)] = ""
    files: Annotated[tuple[Token, ...], Many(50)] = ()

    def __post_init__(self) -> None:
        if not self.body and not self.files:
            raise Invalid({"body": needed()})


class ReadUpTo(Form, kw_only=True):
    """How far the customer has seen their lane."""

    lane: Literal["lane"] = "lane"
    seq: Annotated[int, Number(1)]


class Letters(Form):
    """Whether letters about the case are wanted."""

    letters: Literal["on", "off"]


class Before(Form):
    """Where an older stretch of the lane ends."""

    before: Annotated[int, Number(2)]


async def open_page(request: Request) -> Response:
    """The page on which a ticket is opened."""
    return Render.response(await _opening(request, None))


async def open_case(request: Request) -> Response:
    """Opens the ticket and shows its one-time link; a double submit opens one and shows the same again."""
    house = house_of(request)
    rule = Rule("opening", f"{house.settings.limits.opening_per_minute}/minute")
    typed = None
    try:
        form = await read_message(request, Opening, into_new(request))
        typed = form.typed
        await house.limits.hit(rule, address(request))

        def do(work: Work) -> int:
            known, uploader = customer_here(request, work), uploader_at(request)
            return open_once(work, form, known, house.settings.links.days, uploader)

        try:
            number = await anyone_write(request, do)
        except IntegrityError:
            # The same form arrived twice at the same moment: by now the other one stands there.
            number = await anyone_write(request, do)
    except Problem as problem:
        if wants(request) != "page":
            raise
        problem.typed = _keep(problem, typed)
        return _again(await _opening(request, problem), problem)
    secret = secret_of(form.client_id)
    context = {
        "number": number,
        "secret": secret,
        "link": house.links.absolute(f"/link/{secret}"),
        "days": house.settings.links.days,
    }
    return house.render.page(request, "portal/opened.html", context, 201)


async def show(request: Request) -> Response:
    """The customer's ticket."""
    try:
        return Render.response(await _case(request, None))
    except SignedOut as problem:
        if wants(request) != "page":
            raise
        return house_of(request).render.page(
            request, "portal/link_over.html", {"sentence": problem.sentence}, problem.status
        )


async def head(request: Request) -> Response:
    """The head alone, for pages that were told to refresh it."""
    return await _piece(request, "portal/_head.html")


async def note(request: Request) -> Response:
    """What stands above the composer: it changes while somebody types, the composer does not."""
    return await _piece(request, "portal/_note.html")


async def foot(request: Request) -> Response:
    """The composer, or why there is none, for pages that were told to refresh it."""
    return await _piece(request, "portal/_foot.html")


async def older(request: Request) -> Response:
    """An older stretch of the lane: lines alone for a script, otherwise a page."""
    number, house = number_of(request), house_of(request)
    before = read_query(request, Before).before
    name = "portal/_lines.html" if wants(request) == "piece" else "portal/older.html"

    def draw(work: Work) -> Markup:
        ticket = find(work.session, work.actor, number)
        lane = tail(work.session, f"lane:{ticket.id}", "customer", before=before)
        context = {
            "lane": lane,
            "number": number,
            "audience": "customer",
            "ticket": ticket,
            "me": _me(work, ticket).key,
        }
        return house.render.html(request, name, context)

    return Render.response(await customer_read(request, in_its_language(number, draw)))


async def post(request: Request) -> Response:
    """The customer writes; a resolved ticket is open again with it."""
    number, house = number_of(request), house_of(request)
    rule = Rule("post", f"{house.settings.limits.posts_per_minute}/minute")
    typed = None
    try:
        form = await read_message(request, Message, into(request))
        typed = Typed.blank(body=form.body, client_id=form.client_id)
        await house.limits.hit(rule, house.customer_cookie.read(request) or address(request))

        def do(work: Work) -> Posted:
            return write(
                work,
                number,
                "lane",
                form.body,
                form.client_id,
                reopen_days=house.settings.tickets.reopen_days,
                files=form.files,
            )

        posted = await customer_write(request, in_its_language(number, do))
    except Problem as problem:
        problem.typed = _keep(problem, typed)
        if wants(request) != "page" or problem.status in (401, 404):
            raise
        return _again(await _case(request, problem), problem)
    if wants(request) == "page":
        return RedirectResponse(f"/case/{number}", 303)
    return JSONResponse({"seq": posted.seq}, headers={"Cache-Control": "no-store"})


async def read(request: Request) -> Response:
    """Notes how far the customer has seen their lane: no letter tells of it any more."""
    number, form = number_of(request), await read_form(request, ReadUpTo)
    await customer_write(request, lambda work: mark_read(work, number, form.seq))
    return _done(request, number)


async def letters(request: Request) -> Response:
    """Letters about this case, or none."""
    number, form = number_of(request), await read_form(request, Letters)
    await customer_write(request, lambda work: set_letters(work, number, form.letters == "on"))
    return _done(request, number)


def _done(request: Request, number: int) -> Response:
    if wants(request) == "page":
        return RedirectResponse(f"/case/{number}", 303)
    return Response(status_code=204)


async def _opening(request: Request, problem: Problem | None) -> Markup:
    house = house_of(request)

    def draw(work: Work) -> Markup:
        known = customer_here(request, work)
        form = problem.typed if problem else _start(known, request.headers.get("accept-language", ""))
        # A refused form keeps its id; one that stood for another text, or was none, gets a new one.
        keep_id = problem is not None and problem.status != 409 and not form.problem("client_id")
        context = {
            "form": form,
            "problem": problem,
            "client_id": (form.value("client_id") if keep_id else "") or secrets.token_urlsafe(32),
            "teams": [(team.id, team.name) for team in teams(work.session)],
            "languages": [(code, language_word(code)) for code in LANGUAGES],
            "most": MOST_LETTERS,
        }
        return house.render.html(request, "portal/open.html", context)

    return await anyone_read(request, draw)


def _start(known: Customer | None, accept_language: str) -> Typed:
    if known is None or known.version > 1:
        # What colleagues wrote down, or merged, is not for a browser that nobody has proved to be theirs.
        return Typed.blank(language=first_language(accept_language))
    return Typed.blank(name=known.name, email=known.email, company=known.company, language=known.language)


async def _case(request: Request, problem: Problem | None) -> Markup:
    number = number_of(request)

    def draw(work: Work) -> Markup:
        ticket = find(work.session, work.actor, number)
        lane = tail(work.session, f"lane:{ticket.id}", "customer")
        epoch = log.epoch(work.session)
        context = _about(request, work, ticket, problem) | {
            "lane": lane,
            "epoch": epoch,
            "live": json.dumps({"epoch": epoch, "streams": {lane.stream: lane.head}}, separators=(",", ":")),
            "audience": "customer",
        }
        return house_of(request).render.html(request, "portal/case.html", context)

    return await customer_read(request, in_its_language(number, draw))


async def _piece(request: Request, name: str) -> Response:
    number = number_of(request)

    def draw(work: Work) -> Markup:
        ticket = find(work.session, work.actor, number)
        return house_of(request).render.html(request, name, _about(request, work, ticket, None))

    return Render.response(await customer_read(request, in_its_language(number, draw)))


def _about(request: Request, work: Work, ticket: Ticket, problem: Problem | None) -> dict[str, Any]:
    """What head and foot show of a ticket: nothing that only staff know."""
    settings = house_of(request).settings
    days = settings.tickets.reopen_days
    follows = following(work.session, ticket.id)
    owner = work.session.get_one(Person, ticket.owner_id)
    me = _me(work, ticket)
    return {
        "number": ticket.id,
        "ticket": ticket,
        "me": me.key,
        "owner": Face(f"person:{owner.id}", owner.name),
        "may_write": may_customer_write(ticket, work.now, days),
        "status_text": customer_status_word(ticket.status),
        "reopen_until": _reopen_until(ticket, days),
        "form": problem.typed if problem else Typed.blank(),
        "problem": problem,
        "client_id": secrets.token_urlsafe(16),
        "most": MOST_LETTERS,
        "pending": unsent(me, work.now),
        "read_seq": follows.read_seq,
        "letters": follows.letters,
        "letters_reach": settings.mail.writes_to_customers and _has_address(work, ticket),
    }


def _has_address(work: Work, ticket: Ticket) -> bool:
    customer = None if ticket.customer_id is None else work.session.get(Customer, ticket.customer_id)
    return bool(customer and customer.email)


def _me(work: Work, ticket: Ticket) -> Face:
    """Whoever this ticket's customer is: one browser may follow cases under several records."""
    customer = None if ticket.customer_id is None else work.session.get(Customer, ticket.customer_id)
    return Face(f"customer:{ticket.customer_id}", customer.name if customer else "", is_customer=True)


def _reopen_until(ticket: Ticket, days: int) -> str:
    """The last day on which an answer opens it again, for the reader."""
    if ticket.resolved_at is None:
        return ""
    last = (ticket.resolved_at + timedelta(days=days)).astimezone(zone())
    return format_date(last.date(), "long", locale=current())


def _keep(problem: Problem, typed: Typed | None) -> Typed:
    """What was typed, with what is wrong about it."""
    if isinstance(problem, Invalid) and typed is None:
        return problem.typed
    before = typed or problem.typed
    return Typed(before.values, before.chosen, problem.typed.problems, problem.sentence)


def _again(content: Markup, problem: Problem) -> Response:
    return Render.response(content, problem.status, problem.headers)
