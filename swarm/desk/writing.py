"""Doors that write in the lanes and move a ticket's life on."""

from __future__ import annotations

from typing import Annotated, Literal

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from swarm.accounts.actions import customer_of, end_links, key_of, make_link
from swarm.accounts.entry import staff_write
from swarm.desk.acting import Nothing, act, done
from swarm.desk.files import Token, into
from swarm.desk.ticket import again, lane_of, number_of
from swarm.events.refusals import ensure
from swarm.store import Work, log
from swarm.tickets import actions, queries, rules
from swarm.tickets.events import LinkMade, LinksEnded
from swarm.tickets.posting import MOST_LETTERS
from swarm.tickets.posting import post as write
from swarm.tickets.turns import Posted
from swarm.web.errors import Invalid
from swarm.web.fields import needed
from swarm.web.forms import Form, Many, ManyLines, Number, OneLine, read_form
from swarm.web.house import house_of
from swarm.web.limits import Rule
from swarm.web.render import Render


class Message(Form):
    """What is typed into a composer."""

    client_id: Annotated[str, OneLine(64, min=8)]
    body: Annotated[str, ManyLines(MOST_LETTERS, min=0)] = ""
    files: Annotated[tuple[Token, ...], Many(50)] = ()
    wait: bool = False

    def __post_init__(self) -> None:
        if not self.body and not self.files:
            raise Invalid({"body": needed()})


class ReadUpTo(Form):
    """How far somebody has read."""

    lane: Literal["lane", "room"]
    seq: Annotated[int, Number(1)]


class Pace(Form):
    """Go on, wait, or rest."""

    pace: Literal["open", "waiting", "on_hold"]


class Answer(Form):
    """Which message it was, or that none was."""

    message: Annotated[int, Number(1)] | None = None
    none: bool = False

    def __post_init__(self) -> None:
        if self.message is None and not self.none:
            raise Invalid({"message": needed()})


class Details(Form):
    """What sorts a ticket."""

    priority: Annotated[int, Number(0, 3)]
    category: Annotated[str, OneLine(60, min=0)] = ""
    language: Annotated[str, OneLine(8, min=2)] = "en"
    tags: Annotated[str, OneLine(400, min=0)] = ""


async def post(request: Request) -> Response:
    """A message in the customer lane or in the room."""
    number, lane = number_of(request), lane_of(request)
    house = house_of(request)
    reopen_days = house.settings.tickets.reopen_days
    often = Rule("posts", f"{house.settings.limits.posts_per_minute}/minute")
    await house.limits.hit(often, key_of(house.staff_cookie.read(request) or ""))
    said: list[Posted] = []

    def do(work: Work, form: Message) -> None:
        said.append(
            write(
                work,
                number,
                lane,
                form.body,
                form.client_id,
                wait=form.wait and lane == "lane",
                reopen_days=reopen_days,
                files=form.files,
            )
        )

    answer = await act(
        request,
        f"write-{lane}",
        Message,
        do,
        to=_page(number),
        again=again,
        into=into(request, number, lane),
    )
    if answer.status_code == 204:
        return JSONResponse({"seq": said[-1].seq}, 200, headers={"Cache-Control": "no-store"})
    return answer


async def read(request: Request) -> Response:
    """Notes how far this person has read a lane."""
    number = number_of(request)
    form = await read_form(request, ReadUpTo)

    def do(work: Work) -> None:
        queries.find(work.session, work.actor, number)
        stream = f"{form.lane}:{number}"
        actions.mark_read(work, stream, min(form.seq, log.heads(work.session, [stream])[stream]))

    await staff_write(request, do)
    return done(request, _page(number))


async def pace(request: Request) -> Response:
    """Open, waiting for the customer, on hold."""
    number = number_of(request)
    return await act(
        request,
        "pace",
        Pace,
        lambda work, form: actions.set_pace(work, number, form.pace),
        to=_page(number),
        again=again,
    )


async def resolve(request: Request) -> Response:
    """The owner holds it for solved."""
    number = number_of(request)
    return await act(
        request,
        "resolve",
        Nothing,
        lambda work, _form: actions.resolve(work, number),
        to=_page(number),
        again=again,
    )


async def reopen(request: Request) -> Response:
    """It was not solved after all."""
    number = number_of(request)
    return await act(
        request,
        "reopen",
        Nothing,
        lambda work, _form: actions.reopen(work, number),
        to=_page(number),
        again=again,
    )


async def mark_answer(request: Request) -> Response:
    """One message of the room is the answer, or none is."""
    number = number_of(request)

    def do(work: Work, form: Answer) -> None:
        if form.none or form.message is None:
            actions.unmark_answer(work, number)
        else:
            actions.mark_answer(work, number, form.message)

    return await act(request, "answer", Answer, do, to=_page(number), again=again)


async def details(request: Request) -> Response:
    """Priority, category, language and tags."""
    number = number_of(request)

    def do(work: Work, form: Details) -> None:
        actions.change_details(
            work,
            number,
            priority=form.priority,
            category=form.category,
            language=form.language,
            tags=form.tags.split(","),
        )

    return await act(request, "details", Details, do, to=_page(number), again=again)


async def link(request: Request) -> Response:
    """A new one-time link, shown once to the owner, for the customer."""
    number, house = number_of(request), house_of(request)
    await read_form(request, Nothing)

    def do(work: Work) -> Markup:
        ticket = queries.find(work.session, work.actor, number, lock=True)
        ensure(rules.may_make_link(queries.case_for(work.session, work.actor, ticket)))
        customer = customer_of(work, ticket.customer_id)
        secret = make_link(work, number, customer.id, house.settings.links.days)
        work.record(f"room:{number}", LinkMade(ticket_id=number))
        return house.render.html(
            request,
            "desk/link.html",
            {
                "link": house.links.absolute(f"/link/{secret}"),
                "customer": customer,
                "number": number,
                "days": house.settings.links.days,
            },
        )

    return Render.response(await staff_write(request, do))


async def end_access(request: Request) -> Response:
    """The customer follows this ticket by no link any more."""
    number = number_of(request)

    def do(work: Work, _form: Nothing) -> None:
        ticket = queries.find(work.session, work.actor, number, lock=True)
        ensure(rules.may_make_link(queries.case_for(work.session, work.actor, ticket)))
        end_links(work, number)
        work.record(f"room:{number}", LinksEnded(ticket_id=number))

    return await act(request, "link", Nothing, do, to=_page(number), again=again)


def _page(number: int) -> str:
    return f"/tickets/{number}"
