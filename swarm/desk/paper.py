"""A ticket to print: its facts and its lanes from the first line on."""

from __future__ import annotations

from typing import Literal

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts.entry import staff_read
from swarm.desk import case
from swarm.desk.frame import frame
from swarm.desk.ticket import number_of
from swarm.events.refusals import ensure
from swarm.lanes.queries import tail
from swarm.store import Work
from swarm.web.forms import Form, read_query
from swarm.web.house import house_of
from swarm.web.render import Render

MOST = 1000
"""Lines of each lane; a longer one is printed from its end."""


class Wanted(Form):
    """Whether the room is printed too: what the customer never sees only if somebody says so."""

    room: Literal["", "yes"] = ""


async def show(request: Request) -> Response:
    """The page for paper."""
    sent = read_query(request, Wanted)

    def draw(work: Work) -> Markup:
        opened = case.open_case(work, number_of(request))
        number = opened.ticket.id
        if sent.room:
            ensure(opened.may["read_room"])
        streams = [f"lane:{number}", *([f"room:{number}"] if sent.room else [])]
        context = (
            frame(work, "mine")
            | case.common(opened)
            | case.customer_of(work, opened)
            | {
                "chain": case.chain(work, opened.ticket),
                "lanes": [tail(work.session, stream, "staff", limit=MOST) for stream in streams],
                "with_room": bool(sent.room),
                "most": MOST,
            }
        )
        return house_of(request).render.html(request, "desk/paper.html", context)

    return Render.response(await staff_read(request, draw))
