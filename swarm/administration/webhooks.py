"""Addresses outside that are told of events: which there are, and a new one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from markupsafe import Markup
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts.entry import staff_read, staff_write
from swarm.desk.sections import page
from swarm.events import known_events
from swarm.events.refusals import ensure
from swarm.outbound.http import LONGEST_ADDRESS
from swarm.outbound.models import Delivery, Webhook
from swarm.store import Work
from swarm.text.language import _
from swarm.web.errors import Problem, Typed, wants
from swarm.web.forms import Form, Many, OneLine, read_form, typed_again
from swarm.web.house import house_of
from swarm.web.render import Render
from swarm.webhooks import actions
from swarm.webhooks.rules import may_manage_webhooks

MOST_EVENTS = 150
USUAL = ("ticket.opened", "lane.message_posted", "ticket.taken", "ticket.handed_over", "ticket.resolved")
_PLACE = re.compile(r"%\(\w+\)s")


class Wanted(Form):
    """An address and what it is told."""

    name: Annotated[str, OneLine(80)]
    url: Annotated[str, OneLine(LONGEST_ADDRESS)]
    events: Annotated[tuple[Annotated[str, OneLine(60)], ...], Many(MOST_EVENTS)] = ()


async def show(request: Request) -> Response:
    """All of them, and whether things arrive there."""

    def draw(work: Work) -> Markup:
        ensure(may_manage_webhooks(work.actor))
        session = work.session
        rows = session.scalars(select(Webhook).where(Webhook.state != "removed").order_by(Webhook.name)).all()
        context: dict[str, Any] = page(work, "webhooks") | {
            "rows": [(row, _host(row.url)) for row in rows],
            "waiting": _waiting(session),
        }
        return house_of(request).render.html(request, "administration/webhooks.html", context)

    return Render.response(await staff_read(request, draw))


async def new(request: Request) -> Response:
    """The form."""
    return Render.response(await _page(request, Typed.blank(events=list(USUAL))))


async def add(request: Request) -> Response:
    """One more, told from now on; its secret is shown, once."""
    settings = house_of(request).settings.webhooks
    typed = Typed()
    try:
        form = await read_form(request, Wanted)
        typed = typed_again(form)

        def do(work: Work) -> tuple[int, str, str]:
            made = actions.add(work, settings, name=form.name, url=form.url, events=form.events)
            return made.id, made.name, made.secret

        made = await staff_write(request, do)
    except Problem as problem:
        if wants(request) != "page" or problem.status in (401, 403, 404):
            raise
        again = Typed(
            problem.typed.values or typed.values,
            problem.typed.chosen or typed.chosen,
            problem.typed.problems,
            problem.sentence,
        )
        return Render.response(await _page(request, again), problem.status)
    return await secret_page(request, *made)


async def secret_page(request: Request, webhook: int, name: str, secret: str) -> Response:
    """The secret, which nothing shows again."""

    def draw(work: Work) -> Markup:
        context = page(work, "webhooks") | {"webhook": webhook, "name": name, "secret": secret}
        return house_of(request).render.html(request, "administration/webhook_secret.html", context)

    return Render.response(await staff_read(request, draw), 201)


def groups() -> Sequence[tuple[str, Sequence[tuple[str, str]]]]:
    """Everything one can be told: the kinds of a group, each with what it means."""
    named: Mapping[str, tuple[str, ...]] = {
        _("Cases"): ("ticket.", "lane."),
        _("Help between colleagues"): ("room.", "ask."),
        _("Teams and people"): ("team.", "person.", "policy.", "skill."),
    }
    known = sorted(known_events().items())
    grouped = [(name, [one for one in known if one[0].startswith(starts)]) for name, starts in named.items()]
    others = [one for one in known if not one[0].startswith(tuple(sum(named.values(), ())))]
    return [
        (name, [(kind, _PLACE.sub("…", _(cls.headline))) for kind, cls in kinds])
        for name, kinds in [*grouped, (_("Everything else"), others)]
        if kinds
    ]


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].partition("?")[0]


def _waiting(session: Session) -> Mapping[int, int]:
    counted = (
        select(Delivery.webhook_id, func.count())
        .where(Delivery.state == "waiting")
        .group_by(Delivery.webhook_id)
    )
    return dict(session.execute(counted).all())


async def _page(request: Request, form: Typed) -> Markup:
    def draw(work: Work) -> Markup:
        ensure(may_manage_webhooks(work.actor))
        context: dict[str, Any] = page(work, "webhooks") | {"form": form, "groups": groups()}
        return house_of(request).render.html(request, "administration/new_webhook.html", context)

    return await staff_read(request, draw)
