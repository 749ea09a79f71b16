"""The outermost layer: who may speak to us, how much, how long, and what a browser may do with answers."""

import asyncio
import re
import secrets
from collections.abc import Callable, Sequence

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from swarm.text.language import _
from swarm.web.errors import BadRequest, Forbidden, NotFound, Problem, TooLarge, TooSlow
from swarm.web.links import origin

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_PATH = 1000
"""Characters; Python refuses to read a number of more than 4,300 digits."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Security:
    """Refuses strangers before any door opens, bounds bodies in time and size, puts headers on answers."""

    def __init__(
        self,
        app: ASGIApp,
        refuse: Callable[[Request, Problem], Response],
        base_url: str,
        allowed_hosts: Sequence[str],
        max_body: int = 1_048_576,
        body_seconds: float = 20.0,
        any_host: Sequence[str] = ("/healthz",),
        wide: Callable[[Scope], bool] = lambda _scope: False,
        wide_body: int = 0,
        wide_seconds: float = 0.0,
    ) -> None:
        """`allowed_hosts` without port, `.example.com` for all below; `max_body` in bytes.

        `any_host` are paths that a probe may ask under any name; `wide` doors take files, within `wide_body`
        bytes and `wide_seconds`.
        """
        self._app = app
        self._refuse = refuse
        self._base = origin(base_url)
        self._secure = self._base.startswith("https:")
        self._hosts = frozenset(host.lower() for host in allowed_hosts)
        self._max_body = max_body
        self._body_seconds = body_seconds
        self._any_host = frozenset(any_host)
        self._wide, self._wide_bounds = wide, (wide_body, wide_seconds)
        self._headers = _answer_headers(self._base, self._secure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                self._check(scope)
            except Problem as problem:
                await self._turn_away(scope, receive, self._with_headers(send, request_id), problem)
                return
            if scope["type"] == "http":
                send = self._with_headers(send, request_id)
                receive = self._bounded(receive, *self._bounds(scope))
            await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        host = hosts[0].lower() if len(hosts) == 1 else ""
        known = self._known(host)
        if not known and scope["path"] not in self._any_host:
            raise BadRequest(_("This server does not answer under that name."))
        if len(scope["path"]) > LONGEST_PATH or _CONTROL.search(scope["path"]):
            # PostgreSQL keeps no NUL, so such a path must not reach a query.
            raise NotFound
        if scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS:
            self._check_origin(headers, host if known else "")
        if scope["type"] == "http":
            self._check_length(headers, self._bounds(scope)[0])

    def _known(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if not match:
            return False
        name = match["name"]
        return name in self._hosts or any(name.endswith(tail) for tail in self._hosts if tail.startswith("."))

    def _check_origin(self, headers: Headers, host: str) -> None:
        """Own pages only; a program without Origin and cookie has nothing a stranger could borrow."""
        refused = Forbidden(_("This came from another site's page, so nothing was done."))
        site = headers.get("sec-fetch-site")
        if site not in (None, "same-origin", "none"):
            raise refused
        origins = headers.getlist("origin")
        if origins:
            scheme = "https" if self._secure else "http"
            own = {self._base, origin(f"{scheme}://{host}")} if host else {self._base}
            if len(origins) > 1 or origins[0].lower() not in own:
                raise refused
        elif site is None and "cookie" in headers:
            raise refused

    def _bounds(self, scope: Scope) -> tuple[int, float]:
        return self._wide_bounds if self._wide(scope) else (self._max_body, self._body_seconds)

    def _check_length(self, headers: Headers, most: int) -> None:
        length = headers.get("content-length")
        if length is None:
            return
        if not (length.isascii() and length.isdigit()):
            raise BadRequest(_("The length of what was sent makes no sense."))
        if len(length) > 15 or int(length) > most:
            raise TooLarge

    def _bounded(self, receive: Receive, most: int, seconds: float) -> Receive:
        deadline = asyncio.get_running_loop().time() + seconds
        size = 0
        complete = False

        async def bounded() -> Message:
            nonlocal size, complete
            if complete:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise TooSlow from None
            if message["type"] == "http.request":
                size += len(message.get("body", b""))
                complete = not message.get("more_body", False)
                if size > most:
                    raise TooLarge
            return message

        return bounded

    def _with_headers(self, send: Send, request_id: str) -> Send:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers:
                    headers.setdefault(name, value)
                headers["X-Request-ID"] = request_id
            await send(message)

        return with_headers

    async def _turn_away(self, scope: Scope, receive: Receive, send: Send, problem: Problem) -> None:
        if scope["type"] == "http":
            await self._refuse(Request(scope), problem)(scope, receive, send)
        else:
            # Before accept: the server answers 403, and a foreign page never gets a socket.
            await send({"type": "websocket.close", "code": 1008, "reason": ""})


def _answer_headers(base: str, secure: bool) -> list[tuple[str, str]]:
    # Older Safari does not count a socket to the same host as 'self'.
    socket = base.replace("http", "ws", 1)
    policy = (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self' {socket}; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-src 'none'; frame-ancestors 'none'"
    )
    headers = [
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        # With "no-referrer" browsers send "Origin: null" with our own forms.
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        (
            "Permissions-Policy",
            "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
        ),
    ]
    if secure:
        headers.append(("Strict-Transport-Security", "max-age=31536000"))
    return headers
