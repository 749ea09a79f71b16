"""One way for every door of programs: who asks, what was sent, one transaction, one action, an answer."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args, get_type_hints

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from swarm.accounts.actions import key_of
from swarm.accounts.entry import problem_for
from swarm.accounts.knocking import bearer
from swarm.accounts.tokens import Held, Scope, held_by, note_used
from swarm.events import NOBODY
from swarm.events.refusals import No
from swarm.store import ReadOnly, Work
from swarm.text.language import _, use
from swarm.text.times import use_zone
from swarm.web.errors import Forbidden, NotFound, Problem, TooMany, Unavailable
from swarm.web.forms import Form, read_json, read_query
from swarm.web.house import House, house_of
from swarm.web.limits import Left, Rule

BASE = "/api/v1"
BIGGEST = 2**53 - 1
Id = Annotated[int, msgspec.Meta(ge=1, le=BIGGEST)]
IN_PATHS: Mapping[str, Any] = {
    "number": Annotated[Id, msgspec.Meta(description="The ticket's number.")],
    "ask": Id,
    "invitation": Id,
    "person": Id,
    "lane": Annotated[
        Literal["lane", "room"],
        msgspec.Meta(description="`lane`: the customer lane; `room`: what the customer never sees."),
    ],
    "token": Annotated[
        str, msgspec.Meta(pattern="^[0-9a-f]{32}$", description="A file's token, as a message names it.")
    ],
    "key": Annotated[
        str, msgspec.Meta(min_length=1, max_length=60, pattern="^[^/]+$", description="A team's key.")
    ],
}
"""What each part of an address may be; for anything else there is nothing there."""

F = TypeVar("F", bound=Form)
T = TypeVar("T")


class Nothing(Form):
    """A request that is only its address."""


@dataclass(frozen=True, slots=True)
class Call(Generic[F]):
    """What a door is given beside the transaction."""

    form: F
    path: Mapping[str, Any]
    house: House
    held: Held

    @property
    def number(self) -> int:
        """The ticket in the address."""
        number: int = self.path["number"]
        return number


@dataclass(frozen=True, slots=True)
class Carried:
    """A request whose bytes go past the transaction, and transactions as whoever shows its token."""

    request: Request
    house: House
    secret: str
    scope: Scope

    async def read(self, do: Callable[[Work], T]) -> T:
        """One snapshot. Raises `Problem`."""
        return await _run(self.house, partial(self._as, do), write=False)

    async def write(self, do: Callable[[Work], T]) -> T:
        """One transaction. Raises `Problem`."""
        return await _run(self.house, partial(self._as, do), write=True)

    def _as(self, do: Callable[[Work], T], work: Work) -> T:
        held = _held(work, self.secret, self.scope)
        work.actor = held.actor
        with use(held.actor.language), use_zone(held.actor.timezone):
            return do(work)


@dataclass(frozen=True)
class Door:
    """One method of one address. What it takes and gives is said by the types of `do`."""

    method: Literal["GET", "POST"]
    path: str
    do: Callable[[Work, Call[Any]], Any] | Callable[[Carried, Call[Any]], Awaitable[Any]]
    scope: Scope = "read"
    status: int = 200
    is_post: bool = False
    """It writes in a lane: the limit of messages counts as well."""
    carries: Literal["", "in", "out"] = ""
    """Files in, or a file out: past the transaction, so `do` is given the request."""

    @cached_property
    def form(self) -> type[Form]:
        """What it reads: the query of a GET, the body of a POST."""
        form: type[Form] = get_args(get_type_hints(self.do)["call"])[0]
        return form

    @cached_property
    def gives(self) -> type[msgspec.Struct] | None:
        """What it answers; none for an answer without a body."""
        given: type[Any] = get_type_hints(self.do)["return"]
        return None if given is type(None) or given is Response else given

    @cached_property
    def needs_body(self) -> bool:
        """Something in it has no default."""
        return any(field.required for field in msgspec.structs.fields(self.form))

    @property
    def name(self) -> str:
        """As clients call it."""
        return self.do.__name__

    @property
    def says(self) -> str:
        """What it does."""
        return inspect.getdoc(self.do) or ""

    @property
    def part(self) -> str:
        """The noun it belongs to."""
        return self.do.__module__.rpartition(".")[2]


class NoToken(Problem):
    """Nobody known shows a token that works (RFC 6750, 3)."""

    def __init__(self, sentence: str, error: str = "") -> None:
        said = f', error="{error}"' if error else ""
        headers = {"WWW-Authenticate": f'Bearer realm="swarm"{said}'}
        super().__init__(401, _("No token that works"), sentence, headers)


def routes_of(doors: Iterable[Door]) -> list[BaseRoute]:
    """One route for each address, so that a method it does not have is told which it has."""
    by_path: dict[str, dict[str, Door]] = {}
    for door in doors:
        by_path.setdefault(door.path, {})[door.method] = door
    return [
        Route(BASE + path, partial(_answer, its), methods=list(its), name=f"api:{path}")
        for path, its in by_path.items()
    ]


async def _answer(doors: Mapping[str, Door], request: Request) -> Response:
    door = doors["GET" if request.method == "HEAD" else request.method]
    house = house_of(request)
    left: list[Left] = []
    try:
        response = await _through(door, request, house, left)
    except Problem as problem:
        response = house.problems.answer(request, problem)
    if left:
        response.headers.update(left[0].headers)
    return response


async def _through(door: Door, request: Request, house: House, left: list[Left]) -> Response:
    secret = _secret_of(request)
    limits, key = house.settings.limits, key_of(secret)
    left.append(await house.limits.count(Rule("token", f"{limits.api_per_minute}/minute"), key))
    if left[0].over:
        raise TooMany(left[0].reset)
    if door.is_post:
        await house.limits.hit(Rule("posts", f"{limits.posts_per_minute}/minute"), key)
    if door.carries:
        return await _carry(door, request, house, secret)
    path: Mapping[str, Any] = {}
    form: Form | None = None
    refused: Problem | None = None
    try:
        path = _path_of(request)
        form = await _form_of(door, request)
    except Problem as problem:
        # First who asks, then what is wrong with it.
        refused = problem
    used: list[int] = []

    def do(work: Work) -> Any:
        held = _held(work, secret, door.scope)
        if held.seen_long_ago:
            used.append(held.token_id)
        work.actor = held.actor
        with use(held.actor.language), use_zone(held.actor.timezone):
            if refused is not None or form is None:
                raise refused or NotFound
            return door.do(work, Call(form, path, house, held))  # type: ignore[arg-type]

    writes = door.method == "POST" and refused is None
    try:
        given = await _run(house, do, write=writes)
    except Unavailable:
        # Nobody looked yet who asks: whoever may not is told that.
        await _run(house, lambda work: _held(work, secret, door.scope), write=False)
        raise
    if used:
        await _note_used(house, used[0])
    return _given(door, given)


async def _carry(door: Door, request: Request, house: House, secret: str) -> Response:
    """First who asks, then what is asked; only then a byte of it is read."""
    carried = Carried(request, house, secret, door.scope)
    held = await carried.read(lambda work: _held(work, secret, door.scope))
    if held.seen_long_ago:
        await _note_used(house, held.token_id)
    path = _path_of(request)
    with use(held.actor.language), use_zone(held.actor.timezone):
        read_query(request, Nothing)
        call = Call(Nothing(), path, house, held)
        given = await door.do(carried, call)  # type: ignore[arg-type]
    return given if isinstance(given, Response) else _given(door, given)


async def _note_used(house: House, token_id: int) -> None:
    with suppress(ReadOnly):
        await house.store.write(NOBODY, lambda work: note_used(work, token_id))


def _given(door: Door, given: Any) -> Response:
    headers = {"Cache-Control": "no-store"}
    if door.gives is None:
        return Response(status_code=204, headers=headers)
    return Response(msgspec.json.encode(given), door.status, headers, media_type="application/json")


async def _run(house: House, do: Callable[[Work], T], *, write: bool) -> T:
    try:
        return await (house.store.write if write else house.store.read)(NOBODY, do)
    except No as no:
        raise problem_for(no) from no


def _secret_of(request: Request) -> str:
    sent = request.headers.getlist("authorization")
    if not sent:
        raise NoToken(_("Send a token with the request, as in “Authorization: Bearer swarm_…”."))
    found = bearer(sent[0]) if len(sent) == 1 else None
    if found is None:
        raise NoToken(_("This is no token as we give them."), "invalid_token")
    return found


def _held(work: Work, secret: str, scope: Scope) -> Held:
    held = held_by(work.session, secret, work.now)
    if held is None:
        raise NoToken(_("This token is not one of ours, has expired, or was ended."), "invalid_token")
    if scope not in held.scopes:
        problem = Forbidden(_("This token may not do that: it was made without “%(scope)s”.", scope=scope))
        said = f'Bearer realm="swarm", error="insufficient_scope", scope="{scope}"'
        problem.headers["WWW-Authenticate"] = said
        raise problem
    return held


def _path_of(request: Request) -> Mapping[str, Any]:
    found = {}
    for name, value in request.path_params.items():
        try:
            found[name] = msgspec.convert(value, IN_PATHS[name])
        except msgspec.ValidationError:
            raise NotFound from None
    return found


async def _form_of(door: Door, request: Request) -> Form:
    if door.method == "GET":
        return read_query(request, door.form)
    read_query(request, Nothing)
    if not door.needs_body and not await request.body():
        return door.form()
    return await read_json(request, door.form)
