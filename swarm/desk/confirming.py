"""The password once more, before something that a stolen session must not do."""

from __future__ import annotations

from typing import Annotated

from starlette.requests import Request

from swarm.accounts.entry import staff_read
from swarm.accounts.passwords import MOST, fits, off_the_loop
from swarm.people.models import Person
from swarm.store import Work
from swarm.text.language import _
from swarm.web.errors import Invalid
from swarm.web.forms import Form, Secret
from swarm.web.house import house_of
from swarm.web.limits import Rule


class Confirmed(Form):
    """The password, which a stolen session does not have."""

    current: Annotated[str, Secret(MOST)]


async def confirmed(request: Request, form: Confirmed) -> None:
    """Raises `Invalid` for another password, `TooMany` for too many of them."""
    house = house_of(request)
    kept = await staff_read(request, lambda work: work.session.get_one(Person, _me(work)).password)
    await limit(request)
    at_once = house.settings.passwords.at_once
    if not await off_the_loop(at_once, lambda: fits(form.current, kept)):
        raise Invalid({"current": _("This is not your password.")})


async def limit(request: Request) -> None:
    """One more guess at what only this person knows. Raises `TooMany`."""
    house = house_of(request)
    me = await staff_read(request, _me)
    rule = Rule("own_password", f"{house.settings.limits.sign_in_per_minute}/minute")
    await house.limits.hit(rule, f"person:{me}")


def _me(work: Work) -> int:
    me = work.actor.person_id
    assert me is not None
    return me
