"""The only place that wires: settings in, a running swarm out."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

import swarm.tables  # every table, so that references between them resolve
from swarm.afterwards import afterwards, with_what_follows
from swarm.at_once import AT_ONCE
from swarm.broadcasts import Broadcasts
from swarm.events import SYSTEM
from swarm.files.shelf import Shelf
from swarm.files.storages import shelf_of
from swarm.letters import LETTERS
from swarm.listening import serve_app
from swarm.live.doorbell_memory import MemoryDoorbell
from swarm.live.doorbell_redis import RedisDoorbell
from swarm.live.hub import Hub
from swarm.live.limits import Limits as LiveLimits
from swarm.live.socket import live_endpoint
from swarm.metrics import PUBLISH_SECONDS, Metrics
from swarm.modes import MODES, mode_of
from swarm.outbound.courier import Courier
from swarm.outbound.postman import Postman
from swarm.people.seeing import note_here
from swarm.routes import ROUTES, takes_files
from swarm.schedule import Run, schedule
from swarm.settings import Settings, resources
from swarm.store import ReadOnly, Store, Work, leases
from swarm.store.store import Clock, system_clock
from swarm.store.writable import sentence
from swarm.text import language
from swarm.text.language import use
from swarm.tickets import words
from swarm.watching import Doorman, PostFrame, StoreLog
from swarm.web.cookies import Cookie
from swarm.web.errors import Problem, Problems, SignedOut, Unavailable, wants
from swarm.web.house import House
from swarm.web.language import LanguageMiddleware
from swarm.web.letters import drawn
from swarm.web.limits import Limits
from swarm.web.links import Links
from swarm.web.measuring import Measured
from swarm.web.render import Render
from swarm.web.security import Security
from swarm.web.static import Static
from swarm.webhooks.bodies import bodies

_log = structlog.get_logger(__name__)
DAY = 24 * 3600
HERE_EVERY = 10.0
"""Seconds between two notes of who has a page open."""
TIDY_EVERY = 600.0
"""Seconds."""
LEASE = 3.0
"""A job is its worker's for so many of its periods, then anybody's."""


__all__ = ["build", "serve", "swarm"]


def build(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    routes: Sequence[BaseRoute] = ROUTES,
    figures: Path | None = None,
) -> Starlette:
    """The application over a migrated database; `figures` is the folder that several workers share."""
    language.load()
    store = Store(
        settings.database.url,
        clock=clock,
        at_once=with_what_follows(AT_ONCE, afterwards(settings)),
        connections=settings.database.connections,
        probe=settings.database.probe_seconds,
    )
    static = Static(resources("static"))
    render = Render(
        resources("templates"),
        static,
        clock=clock,
        globals={
            "mode_of": mode_of,
            "modes": MODES,
            "status_word": words.status_word,
            "priority_word": words.priority_word,
            "language_word": words.language_word,
            "availability_word": words.availability_word,
            "channel_word": words.channel_word,
            "how_word": words.how_word,
            "new_id": lambda: secrets.token_hex(16),
            "ticket_prefix": settings.tickets.prefix,
            "demo": settings.demo,
            "mail_goes_out": settings.mail.goes_out,
            "files": settings.files,
            "notice": lambda: _notice(store),
        },
    )
    problems = Problems(render)
    secure = settings.server.address.startswith("https:")
    house = House(
        settings=settings,
        store=store,
        shelf=shelf_of(settings.files),
        drawing=asyncio.Semaphore(2),
        render=render,
        problems=problems,
        limits=Limits(settings.redis.url or "memory://"),
        links=Links(settings.server.address),
        staff_cookie=Cookie("session", secure=secure, max_age=settings.sessions.days * DAY),
        half_way_cookie=Cookie("signing-in", secure=secure, max_age=600),
        customer_cookie=Cookie("case", secure=secure, max_age=settings.links.follow_days * DAY),
        guest_cookie=Cookie("guest", secure=secure, max_age=settings.guests.days * DAY),
    )
    draw = partial(bodies, prefix=settings.tickets.prefix)
    courier = Courier(store, settings.webhooks, draw) if settings.webhooks.sent else None
    postman = (
        Postman(store, settings.mail, LETTERS, partial(drawn, house)) if settings.mail.goes_out else None
    )
    carriers = [carrier for carrier in (courier, postman) if carrier is not None]
    hub = _hub(settings, store, render, house)
    endpoint = live_endpoint(hub)
    app = Starlette(
        routes=[
            # First, for everybody knocks there at once after a cut.
            WebSocketRoute("/live", _OneCookie(endpoint, house.staff_cookie)),
            WebSocketRoute("/live/case", _OneCookie(endpoint, house.customer_cookie)),
            WebSocketRoute("/live/guest/{guest:int}", _OneCookie(endpoint, house.guest_cookie)),
            *routes,
            static.mount(),
        ],
        exception_handlers={
            **problems.handlers(),
            SignedOut: _to_sign_in(problems),
            OperationalError: _database_away(problems),
        },
        lifespan=_lifespan(settings, store, hub, house, carriers),
    )
    app.state.house = house
    app.state.hub = hub
    app.state.metrics = Metrics(hub, store, figures)
    app.state.metrics.post = postman
    app.state.metrics.courier = courier
    return app


def guard(app: Starlette) -> ASGIApp:
    """The application behind its outermost layer, which its own error pages pass too."""
    house: House = app.state.house
    server = house.settings.server
    secure = Security(
        app,
        refuse=house.problems.answer,
        base_url=server.address,
        allowed_hosts=sorted(server.hosts),
        max_body=server.body_bytes,
        body_seconds=server.body_seconds,
        wide=takes_files,
        wide_body=house.settings.files.message_bytes + server.body_bytes,
        wide_seconds=house.settings.files.seconds,
        any_host=("/healthz", "/readyz"),
    )
    return Measured(LanguageMiddleware(secure), app.state.metrics.answered)


def serve(
    settings: Settings,
    *,
    sockets: Sequence[socket.socket] = (),
    when_ready: Callable[[], None] = lambda: None,
    figures: Path | None = None,
) -> None:
    """Serve until told to stop, on listening `sockets` where there are some; the database is migrated."""
    app = build(settings, figures=figures)
    with suppress(KeyboardInterrupt):
        serve_app(guard(app), settings, sockets, when_ready=when_ready, when_leaving=partial(_leave, app))


def _leave(app: Starlette) -> None:
    app.state.hub.drain()
    app.state.metrics.publish()
    app.state.metrics.share()


def _hub(settings: Settings, store: Store, render: Render, house: House) -> Hub:
    live = settings.live
    broadcasts = Broadcasts(store, render)
    hub = Hub(
        log=StoreLog(store),
        render=broadcasts,
        at_once=broadcasts.at_once,
        describe=broadcasts.describe,
        doorman=Doorman(store, house.staff_cookie, house.customer_cookie, house.guest_cookie),
        post=PostFrame(store, settings),
        doorbell=(
            RedisDoorbell(settings.redis.url, prefix=settings.redis.prefix, probe=live.probe_seconds)
            if settings.redis.url
            else MemoryDoorbell()
        ),
        limits=LiveLimits(
            beat=live.beat_seconds,
            resync=live.resync_limit,
            heads_every=live.heads_seconds,
            rights_every=live.standing_seconds,
            slow_reader=live.buffer_bytes,
            sockets=live.sockets_per_worker,
            sockets_of_one=live.sockets_per_person,
            frames_per_second=live.frames_per_second,
            posts_per_second=live.posts_per_second,
        ),
    )
    hub.notice = partial(_notice, store)
    store.on_commit(hub.ring)
    return hub


def _lifespan(
    settings: Settings, store: Store, hub: Hub, house: House, carriers: Sequence[Postman | Courier]
) -> Lifespan[Starlette]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await hub.start()
        loop = asyncio.get_running_loop()
        store.writing.on_change(lambda: _hand_over(loop, hub.tell_notice))
        me = f"{socket.gethostname()} {secrets.token_hex(8)}"
        clocks = [
            asyncio.create_task(_repeat(store, name, me, seconds, run))
            for name, (seconds, run) in schedule(settings, house.shelf).items()
        ]
        clocks.append(asyncio.create_task(_tidy(house.shelf)))
        clocks.append(asyncio.create_task(_look(store, settings.database.probe_seconds)))
        for carrier in carriers:
            carrier.start()
        if settings.mail.goes_out:
            clocks.append(asyncio.create_task(_note_who_is_here(store, hub)))
        if app.state.metrics.folder:
            clocks.append(asyncio.create_task(_publish(app.state.metrics)))
        yield
        for task in clocks:
            task.cancel()
        await asyncio.gather(*clocks, return_exceptions=True)
        await asyncio.gather(*(carrier.stop() for carrier in carriers))
        try:
            await store.write(SYSTEM, lambda work: leases.give_up(work, me))
        except Exception:
            _log.warning("leases_kept", exc_info=True)
        await hub.close_all(settings.live.drain_seconds)
        await hub.stop()
        app.state.metrics.publish()
        app.state.metrics.share()
        await house.limits.close()
        await asyncio.to_thread(store.close)

    return lifespan


async def _repeat(store: Store, name: str, me: str, seconds: float, run: Run) -> None:
    """Run it every so many seconds, unless another worker does."""

    def look(work: Work) -> tuple[bool, bool]:
        return leases.is_there(work, name), leases.is_free(work, name, me)

    def turn(work: Work) -> object:
        return run(work) if leases.take(work, name, me, LEASE * seconds) else None

    while True:
        try:
            there, free = await store.read(SYSTEM, look)
            if not there:
                await store.write(SYSTEM, lambda work: leases.prepare(work, name))
            if free:
                after = await store.write(SYSTEM, turn)
                if callable(after):
                    await asyncio.to_thread(after)
        except ReadOnly:
            # Said once, when it began; the clock comes round again.
            pass
        except Exception:
            _log.exception("scheduled_run_failed", job=name)
        await asyncio.sleep(seconds)


async def _note_who_is_here(store: Store, hub: Hub) -> None:
    while True:
        people = hub.people_here()
        try:
            if people:
                await store.write(SYSTEM, partial(note_here, person_ids=people))
        except ReadOnly:
            # Said once, when it began.
            pass
        except Exception as failure:
            _log.warning("not_noted_who_is_here", failure=type(failure).__name__)
        await asyncio.sleep(HERE_EVERY)


async def _tidy(shelf: Shelf) -> None:
    """Each worker by itself: files arrive on the disk of its machine."""
    while True:
        try:
            await shelf.apart(shelf.tidy)
        except OSError as failure:
            _log.warning("not_tidied", failure=type(failure).__name__)
        await asyncio.sleep(TIDY_EVERY)


async def _look(store: Store, seconds: float) -> None:
    while True:
        try:
            await store.look_whether_it_writes()
        except Exception as failure:
            # A database that is away says nothing of this.
            _log.warning("not_known_whether_it_writes", failure=type(failure).__name__)
        await asyncio.sleep(seconds)


async def _publish(metrics: Metrics) -> None:
    while True:
        metrics.publish()
        await asyncio.to_thread(metrics.share)
        await asyncio.sleep(PUBLISH_SECONDS)


def _hand_over(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)


def _notice(store: Store, language: str = "") -> str:
    """What stands on every screen while nothing can be saved; empty when all is well."""
    why = store.writing.refused
    if why is None:
        return ""
    with use(language) if language else nullcontext():
        return sentence(why)


def _to_sign_in(problems: Problems) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, problem: Exception) -> Response:
        assert isinstance(problem, SignedOut)
        if (
            wants(request) == "page"
            and request.method in ("GET", "HEAD")
            and not request.url.path.startswith("/case/")
        ):
            return RedirectResponse(f"/sign-in?next={request.url.path}", 303)
        return problems.answer(request, problem)

    return answer


def _database_away(problems: Problems) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, failure: Exception) -> Response:
        _log.error("database_away", error=type(failure).__name__)
        problem: Problem = Unavailable()
        return problems.answer(request, problem)

    return answer


class _OneCookie:
    """A customer's page in a colleague's browser opens its socket as the customer, and so does a guest's."""

    def __init__(self, app: ASGIApp, cookie: Cookie) -> None:
        self._app = app
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        number = scope["path_params"].get("guest")
        wanted = self._cookie if number is None else self._cookie.numbered(number)
        kept: list[tuple[bytes, bytes]] = []
        for name, value in scope["headers"]:
            if name == b"cookie":
                parts = [part.strip().partition(b"=") for part in value.split(b";")]
                value = b";".join(
                    self._cookie.name.encode() + b"=" + secret
                    for key, _sign, secret in parts
                    if key.decode("latin-1") == wanted.name
                )
            kept.append((name, value))
        await self._app({**scope, "headers": kept}, receive, send)
