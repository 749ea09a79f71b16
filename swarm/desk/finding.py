"""Small doors that find while somebody types: tickets and customers, of what the actor may see alone."""

from __future__ import annotations

from typing import Annotated

from markupsafe import Markup
from sqlalchemy import Row, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from swarm.accounts.actions import key_of
from swarm.accounts.entry import staff_read
from swarm.customers import queries
from swarm.desk.customers import rows
from swarm.people.customers import fold
from swarm.store import Work
from swarm.tickets.models import Ticket
from swarm.tickets.queries import visible
from swarm.tickets.words import status_word
from swarm.web.forms import Form, OneLine, read_query
from swarm.web.house import house_of
from swarm.web.limits import Rule
from swarm.web.render import Render

NEWEST = 500
"""Tickets whose subjects are looked through, last changed first."""
MOST = 8
"""Tickets, and customers, of one answer."""
SHORTEST = 2
"""Letters; of fewer everything would be found."""


class Sought(Form):
    """What was typed so far."""

    q: Annotated[str, OneLine(200, min=0)] = ""


class Address(Form):
    """An e-mail address, typed so far."""

    email: Annotated[str, OneLine(254, min=0)] = ""


async def find(request: Request) -> Response:
    """Tickets by number or subject, customers by name, address or company: words and addresses, as JSON."""
    await _not_too_often(request)
    sent = read_query(request, Sought)

    def look(work: Work) -> list[dict[str, str]]:
        if len(fold(sent.q)) < SHORTEST and not sent.q.strip().isdigit():
            return []
        return [*_tickets(work, sent.q), *_customers(work, sent.q)]

    found = await staff_read(request, look)
    return JSONResponse({"found": found}, headers={"Cache-Control": "no-store"})


async def known(request: Request) -> Response:
    """Customers of this address, to choose from where a ticket is opened."""
    await _not_too_often(request)
    sent, render = read_query(request, Address), house_of(request).render

    def draw(work: Work) -> Markup:
        found = queries.with_address(work.session, work.actor, sent.email) if "@" in sent.email else []
        return render.html(request, "desk/_known.html", {"known": rows(work, found), "chosen": ""})

    return Render.response(await staff_read(request, draw))


async def _not_too_often(request: Request) -> None:
    house = house_of(request)
    often = Rule("finding", f"{house.settings.limits.searches_per_minute}/minute")
    await house.limits.hit(often, key_of(house.staff_cookie.read(request) or ""))


def _tickets(work: Work, text: str) -> list[dict[str, str]]:
    number = text.strip().rpartition("-")[2].lstrip("#")
    columns = select(Ticket.id, Ticket.subject, Ticket.status).where(visible(work.actor))
    found: list[Row[int, str, str]] = []
    if number.isascii() and number.isdigit() and len(number) < 16:
        found += work.session.execute(columns.where(Ticket.id == int(number))).all()
    words = fold(text).split()
    newest = columns.order_by(Ticket.updated_at.desc(), Ticket.id.desc()).limit(NEWEST)
    for row in work.session.execute(newest):
        subject = fold(row.subject)
        if len(found) < MOST and all(word in subject for word in words) and row not in found:
            found.append(row)
    return [
        {
            "href": f"/tickets/{row.id}",
            "text": f"{row.id} · {row.subject}",
            "more": status_word(row.status),
            "icon": "inbox",
        }
        for row in found
    ]


def _customers(work: Work, text: str) -> list[dict[str, str]]:
    found, _more = queries.page(work.session, work.actor, text, limit=MOST)
    return [
        {
            "href": f"/customers/{one.id}",
            "text": one.name,
            "more": one.company or one.email or "",
            "icon": "user-round",
        }
        for one in found
    ]
