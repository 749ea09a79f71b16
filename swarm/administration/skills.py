"""What people may know: asks find them by it."""

from __future__ import annotations

from typing import Annotated, Any

from markupsafe import Markup
from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import Response

from swarm.accounts.entry import staff_read
from swarm.desk.acting import Nothing, act
from swarm.desk.sections import page
from swarm.events.refusals import ensure
from swarm.people import administering
from swarm.people.models import Person, PersonSkill
from swarm.people.queries import skills
from swarm.people.rules import may_steer
from swarm.store import Work
from swarm.web.errors import NotFound, Problem, Typed
from swarm.web.forms import Form, OneLine
from swarm.web.house import house_of
from swarm.web.render import Render


class Named(Form):
    """What a skill is called."""

    name: Annotated[str, OneLine(60)]


async def show(request: Request) -> Response:
    """Every skill, and how many know it."""
    return Render.response(await _page(request, "", Typed()))


async def add(request: Request) -> Response:
    """Something more that people may know."""

    def do(work: Work, form: Named) -> int:
        return administering.add_skill(work, form.name).id

    return await act(request, "new", Named, do, to=lambda skill: f"/skills#skill-{skill}", again=_again)


async def rename(request: Request) -> Response:
    """Another name; who knows it still does."""
    skill = _number(request)

    def do(work: Work, form: Named) -> None:
        administering.rename_skill(work, skill, form.name)

    return await act(request, f"{skill}", Named, do, to=f"/skills#skill-{skill}", again=_again)


async def remove(request: Request) -> Response:
    """Away with what nobody knows."""
    skill = _number(request)

    def do(work: Work, _form: Nothing) -> None:
        administering.remove_skill(work, skill)

    return await act(request, f"{skill}", Nothing, do, to="/skills", again=_again)


def _number(request: Request) -> int:
    number: int = request.path_params["skill"]
    if number > 2**53:
        raise NotFound
    return number


async def _again(request: Request, name: str, problem: Problem) -> Response:
    return Render.response(await _page(request, name, problem.typed), problem.status)


async def _page(request: Request, refused: str, typed: Typed) -> Markup:
    def draw(work: Work) -> Markup:
        ensure(may_steer(work.actor))
        count = dict(
            work.session.execute(
                select(PersonSkill.skill_id, func.count())
                .join(Person, Person.id == PersonSkill.person_id)
                .where(Person.active)
                .group_by(PersonSkill.skill_id)
            ).all()
        )
        context: dict[str, Any] = page(work, "skills") | {
            "skills": [
                (skill.id, skill.name, count.get(skill.id, 0), typed if refused == f"{skill.id}" else Typed())
                for skill in skills(work.session)
            ],
            "new": typed if refused == "new" else Typed(),
        }
        return house_of(request).render.html(request, "administration/skills.html", context)

    return await staff_read(request, draw)
