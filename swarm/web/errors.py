"""Problems with words for the person, and their three faces: a page, a piece of one, JSON (RFC 9457)."""

from __future__ import annotations

import http
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from swarm.text.language import _

_logger = logging.getLogger(__name__)
FOR_PROGRAMS = "/api/"
"""Where no browser asks, whatever a request says of itself."""


@dataclass(frozen=True)
class Typed:
    """What a person typed into a form and what is wrong with it, to show the form again."""

    values: Mapping[str, str] = field(default_factory=dict)
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    sentence: str = ""

    @classmethod
    def blank(cls, **values: object) -> Typed:
        """A form not sent yet, with what it starts from; a list or tuple fills a repeated field."""
        many = {name: value for name, value in values.items() if isinstance(value, (list, tuple))}
        single = {name: value for name, value in values.items() if name not in many}
        return cls(
            values={name: "" if value is None else str(value) for name, value in single.items()},
            chosen={name: tuple(str(item) for item in value) for name, value in many.items()},
        )

    def value(self, name: str, otherwise: str = "") -> str:
        return self.values.get(name, otherwise)

    def texts(self) -> list[str]:
        """What a person wrote; ids, versions and numbers a page sent along are not theirs to copy."""
        return [
            text
            for name, text in self.values.items()
            if text.strip() and not text.isdigit() and name not in ("client_id", "next")
        ]

    def problem(self, name: str) -> str:
        """The sentence for one field, empty when it is fine."""
        return self.problems.get(name, "")

    def has(self, name: str, value: object) -> bool:
        """Whether `value` was chosen or typed in field `name`."""
        return str(value) in self.chosen.get(name, ()) or self.values.get(name) == str(value)


class Problem(Exception):
    """An answer that is not what was asked for: an HTTP status, a title and a sentence for the person."""

    def __init__(
        self,
        status: int,
        title: str,
        sentence: str,
        headers: Mapping[str, str] | None = None,
        typed: Typed | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.title = title
        self.sentence = sentence
        self.headers = dict(headers or {})
        self.typed = typed or Typed(sentence=sentence)


class BadRequest(Problem):
    def __init__(self, sentence: str, typed: Typed | None = None) -> None:
        super().__init__(400, _("That could not be read"), sentence, typed=typed)


class SignedOut(Problem):
    def __init__(self, sentence: str = "", typed: Typed | None = None) -> None:
        super().__init__(401, _("You are signed out"), sentence or _("Sign in to go on."), typed=typed)


class Forbidden(Problem):
    def __init__(self, sentence: str, typed: Typed | None = None) -> None:
        super().__init__(403, _("Not allowed"), sentence, typed=typed)


class NotFound(Problem):
    """Also the answer for what exists and must stay hidden."""

    def __init__(self, sentence: str = "") -> None:
        super().__init__(
            404, _("Not found"), sentence or _("There is nothing here, or nothing that you may see.")
        )


class Conflict(Problem):
    def __init__(self, sentence: str, typed: Typed | None = None) -> None:
        super().__init__(409, _("Somebody was faster"), sentence, typed=typed)


class Gone(Problem):
    def __init__(self, sentence: str) -> None:
        super().__init__(410, _("No longer here"), sentence)


class TooLarge(Problem):
    def __init__(self, sentence: str = "") -> None:
        words = sentence or _("What you sent is too large.")
        super().__init__(413, _("Too large"), words, {"Connection": "close"})


class TooSlow(Problem):
    def __init__(self) -> None:
        words = _("What you sent arrived too slowly. Send it again.")
        super().__init__(408, _("Too slow"), words, {"Connection": "close"})


class WrongType(Problem):
    def __init__(self, sentence: str = "") -> None:
        super().__init__(
            415, _("Wrong kind of content"), sentence or _("This address does not take this kind of content.")
        )


class Invalid(Problem):
    """A form with problems, one sentence a field."""

    def __init__(self, problems: Mapping[str, str], typed: Typed | None = None) -> None:
        sentence = _("Some of it needs another look. Nothing was saved yet.")
        before = typed or Typed()
        super().__init__(
            422,
            _("Please check what you typed"),
            sentence,
            typed=Typed(before.values, before.chosen, dict(problems), sentence),
        )

    @property
    def problems(self) -> Mapping[str, str]:
        return self.typed.problems

    @property
    def values(self) -> Mapping[str, str]:
        return self.typed.values


class TooMany(Problem):
    def __init__(self, retry_after: int) -> None:
        """`retry_after` in seconds."""
        super().__init__(
            429,
            _("Too often"),
            _("That was tried too often. Wait a little and try again."),
            {"Retry-After": str(max(1, retry_after))},
        )


class Unavailable(Problem):
    def __init__(self, sentence: str = "", retry_after: int = 5) -> None:
        """`retry_after` in seconds."""
        super().__init__(
            503,
            _("Not available right now"),
            sentence or _("This works again shortly. Nothing was saved."),
            {"Retry-After": str(retry_after)},
        )


def wants(request: Request) -> Literal["page", "piece", "json"]:
    """Which face of an answer the asker can use."""
    if request.scope.get("path", "").startswith(FOR_PROGRAMS):
        return "json"
    said = request.headers.get("x-swarm-request", "")
    if said in ("piece", "json"):
        return "piece" if said == "piece" else "json"
    if request.headers.get("hx-request") == "true":
        return "page" if request.headers.get("hx-request-type") == "full" else "piece"
    accept = request.headers.get("accept", "")
    if "text/html" in accept:
        return "page"
    asks_json = "application/json" in accept or "application/problem+json" in accept
    sends_json = request.headers.get("content-type", "").startswith("application/json")
    return "json" if asks_json or sends_json else "page"


class Renders(Protocol):
    """What is needed of `swarm.web.render.Render`."""

    def page(
        self, request: Request, name: str, context: Mapping[str, Any], status: int = 200
    ) -> HTMLResponse: ...


class Problems:
    """Answers for problems, as Starlette's exception handlers."""

    def __init__(self, render: Renders) -> None:
        self._render = render

    def handlers(self) -> dict[Any, Any]:
        """For `Starlette(exception_handlers=…)`."""
        return {
            Problem: self._problem,
            HTTPException: self._http,
            ClientDisconnect: self._left,
            Exception: self._crash,
        }

    def answer(self, request: Request, problem: Problem) -> Response:
        """The response for `problem`, as the asker wants it."""
        kind = wants(request)
        response: Response
        if kind == "json":
            response = self._json(request, problem)
        else:
            name = "web/_problem.html" if kind == "piece" else "web/problem.html"
            context = {"problem": problem, "form": problem.typed}
            response = self._render.page(request, name, context, problem.status)
        response.headers.update(problem.headers)
        return response

    @staticmethod
    def _json(request: Request, problem: Problem) -> Response:
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": problem.title,
            "status": problem.status,
            "detail": problem.sentence,
        }
        if problem.typed.problems:
            body["problems"] = dict(problem.typed.problems)
        if number := getattr(request.state, "request_id", None):
            body["request_id"] = number
        headers = {"Cache-Control": "no-store"}
        return Response(
            msgspec.json.encode(body), problem.status, headers, media_type="application/problem+json"
        )

    async def _problem(self, request: Request, problem: Exception) -> Response:
        assert isinstance(problem, Problem)
        return self.answer(request, problem)

    async def _http(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return self.answer(request, _from_http(error))

    async def _left(self, _request: Request, _error: Exception) -> Response:
        return Response(status_code=400)

    async def _crash(self, request: Request, error: Exception) -> Response:
        """Says nothing of what broke: the log has it, under the request's number."""
        problem = Problem(
            500,
            _("Something broke on our side"),
            _("It was not your doing. What you typed was not saved; go back to keep it, then try again."),
        )
        try:
            return self.answer(request, problem)
        except Exception:
            _logger.exception("the page for a failure failed itself")
            return Response(problem.sentence, 500, media_type="text/plain")


def _from_http(error: HTTPException) -> Problem:
    if error.status_code == 404:
        return NotFound()
    if error.status_code == 405:
        words = _("This address cannot be used in this way.")
        return Problem(405, _("Not possible here"), words, error.headers)
    if error.status_code == 413:
        return TooLarge()
    try:
        title = http.HTTPStatus(error.status_code).phrase
    except ValueError:
        title = _("That did not work")
    return Problem(error.status_code, title, _("That did not work."), error.headers)
