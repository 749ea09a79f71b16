"""The reader's language and time zone, for as long as one request lasts."""

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from swarm.text import language, times

COOKIE = "language"
_YEAR = 365 * 24 * 3600


def remember(response: Response, tag: str, *, secure: bool) -> None:
    """This browser reads `tag` from now on; an unknown one changes nothing."""
    if tag in language.LANGUAGES:
        response.set_cookie(COOKIE, tag, _YEAR, secure=secure, httponly=True, samesite="lax", path="/")


class LanguageMiddleware:
    """Speaks what was chosen in this browser, else what it asks for; doors that know the person overrule."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        with (
            language.use(language.best(connection.headers.get("accept-language", ""))),
            language.use(connection.cookies.get(COOKIE, "")),
            times.use_zone(connection.cookies.get("zone", "")),
        ):
            await self._app(scope, receive, send)
