"""Which roles sign in with a second step or not at all."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from markupsafe import Markup
from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts import second_step
from swarm.accounts.entry import staff_read
from swarm.accounts.models import Factor
from swarm.administration.people import role_options
from swarm.desk.acting import act
from swarm.desk.sections import page
from swarm.events.refusals import ensure
from swarm.people.models import Person
from swarm.people.rules import may_manage_accounts
from swarm.store import Work
from swarm.web.errors import Problem, Typed
from swarm.web.forms import Form, Many
from swarm.web.house import house_of
from swarm.web.render import Render

Role = Literal["agent", "specialist", "manager", "administrator"]


class Required(Form):
    """The roles."""

    roles: Annotated[tuple[Role, ...], Many(4)] = ()


async def show(request: Request) -> Response:
    """The page."""
    return Render.response(await _page(request, None))


async def require(request: Request) -> Response:
    """Who needs one from now on."""

    def do(work: Work, form: Required) -> None:
        second_step.require(work, form.roles)

    async def again(request: Request, _name: str, problem: Problem) -> Response:
        return Render.response(await _page(request, problem.typed), problem.status)

    return await act(request, "required", Required, do, to="/people/second-step", again=again)


async def _page(request: Request, typed: Typed | None) -> Markup:
    def draw(work: Work) -> Markup:
        ensure(may_manage_accounts(work.actor))
        session = work.session
        has_one = select(Factor.person_id).where(Factor.confirmed_at.is_not(None))
        counts = select(Person.role, func.count()).where(Person.active).group_by(Person.role)
        everybody = dict(session.execute(counts).all())
        without = dict(session.execute(counts.where(Person.id.not_in(has_one))).all())
        context: dict[str, Any] = page(work, "people") | {
            "form": typed or Typed.blank(roles=list(second_step.roles_that_need_it(session))),
            "roles": [
                (key, word, everybody.get(key, 0), without.get(key, 0)) for key, word, _hint in role_options()
            ],
        }
        return house_of(request).render.html(request, "administration/required.html", context)

    return await staff_read(request, draw)
