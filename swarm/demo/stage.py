"""Who plays in the demo besides its visitors: what simulated people ask about, and their switch."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec
from markupsafe import Markup
from sqlalchemy import or_, select, update
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts.entry import anyone_read, staff_read, staff_write
from swarm.accounts.models import SessionRow
from swarm.desk.acting import done
from swarm.desk.frame import frame
from swarm.people.models import Customer, Person
from swarm.portal.demo_people import is_demo
from swarm.simulation.stage import ADDRESSES, Stage
from swarm.store import Work
from swarm.store.tables import Instance
from swarm.web.errors import NotFound
from swarm.web.forms import Form, read_form
from swarm.web.house import house_of
from swarm.web.render import Render

VISITING = timedelta(minutes=15)
"""So long after the last sign of a visitor somebody may still look."""


class Switch(Form):
    """What simulated people shall do."""

    people: Literal["work", "rest"]


async def watch(request: Request) -> Response:
    """What simulated people need to know, as JSON; there is no such door without the demo."""
    _only_in_demo(request)
    found = await anyone_read(request, stage)
    return Response(msgspec.json.encode(found), media_type="application/json")


async def show(request: Request) -> Response:
    """Who works here, and the switch."""
    _only_in_demo(request)
    house = house_of(request)

    def draw(work: Work) -> Markup:
        found = stage(work)
        names = work.session.scalars(
            select(Person.name).where(Person.id.in_(found.taken)).order_by(Person.name)
        ).all()
        context = {"stage": found, "taken": names, "still": house.settings.still}
        return house.render.html(request, "demo/stage.html", frame(work, "demo") | context)

    return Render.response(await staff_read(request, draw))


async def switch(request: Request) -> Response:
    """They work, or rest."""
    _only_in_demo(request)
    form = await read_form(request, Switch)

    def do(work: Work) -> None:
        if not is_demo(work):
            raise NotFound
        work.session.execute(update(Instance).values(simulated=form.people == "work"))

    await staff_write(request, do)
    return done(request, "/demo")


def stage(work: Work) -> Stage:
    """Whether simulated people may work, whether anybody looks, and whom visitors are. Raises `NotFound`."""
    if not is_demo(work):
        raise NotFound
    found = work.session.execute(
        select(SessionRow.person_id)
        .outerjoin(Customer, Customer.id == SessionRow.customer_id)
        .where(
            SessionRow.ended_at.is_(None),
            ~SessionRow.simulated,
            SessionRow.seen_at > work.now - VISITING,
            or_(Customer.email.is_(None), ~Customer.email.endswith(ADDRESSES, autoescape=True)),
        )
        .distinct()
    ).all()
    return Stage(
        on=bool(work.session.scalar(select(Instance.simulated))),
        visited=bool(found),
        taken=tuple(sorted(person for (person,) in found if person is not None)),
    )


def _only_in_demo(request: Request) -> None:
    if not house_of(request).settings.demo:
        raise NotFound
