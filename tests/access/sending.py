"""How each door is knocked at: with a request that passes where the person may."""

from __future__ import annotations

import asyncio
import http.client
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from sqlalchemy import select

import swarm.tables
from swarm.events import Actor
from swarm.store import Work
from swarm.store.sql import together
from swarm.store.tables import Table
from tests.access import bodies
from tests.access.people import World

T = TypeVar("T")
Form = Mapping[str, Any]
ALLOWED_TO_CHANGE = {
    "sessions": {"seen_at", "idle_at"},
    "tokens": {"used_at"},
    "leases": {"holder", "until"},
    "sign_ins": {"tries"},
}
"""What is in use is noted at reads too, leases are renewed by the clock, guesses counted when refused."""

__all__ = ["Answer", "Knocker", "Rehearsal", "rehearsing", "snapshot", "swarm"]


_RECORD = {"company": "D.", "phone": "+351 21", "language": "pt", "timezone": "Europe/Lisbon"}


class _Done(Exception):
    """The action passed; its transaction is thrown away."""

    def __init__(self, result: object) -> None:
        super().__init__()
        self.result = result


class Rehearsal:
    """While `on`, what doors write is done in full and then rolled back: all meet the same world."""

    on = False


@contextmanager
def rehearsing(world: World) -> Iterator[Rehearsal]:
    """Let the store of this site rehearse when told to."""
    store, rehearsal = world.site.store, Rehearsal()
    really = store.begin

    def begin(actor: Actor, do: Callable[[Work], T]) -> asyncio.Future[T]:
        if not rehearsal.on:
            return really(actor, do)

        def try_out(work: Work) -> T:
            result = do(work)
            work.session.flush()
            for asked, then in work.last:
                then(together(work.session.connection(), *asked))
            raise _Done(result)

        async def outcome(tried: asyncio.Future[T]) -> T:
            try:
                return await tried
            except _Done as done:
                return cast(T, done.result)

        return asyncio.ensure_future(outcome(really(actor, try_out)))

    store.begin = begin  # type: ignore[method-assign]
    try:
        yield rehearsal
    finally:
        del store.begin


def snapshot(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, heads of streams among them."""

    def read(work: Work) -> dict[str, list[tuple[Any, ...]]]:
        found = {}
        for table in Table.metadata.sorted_tables:
            if table.name == "seen":
                # Whoever has a page open is noted by the clock.
                continue
            leave = ALLOWED_TO_CHANGE.get(table.name, set())
            columns = [column for column in table.columns if column.name not in leave]
            rows = work.session.execute(select(*columns)).all()
            found[table.name] = sorted((tuple(row) for row in rows), key=repr)
        return found

    return world.site.look(read)


@dataclass(frozen=True)
class Answer:
    """Everything that came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def all_bytes(self) -> bytes:
        """Headers and body."""
        return "\n".join(f"{name}: {value}" for name, value in self.headers).encode() + b"\n\n" + self.body


class Knocker:
    """Sends with a person's cookies as they were at first: what an answer sets or takes away is not kept."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._connection = http.client.HTTPConnection(world.site.url.removeprefix("http://"), timeout=20)
        self._cookies = {
            kind: "; ".join(f"{one.name}={one.value}" for one in visitor.http.cookies.jar)
            for kind, visitor in world.visitors.items()
        }

    def send(
        self, kind: str, method: str, address: str, form: Form | str | bytes | None = None, **headers: str
    ) -> Answer:
        """The answer to this person; `headers` as `X_Swarm_Request`."""
        sent = {"Accept": "text/html", "Cookie": self._cookies[kind]}
        if address.startswith("/api/"):
            return self._send_as_program(kind, method, address, form, headers)
        body: str | bytes | None = None
        if method not in ("GET", "HEAD"):
            sent |= {"Origin": self.world.site.url, "Content-Type": "application/x-www-form-urlencoded"}
            body = form if isinstance(form, str | bytes) else urlencode(dict(form or {}), doseq=True)
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(
            method, address, body, {name: value for name, value in sent.items() if value}
        )
        got = self._connection.getresponse()
        return Answer(got.status, tuple(got.getheaders()), got.read())

    def _send_as_program(
        self, kind: str, method: str, address: str, form: Form | str | bytes | None, headers: Form
    ) -> Answer:
        """With this person's token; who has none shows the cookie, which is worth nothing there."""
        token = self.world.tokens.get(kind)
        sent = {"Authorization": f"Bearer {token}"} if token else {"Cookie": self._cookies[kind]}
        body: str | bytes | None = None
        if method not in ("GET", "HEAD"):
            sent |= {"Content-Type": "application/json", "Origin": self.world.site.url}
            body = form if isinstance(form, str | bytes) else json.dumps(dict(form or {}))
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(
            method, address, body, {name: value for name, value in sent.items() if value}
        )
        got = self._connection.getresponse()
        return Answer(got.status, tuple(got.getheaders()), got.read())

    def knock(self, kind: str, door: str, ticket: str, **headers: str) -> Answer:
        """The answer to this person at this door, about this ticket."""
        method, path = door.split()[:2]
        lane = door.partition("lane=")[2]
        address = self.address(door, ticket)
        if method == "GET":
            return self.send(kind, method, address, None, **{**_as_piece(path), **headers})
        form = _forms(self.world, path, ticket, lane)
        face = {} if _is_everybodys(path) else {"Accept": "application/json"}
        return self.send(kind, method, address, form, **{**face, **headers})

    def address(self, door: str, ticket: str) -> str:
        """Where that door is."""
        who = door.partition("who=")[2] or "guest"
        return _address(self.world, door.split()[1], ticket, door.partition("lane=")[2], who)

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()


def form_for(world: World, door: str, ticket: str) -> dict[str, Any]:
    """What is sent there when all is well."""
    return dict(_forms(world, door.split()[1], ticket, door.partition("lane=")[2]))


def writer_of(door: str) -> tuple[str, str]:
    """Somebody who may pass a door that changes something, and the ticket they may do it on."""
    path = door.split()[1].removeprefix("/api/v1")
    if path.startswith("/case"):
        return "customer", "swarming"
    if path.startswith("/guest"):
        return "guest", "swarming"
    if path.startswith("/invitations"):
        return "invited", "swarming"
    if path.startswith(("/people", "/webhooks")):
        return "administrator", "swarming"
    if path.startswith("/me/tokens/{"):
        return "outsider", "swarming"
    last = path.rpartition("/")[2]
    usual = (
        ("manager", "swarming") if not path.startswith(("/tickets/", "/asks")) else ("hive_owner", "swarming")
    )
    return {
        "owner": ("manager", "swarming"),
        "mode": ("manager", "swarming"),
        "reopening": ("hive_owner", "solved"),
        "escalation": ("ladder_owner", "climbing"),
        "return": ("ladder_owner", "waiting"),
        "hand": ("hive_one", "swarming"),
        "leaving": ("swarm", "swarming"),
    }.get(last, usual)


def _is_everybodys(path: str) -> bool:
    work = ("/tickets", "/asks", "/invitations", "/customers", "/case", "/guest")
    house = ("/webhooks", "/teams", "/people", "/skills", "/me")
    return not path.startswith((*work, *house))


def _as_piece(path: str) -> dict[str, str]:
    # As a page it sends everybody elsewhere.
    return {"X_Swarm_Request": "piece"} if path == "/rail" else {}


def _address(world: World, path: str, ticket: str, lane: str, guest: str) -> str:
    values = {
        "{number:int}": world.tickets[ticket],
        "{lane}": lane,
        "{ask:int}": world.ask,
        "{invitation:int}": world.invitations["invited"],
        "{key}": "ladder",
        "{secret}": world.links.get(
            {"account": "account", "join": "join"}.get(path.split("/")[1], "link"), ""
        ),
        "{guest:int}": world.guests[guest],
        "{token}": world.files[lane or "lane"].get(ticket, "") if lane != "attic" else "",
        "{name}": "plan.png",
        "{person:int}": world.people["outsider"],
        "{token:int}": world.token,
        "{webhook:int}": world.webhook,
        "{customer:int}": world.customers["ana"],
        "{skill:int}": world.unknown_skill if path.endswith("/removal") else world.skill,
    }
    for name, value in values.items():
        path = path.replace(name, str(value))
    if path.endswith(("/older/lane", "/older/room", "/older/attic", "/older")):
        return f"{path}?before=999"
    return f"{path}/any/css/tokens.css" if path == "/static" else path


def _forms(world: World, path: str, ticket: str, lane: str) -> Form:
    if path.startswith("/api/v1"):
        return bodies.body(world, path.removeprefix("/api/v1"), ticket)
    new = {"client_id": secrets.token_hex(32)}
    people = world.people
    colleague = {"climbing": "ladder_one", "swarming": "swarm"}.get(ticket, "hive_one")
    words = {"reason": "Because", "seen": world.versions[ticket]}
    case = {"subject": "Help", "body": "It broke.", "language": "en", "name": "Ana"}
    hook = {"name": "Dashboard", "url": "https://hooks.example.com/in", "events": "ticket.opened"}
    last = path.rpartition("/")[2]
    forms: dict[str, Form] = {
        "messages": {"body": "A line", "client_id": secrets.token_hex(8)},
        "read": {"lane": lane or "lane", "seq": 1},
        "files": {},
        "pace": {"pace": "on_hold"},
        "letters": {"letters": "answers" if path.startswith("/me") else "off"},
        "answer": {"message": world.notes[ticket]},
        "details": {"priority": 2, "category": "network", "language": "fr", "tags": "one, two"},
        "owner": {"seen": world.versions[ticket]},
        "handover": {**words, "to": people[colleague]},
        "escalation": {**words, "note": "Tried it all"},
        "return": words,
        "mode": {"reason": "Because"},
        "asks": {"question": "Why?", "tried": "x", "people": people["outsider"], **_short(new)},
        "dismissal": {"person": people["swarm"]},
        "guests": {"name": "Rui", "email": "rui@example.org"},
        "withdrawal": {"guest": world.guests["guest"]},
        "refusal": {"why": "No time"},
        "tickets": {**case, "team": world.teams["ladder"], **_short(new)},
        "policy": {"policy": "tierless", "share": 0, "note": "Try it", "version": world.policy},
        "availability": {"availability": "busy"},
        "skills": {"name": "Another"} if path == "/skills" else {"skills": f"{world.skill}:2"},
        "{skill:int}": {"name": "Another"},
        "webhooks": hook,
        "{webhook:int}": hook,
        "state": {"state": "off"},
        "{customer:int}": {"version": 1, "name": "Ana D.", "email": "ana@d.example", **_RECORD},
        "notes": {"version": 1, "notes": "Calls on Mondays"},
        "merge": {"other": world.customers["olu"], "version": 1, "other_version": 1},
        "forgotten": {"email": f"{secrets.token_hex(4)}@example.org"},
        "language": {"language": "en", "next": "/"},
        "second-step": {"roles": "specialist"},
        "app": {"current": "wrong horse battery"},
        "confirmation": {"code": "000000", "name": "Phone"},
        "options": {"current": "wrong horse battery"} if path.startswith("/me") else {},
        "passkey": {"answer": "{}", **({"name": "Key"} if path.startswith("/me") else {})},
        "removal": {"current": "wrong horse battery", "factor": 1} if path.startswith("/me") else {},
        "codes": {"current": "wrong horse battery"},
        "second": {"code": "000000"},
        "add": {"code": "000000"},
        "people": {"name": "New", "email": "new@staff.example.org", "role": "agent", "language": "en"},
        "account": {"name": "Outsider", "email": "other@staff.example.org", "role": "agent"},
        "teams": {"name": "New", "lead": people["hive_one"]}
        if path == "/teams"
        else {"places": f"{world.teams['ladder']}:2"},
        "settings": {"name": "Ladder", "lead": people["ladder_one"], "tiers": ("One", "Two")},
        "tokens": {"name": "A program", "days": 30, "current": "wrong horse battery"},
        "{secret}": {"password": "x" * 20, "again": "x" * 20} if path.startswith("/account") else {},
        "profile": {"name": "Somebody", "language": "en", "timezone": "UTC"},
        "password": {"current": "wrong horse battery", "password": "x" * 20, "again": "x" * 20},
        "sign-in": {"email": "nobody@example.org", "password": "wrong horse battery"},
        "set-up": {"name": "Me", "email": "me@example.org", "password": "x" * 20, "again": "x" * 20},
        "open": {**case, "email": "new@example.org", "team": world.teams["hive"], **new},
    }
    return {"person": people["manager"]} if path == "/demo/sign-in" else forms.get(last, {})


def _short(new: Form) -> Form:
    return {"client_id": new["client_id"][:32]}
