"""The ticket's screen and its pieces."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts.entry import staff_read
from swarm.desk import case
from swarm.desk.frame import frame
from swarm.desk.lists import list_beside
from swarm.events.refusals import ensure
from swarm.lanes.queries import tail
from swarm.modes import mode_of
from swarm.store import Work
from swarm.text.language import _
from swarm.web.errors import NotFound, Problem, wants
from swarm.web.forms import Form, Number, read_query
from swarm.web.house import house_of
from swarm.web.render import Render

LaneName = Literal["lane", "room"]


class Stretch(Form):
    """Where a page of the timeline ends: the numbers it stands before in each stream."""

    lane: Annotated[int, Number(1)] | None = None
    room: Annotated[int, Number(1)] | None = None


async def show(request: Request) -> Response:
    """The whole screen: list, both lanes, side, in one snapshot."""
    return Render.response(await _screen(request, case.Forms()))


async def again(request: Request, form: str, problem: Problem) -> Response:
    """The screen once more, because a form on it was refused; what was typed is kept."""
    return Render.response(await _screen(request, case.Forms(form, problem.typed)), problem.status)


async def head(request: Request) -> Response:
    """The head alone, for pages that were told to refresh it."""

    def draw(work: Work) -> Markup:
        context = case.head(work, case.open_case(work, number_of(request)))
        return house_of(request).render.html(request, "desk/_head.html", context)

    return Render.response(await staff_read(request, draw))


async def side(request: Request) -> Response:
    """The side alone."""

    def draw(work: Work) -> Markup:
        context = case.side(work, case.open_case(work, number_of(request)))
        return house_of(request).render.html(request, "desk/_side.html", context)

    return Render.response(await staff_read(request, draw))


async def foot(request: Request) -> Response:
    """A lane's composer, or why there is none."""
    lane = lane_of(request)

    def draw(work: Work) -> Markup:
        opened = case.open_case(work, number_of(request))
        context = case.common(opened) | case.customer_of(work, opened) | {"lane": lane}
        return house_of(request).render.html(request, "desk/_foot.html", context)

    return Render.response(await staff_read(request, draw))


async def older(request: Request) -> Response:
    """What stands before a number in a lane: lines alone for a script, otherwise a page."""
    piece = wants(request) == "piece"
    lane, before = lane_of(request), request.query_params.get("before", "")
    if not before.isascii() or not before.isdigit() or len(before) > 15:
        raise NotFound

    def draw(work: Work) -> Markup:
        opened = case.open_case(work, number_of(request))
        if lane == "room":
            ensure(opened.may["read_room"])
        context = (
            case.common(opened)
            | ({} if piece else frame(work, "mine"))
            | {
                "lane_name": _("Customer") if lane == "lane" else mode_of(opened.ticket.mode).room_name,
                "is_customers": lane == "lane",
                "lane": tail(work.session, f"{lane}:{opened.ticket.id}", "staff", before=int(before)),
                "older_href": f"/tickets/{opened.ticket.id}/older/{lane}?before=",
                "audience": "staff",
            }
        )
        name = "lanes/older.html" if piece else "desk/older.html"
        return house_of(request).render.html(request, name, context)

    return Render.response(await staff_read(request, draw))


async def timeline(request: Request) -> Response:
    """Everything that happened, both streams together, newest first, a page at a time."""
    sent = read_query(request, Stretch)

    def draw(work: Work) -> Markup:
        opened = case.open_case(work, number_of(request))
        number = opened.ticket.id
        streams = [f"lane:{number}", f"room:{number}"] if opened.may["read_room"] else [f"lane:{number}"]
        context = (
            frame(work, "mine", streams=streams)
            | case.common(opened)
            | case.everything(work, streams, {"lane": sent.lane, "room": sent.room})
            | {"chain": case.chain(work, opened.ticket)}
        )
        return house_of(request).render.html(request, "desk/timeline.html", context)

    return Render.response(await staff_read(request, draw))


async def _screen(request: Request, forms: case.Forms) -> Markup:
    def draw(work: Work) -> Markup:
        opened = case.open_case(work, number_of(request))
        lanes = case.lanes(work, opened)
        context: dict[str, Any] = (
            frame(work, request.query_params.get("in", "mine"), streams=lanes["streams"])
            | case.head(work, opened, forms)
            | case.side(work, opened, forms)
            | lanes
            | {"list": list_beside(work, request, current=opened.ticket.id)}
        )
        return house_of(request).render.html(request, "desk/ticket.html", context)

    return await staff_read(request, draw)


def number_of(request: Request) -> int:
    """The ticket in the address."""
    number = cast(int, request.path_params["number"])
    if number > 2**53:
        raise NotFound
    return number


def lane_of(request: Request) -> LaneName:
    """The lane in the address. Raises `NotFound`."""
    lane = request.path_params["lane"]
    if lane not in ("lane", "room"):
        raise NotFound
    return cast(LaneName, lane)
