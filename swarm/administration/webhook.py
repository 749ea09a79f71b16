"""One address that is told of events: what it is told, what arrived, and what is sent again."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from markupsafe import Markup
from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts.entry import staff_read, staff_write
from swarm.administration.webhooks import Wanted, groups, secret_page
from swarm.desk.acting import Nothing, act
from swarm.desk.sections import page
from swarm.events.refusals import Unknown, ensure
from swarm.outbound.models import Delivery, Webhook, WebhookEvent
from swarm.store import Work
from swarm.text.language import _
from swarm.web.errors import NotFound, Problem, Typed
from swarm.web.forms import Form, Number, OneLine, read_form, read_query
from swarm.web.house import house_of
from swarm.web.render import Render
from swarm.webhooks import actions
from swarm.webhooks.rules import may_manage_webhooks

PAGE = 50


class State(Form):
    """On or off."""

    state: Literal["on", "off"]


class Again(Form):
    """One delivery; without it, all that failed."""

    delivery: Annotated[int, Number(1)] | None = None


class Stretch(Form):
    """Which part of the log is shown."""

    before: Annotated[int, Number(1)] | None = None
    what: Annotated[str, OneLine(10, min=0)] = ""


async def show(request: Request) -> Response:
    """The page, with its log, newest first."""
    return Render.response(await _page(request, "", Typed(), read_query(request, Stretch)))


async def change(request: Request) -> Response:
    """Another name, address or choice of events."""
    settings = house_of(request).settings.webhooks

    def do(work: Work, form: Wanted) -> None:
        actions.change(work, settings, _number(request), name=form.name, url=form.url, events=form.events)

    return await act(request, "wanted", Wanted, do, to=_here(request), again=_again)


async def switch(request: Request) -> Response:
    """On or off."""

    def do(work: Work, form: State) -> None:
        actions.switch(work, _number(request), on=form.state == "on")

    return await act(request, "state", State, do, to=_here(request), again=_again)


async def renew(request: Request) -> Response:
    """Another secret, shown once."""
    await read_form(request, Nothing)

    def do(work: Work) -> tuple[int, str, str]:
        webhook = actions.renew_secret(work, _number(request))
        return webhook.id, webhook.name, webhook.secret

    return await secret_page(request, *await staff_write(request, do))


async def again(request: Request) -> Response:
    """Send it once more."""

    def do(work: Work, form: Again) -> None:
        actions.send_again(work, _number(request), form.delivery)

    return await act(request, "again", Again, do, to=_here(request), again=_again)


async def remove(request: Request) -> Response:
    """Away with it."""

    def do(work: Work, _form: Nothing) -> None:
        actions.remove(work, _number(request))

    return await act(request, "state", Nothing, do, to="/webhooks", again=_again)


def _number(request: Request) -> int:
    number: int = request.path_params["webhook"]
    if number > 2**53:
        raise NotFound
    return number


def _here(request: Request) -> str:
    return f"/webhooks/{request.path_params['webhook']}"


async def _again(request: Request, name: str, problem: Problem) -> Response:
    return Render.response(await _page(request, name, problem.typed, Stretch()), problem.status)


async def _page(request: Request, name: str, typed: Typed, stretch: Stretch) -> Markup:
    def draw(work: Work) -> Markup:
        ensure(may_manage_webhooks(work.actor))
        session = work.session
        webhook = session.get(Webhook, _number(request))
        if webhook is None or webhook.state == "removed":
            raise Unknown(_("There is no such webhook."))
        wanted = session.scalars(select(WebhookEvent.kind).where(WebhookEvent.webhook_id == webhook.id)).all()
        found = session.scalars(_log(webhook.id, stretch)).all()
        shown, older = found[:PAGE], ""
        if len(found) > PAGE:
            older = f"{_here(request)}?before={shown[-1].id}" + (
                f"&what={stretch.what}" if stretch.what else ""
            )
        failed = select(func.count()).where(Delivery.webhook_id == webhook.id, Delivery.state == "failed")
        start = Typed.blank(name=webhook.name, url=webhook.url, events=list(wanted))
        context: dict[str, Any] = page(work, "webhooks") | {
            "webhook": webhook,
            "form": typed if name == "wanted" else start,
            "problem": typed if name != "wanted" else Typed(),
            "groups": groups(),
            "told": len(wanted),
            "lines": shown,
            "older": older,
            "what": stretch.what,
            "failed": session.scalar(failed),
            "keep_days": house_of(request).settings.webhooks.keep_days,
        }
        return house_of(request).render.html(request, "administration/webhook.html", context)

    return await staff_read(request, draw)


def _log(webhook_id: int, stretch: Stretch) -> Any:
    query = select(Delivery).where(Delivery.webhook_id == webhook_id)
    if stretch.what in ("waiting", "arrived", "failed"):
        query = query.where(Delivery.state == stretch.what)
    if stretch.before is not None:
        query = query.where(Delivery.id < stretch.before)
    return query.order_by(Delivery.id.desc()).limit(PAGE + 1)
