"""Which language this browser reads, for whoever is nobody in particular here."""

from __future__ import annotations

from typing import Annotated

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from swarm.text.language import LANGUAGES, _
from swarm.web.errors import Invalid
from swarm.web.forms import Form, OneLine, read_form
from swarm.web.house import house_of
from swarm.web.language import remember
from swarm.web.links import local_path


class Chosen(Form):
    """A language, and the page to come back to."""

    language: Annotated[str, OneLine(20)]
    next: Annotated[str, OneLine(2000, min=0)] = ""

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise Invalid({"language": _("Choose one of the offered.")})


async def choose(request: Request) -> Response:
    """This browser reads another language from now on."""
    form = await read_form(request, Chosen)
    response = RedirectResponse(local_path(form.next), 303)
    remember(response, form.language, secure=house_of(request).staff_cookie.secure)
    return response
