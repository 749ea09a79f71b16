"""Two records of one person become one: first seen side by side, then confirmed."""

from __future__ import annotations

from typing import Annotated, Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from swarm.accounts.entry import staff_read
from swarm.customers import actions, queries, rules
from swarm.desk.acting import act
from swarm.desk.customers import customer_of, rows
from swarm.desk.frame import frame
from swarm.events.refusals import ensure
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets.words import language_word
from swarm.web.errors import Problem, Typed
from swarm.web.forms import Form, Number, OneLine, read_query
from swarm.web.house import house_of
from swarm.web.render import Render


class Pair(Form):
    """The other record, or words to find it by."""

    other: Annotated[int, Number(1)] | None = None
    q: Annotated[str, OneLine(200, min=0)] = ""


class Merged(Form):
    """The other record, and both as they were seen."""

    other: Annotated[int, Number(1)]
    version: Annotated[int, Number(1)]
    other_version: Annotated[int, Number(1)]


async def show(request: Request) -> Response:
    """Choose the other record; then what is kept of each, side by side."""
    sent, id_ = read_query(request, Pair), customer_of(request)
    kept = await staff_read(request, lambda work: queries.find(work.session, work.actor, id_).id)
    if kept != id_:
        return RedirectResponse(f"/customers/{kept}/merge", 303)
    return Render.response(await _page(request, sent, ""))


async def merge(request: Request) -> Response:
    """This record takes in the other; it cannot be undone."""
    id_ = customer_of(request)

    def do(work: Work, form: Merged) -> None:
        actions.merge(work, id_, form.other, (form.version, form.other_version))

    return await act(request, "merge", Merged, do, to=f"/customers/{id_}", again=_again)


async def _again(request: Request, _name: str, problem: Problem) -> Response:
    other = problem.typed.value("other")
    number = int(other) if other.isascii() and other.isdigit() and len(other) < 16 else None
    return Render.response(await _page(request, Pair(other=number), problem.sentence), problem.status)


async def _page(request: Request, sent: Pair, sentence: str) -> Markup:
    def draw(work: Work) -> Markup:
        session, actor = work.session, work.actor
        keep = queries.find(session, actor, customer_of(request))
        ensure(rules.may_merge(actor))
        context: dict[str, Any] = frame(work, "customers") | {
            "keep": keep,
            "form": Typed(sentence=sentence),
            "other": None,
            "q": sent.q,
            "alike": rows(work, queries.alike(session, actor, keep)),
            "found": [],
        }
        if sent.q:
            found = [one for one in queries.page(session, actor, sent.q)[0] if one.id != keep.id]
            context["found"] = rows(work, found)
        if sent.other is not None:
            other = queries.find(session, actor, sent.other)
            if other.id != keep.id:
                counts = queries.open_tickets(session, actor, [keep.id, other.id])
                context |= {
                    "other": other,
                    "counts": {id_: counts.get(id_, (0, 0))[0] for id_ in (keep.id, other.id)},
                    "notes": actions.joined_notes(keep, other),
                    "lines": [
                        (_("Name"), keep.name, other.name, keep.name),
                        (_("E-mail"), keep.email, other.email, keep.email or other.email),
                        (_("Company"), keep.company, other.company, keep.company or other.company),
                        (_("Phone"), keep.phone, other.phone, keep.phone or other.phone),
                        (
                            _("Language"),
                            language_word(keep.language),
                            language_word(other.language),
                            language_word(keep.language),
                        ),
                        (_("Time zone"), keep.timezone, other.timezone, keep.timezone or other.timezone),
                    ],
                }
        return house_of(request).render.html(request, "desk/merge.html", context)

    return await staff_read(request, draw)
