"""Cookies that only this site's pages send and no script reads."""

from __future__ import annotations

import re

from starlette.requests import HTTPConnection, cookie_parser
from starlette.responses import Response


class Cookie:
    """One named cookie; over https its name starts with `__Host-`, so no sibling domain can plant it."""

    def __init__(self, name: str, secure: bool, max_age: int | None = None) -> None:
        """`max_age` in seconds; None lasts until the browser closes."""
        self.name = f"__Host-{name}" if secure else name
        self.secure = secure
        self.max_age = max_age

    def numbered(self, number: int) -> Cookie:
        """One of many of a kind, each for something of its own."""
        made = Cookie(self.name, False, self.max_age)
        made.name, made.secure = f"{self.name}-{number}", self.secure
        return made

    def read(self, connection: HTTPConnection) -> str | None:
        return self.find("; ".join(connection.headers.getlist("cookie")))

    def every(self, connection: HTTPConnection, most: int) -> list[str]:
        """The values of the numbered ones that are sent, newest numbers first."""
        header = "; ".join(connection.headers.getlist("cookie"))
        found = re.findall(rf"(?:^|;)\s*{re.escape(self.name)}-([0-9]{{1,15}})=", header)
        numbers = sorted({int(number) for number in found}, reverse=True)[:most]
        return [value for number in numbers if (value := self.numbered(number).find(header))]

    def find(self, header: str) -> str | None:
        """The value in a Cookie header; None when absent, empty or sent twice with different values."""
        mine = [part for part in header.split(";") if self.name in part]
        found = {cookie_parser(part).get(self.name) for part in mine} - {None, ""}
        return found.pop() if len(found) == 1 else None

    def put(self, response: Response, value: str) -> None:
        age = self.max_age
        response.set_cookie(
            self.name, value, age, secure=self.secure, httponly=True, samesite="lax", path="/"
        )

    def clear(self, response: Response) -> None:
        response.delete_cookie(self.name, secure=self.secure, httponly=True, samesite="lax", path="/")
