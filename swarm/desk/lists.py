"""The desk's lists: mine, the team's queue, all, and beside an open ticket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from swarm.accounts.entry import staff_read
from swarm.desk.asked import Asked, asked_list
from swarm.desk.first_steps import first_steps
from swarm.desk.frame import count_word, frame
from swarm.desk.rows import Row, rows_of
from swarm.modes import MODES
from swarm.people.models import Person
from swarm.people.queries import teams
from swarm.store import Work
from swarm.store.paging import BadCursor
from swarm.text.clean import Unclean, one_line
from swarm.text.language import _, ngettext
from swarm.tickets.lists import COUNT_UP_TO, Filters, ListName, count_of, page_of
from swarm.tickets.opening import PRIORITIES
from swarm.tickets.words import LANGUAGES, STATUSES, language_word, priority_word, status_word
from swarm.web.errors import BadRequest, Invalid, NotFound, Problem, Typed, wants
from swarm.web.forms import Form, Number, OneLine, read_query
from swarm.web.house import house_of
from swarm.web.render import Render

Id = Annotated[int, Number(1)]
PATHS: Mapping[ListName, str] = {"mine": "/mine", "rooms": "/rooms", "queue": "/queue", "all": "/tickets"}


class Narrowed(Form):
    """A list's address: what it is narrowed to, where the page begins, which ticket stands open beside it."""

    status: Literal["", "active", "open", "waiting", "on_hold", "resolved", "closed"] = ""
    team: Id | None = None
    mode: Annotated[str, OneLine(20, min=0)] = ""
    priority: Annotated[int, Number(0, len(PRIORITIES) - 1)] | None = None
    language: Annotated[str, OneLine(20, min=0)] = ""
    tag: Annotated[str, OneLine(60, min=0)] = ""
    owner: Id | None = None
    cursor: Annotated[str, OneLine(400, min=0)] = ""
    current: Id | None = None

    def __post_init__(self) -> None:
        if self.mode and self.mode not in MODES:
            raise Invalid({"mode": _("Choose one of the offered.")})

    @property
    def filters(self) -> Filters:
        """Without the place in the list."""
        return Filters(
            status=self.status,
            team=self.team,
            mode=self.mode,
            priority=self.priority,
            language=self.language,
            tag=self.tag.lower(),
            owner=self.owner,
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """A select of the filter bar."""

    name: str
    label: str
    options: Sequence[tuple[str, str]]
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    """One page of a list, ready to be drawn by `desk/_list.html`."""

    name: ListName
    title: str
    count_text: str
    rows: Sequence[Row]
    self_href: str
    """Where the live part loads itself from."""
    list_href: str
    """The list alone, with the same filters."""
    older: str
    newest: str
    """Back to the first page; empty on the first."""
    choices: Sequence[Choice]
    tag: str
    narrowed: bool
    beside: bool
    in_a_team: bool
    """Whether tickets can come to this person from a queue."""


async def mine(request: Request) -> Response:
    """What I own and has not been solved."""
    return await _list(request, "mine")


async def rooms(request: Request) -> Response:
    """Tickets of others in whose swarm I am."""
    return await _list(request, "rooms")


async def queue(request: Request) -> Response:
    """What waits for somebody of my tiers: urgent first, then what waits longest."""
    return await _list(request, "queue")


async def everything(request: Request) -> Response:
    """Every ticket I may see, with filters."""
    return await _list(request, "all")


async def asked(request: Request) -> Response:
    """Who wants my help, and where I could raise a hand."""
    return Render.response(await _asked(request, wants(request) == "piece", Typed.blank()))


async def asked_again(request: Request, _name: str, problem: Problem) -> Response:
    """The asks once more, because an answer to one was refused."""
    return Render.response(await _asked(request, False, problem.typed), problem.status)


async def rail(request: Request) -> Response:
    """The rail's numbers and my own menu, for pages that were told to refresh them."""
    if wants(request) != "piece":
        return RedirectResponse("/mine", 303)
    render = house_of(request).render
    return Render.response(
        await staff_read(request, lambda work: render.html(request, "desk/_rail_live.html", frame(work, "")))
    )


def list_piece(
    work: Work, name: ListName, filters: Filters, cursor: str = "", current: int | None = None
) -> ListView:
    """One page of a list; with `current` as it stands beside that ticket. Raises `BadRequest`, `NotFound`."""
    session, actor = work.session, work.actor
    try:
        page = page_of(session, actor, name, filters, cursor or None)
    except BadCursor:
        raise BadRequest(_("This address leads to no page of the list. Begin with its first page.")) from None
    narrowed = _sent(filters)
    beside = {} if current is None else {"current": current}
    within = {"in": name} if name != "mine" or narrowed else {}
    back = f"?{urlencode(within | narrowed)}" if within else ""
    return ListView(
        name=name,
        title={"mine": _("Mine"), "rooms": _("Rooms"), "queue": _("Team queue"), "all": _("All tickets")}[
            name
        ],
        count_text="" if name == "all" else _counted(name, count_of(session, actor, name)),
        rows=rows_of(work, name, page.rows, current, back),
        self_href=_href(name, narrowed | ({"cursor": cursor} if cursor else {}) | beside),
        list_href=_href(name, narrowed),
        older=_href(name, narrowed | {"cursor": page.next}) if page.next else "",
        newest=_href(name, narrowed) if cursor else "",
        choices=_choices(work, filters) if name == "all" and current is None else (),
        tag=filters.tag,
        narrowed=bool(narrowed),
        beside=current is not None,
        in_a_team=bool(actor.rungs) or actor.manages,
    )


def list_beside(work: Work, request: Request, current: int) -> ListView:
    """The list an open ticket was reached from, as its address `?in=queue&…` says; mine by default."""
    said = request.query_params
    name: ListName = said["in"] if said.get("in") in PATHS else "mine"  # type: ignore[assignment]
    known = {key: said[key] for key in msgspec.structs.asdict(Narrowed()) if key in said and key != "cursor"}
    try:
        filters = _lenient(known)
    except (msgspec.ValidationError, Invalid, Unclean):
        filters = Filters()
    return list_piece(work, name, filters, current=current)


async def _list(request: Request, name: ListName) -> Response:
    sent, render, piece = read_query(request, Narrowed), house_of(request).render, wants(request) == "piece"

    def draw(work: Work) -> Markup:
        view = list_piece(work, name, sent.filters, sent.cursor, sent.current)
        if piece:
            return render.html(request, "desk/_rows.html", {"list": view, "piece": True})
        steps = first_steps(work) if name == "mine" else ()
        known = {"list": view, "steps": steps, "open_address": house_of(request).links.absolute("/open")}
        return render.html(request, "desk/list.html", {**frame(work, name), **known})

    return Render.response(await staff_read(request, draw))


async def _asked(request: Request, piece: bool, form: Typed) -> Markup:
    render = house_of(request).render

    def draw(work: Work) -> Markup:
        waiting: Sequence[Asked] = asked_list(work)
        pending = sum(one.is_mine for one in waiting)
        context: dict[str, Any] = {"asked": waiting, "form": form, "pending": pending}
        if piece:
            return render.html(request, "desk/_asks.html", {**context, "piece": True})
        return render.html(request, "desk/asked.html", {**frame(work, "asked"), **context})

    return await staff_read(request, draw)


def _counted(name: ListName, count: int) -> str:
    if count > COUNT_UP_TO:
        words = count_word(count)
        return (
            _("%(count)s open", count=words)
            if name in ("mine", "rooms")
            else _("%(count)s waiting", count=words)
        )
    if name in ("mine", "rooms"):
        return ngettext("%(num)s open", "%(num)s open", count)
    return ngettext("%(num)s waiting", "%(num)s waiting", count)


def _sent(filters: Filters) -> dict[str, Any]:
    return {name: value for name, value in asdict(filters).items() if value not in ("", None)}


def _href(name: ListName, query: Mapping[str, Any]) -> str:
    return f"{PATHS[name]}?{urlencode(query)}" if query else PATHS[name]


def _lenient(known: Mapping[str, str]) -> Filters:
    numbers = {key: int(known[key]) for key in ("team", "priority", "owner") if _is_number(known.get(key))}
    words = {key: one_line(known[key]) for key in ("status", "mode", "language", "tag") if known.get(key)}
    return msgspec.convert({**words, **numbers}, Narrowed).filters


def _is_number(said: str | None) -> bool:
    return said is not None and said.isascii() and said.isdigit() and len(said) < 16


def _choices(work: Work, filters: Filters) -> Sequence[Choice]:
    session = work.session
    houses = [(str(team.id), team.name) for team in teams(session)]
    if filters.team is not None and str(filters.team) not in dict(houses):
        raise NotFound(_("There is no such team."))
    owners = session.execute(
        select(Person.id, Person.name)
        .where(Person.active | (Person.id == filters.owner))
        .order_by(Person.name, Person.id)
    )
    languages = [*LANGUAGES, *([filters.language] if filters.language not in ("", *LANGUAGES) else [])]
    statuses = [("active", _("Not resolved")), *((key, status_word(key)) for key in STATUSES)]
    modes = [(key, mode.name) for key, mode in MODES.items()]
    priorities = [(str(key), priority_word(key)) for key in reversed(range(len(PRIORITIES)))]
    people = [(str(id_), name) for id_, name in owners]
    if work.actor.person_id is not None:
        me = str(work.actor.person_id)
        people = [(me, _("Me")), *(pair for pair in people if pair[0] != me)]
    chosen = {name: str(value) for name, value in _sent(filters).items()}
    return [
        Choice(name, label, [("", label), *options], chosen.get(name, ""))
        for name, label, options in (
            ("status", _("Any status"), statuses),
            ("team", _("Any team"), houses),
            ("owner", _("Any owner"), people),
            ("mode", _("Any mode"), modes),
            ("priority", _("Any priority"), priorities),
            ("language", _("Any language"), [(key, language_word(key)) for key in languages]),
        )
    ]
