"""The reader's language and time zone, for as long as one request lasts."""

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from swarm.text import language, times


class LanguageMiddleware:
    """Speaks what the browser asks for; a door may `choose` otherwise once it knows the person."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        with (
            language.use(language.best(connection.headers.get("accept-language", ""))),
            times.use_zone(connection.cookies.get("zone", "")),
        ):
            await self._app(scope, receive, send)
