"""A program at the API; whatever it is answered must be as the served description says."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import jsonschema_rs

from swarm.accounts.tokens import make_token, scopes_of
from swarm.people.queries import person_actor
from swarm.store import Work
from tests.support.site import PATIENCE, Site, Wire, wire_to

BASE = "/api/v1"


@dataclass
class Described:
    """The served description, with a validator for each answer of it."""

    document: dict[str, Any]
    validators: dict[str, Any] = field(default_factory=dict)

    def check(self, method: str, path: str, answer: httpx2.Response) -> None:
        """Raises `AssertionError` where the answer is not as described."""
        found = self._operation(method, path)
        if found is None:
            # Not an address of ours, or not a method of it.
            assert answer.status_code in (404, 405), (method, path, answer.status_code)
            self._valid("#/components/schemas/Problem", answer)
            return
        pattern, operation = found
        said = operation["responses"].get(str(answer.status_code))
        assert said is not None, f"{method} {pattern} does not say {answer.status_code}: {answer.text}"
        if "$ref" in said:
            said = self.document["components"]["responses"][said["$ref"].rpartition("/")[2]]
        if "content" not in said:
            assert answer.content == b""
            return
        [(kind, content)] = said["content"].items()
        assert answer.headers["content-type"] == kind
        if content["schema"].get("format") == "binary":
            return
        self._valid(content["schema"]["$ref"], answer)

    def _operation(self, method: str, path: str) -> tuple[str, dict[str, Any]] | None:
        parts = path.partition("?")[0].split("/")
        for pattern, its in self.document["paths"].items():
            known = pattern.split("/")
            if len(known) == len(parts) and all(
                one == other or one.startswith("{") for one, other in zip(known, parts, strict=True)
            ):
                return (pattern, its[method.lower()]) if method.lower() in its else None
        return None

    def _valid(self, ref: str, answer: httpx2.Response) -> None:
        if ref not in self.validators:
            schema = {"$ref": ref, "components": self.document["components"]}
            self.validators[ref] = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        problems = [
            f"{one.instance_path}: {one.message}" for one in self.validators[ref].iter_errors(answer.json())
        ]
        assert problems == [], (ref, problems, answer.text)


_known: dict[str, Described] = {}


def described(site: Site) -> Described:
    """What this site says of its API."""
    if site.url not in _known:
        _known[site.url] = Described(httpx2.get(f"{site.url}{BASE}/openapi.json", timeout=PATIENCE).json())
    return _known[site.url]


@dataclass
class Program:
    """Something that shows a token."""

    site: Site
    token: str
    http: httpx2.Client

    def get(self, path: str, /, **query: Any) -> httpx2.Response:
        """A read; query fields by name."""
        return self.send("GET", path, params=query)

    def post(self, path: str, /, **body: Any) -> httpx2.Response:
        """A change; body fields by name, none for no body."""
        return self.send("POST", path, json=body) if body else self.send("POST", path)

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx2.Response:
        """Anything at all, whose answer is checked against the description."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = self.http.request(method, f"{BASE}{path}", headers={**sent, **(headers or {})}, **more)
        described(self.site).check(method, f"{BASE}{path}", answer)
        return answer

    @contextmanager
    def socket(self, watch: Mapping[str, int] | None = None) -> Iterator[Wire]:
        """A live connection that shows the token, and nothing else."""
        shown = {"Authorization": f"Bearer {self.token}"}
        with wire_to(self.site, watch or {}, "/live", "json", shown) as wire:
            yield wire

    def open(self, team: int, **other: Any) -> dict[str, Any]:
        """A ticket of Bo's, opened."""
        answer = self.post("/tickets", **case(team, **other))
        assert answer.status_code == 201, answer.text
        opened: dict[str, Any] = answer.json()
        return opened


def case(team: int, **other: Any) -> dict[str, Any]:
    """A case as it is sent."""
    return {
        "team": team,
        "name": "Bo Chen",
        "email": "bo@example.org",
        "subject": "The phone is dead",
        "body": "It never *rings*.",
        "client_id": secrets.token_hex(16),
        **other,
    }


def program_of(site: Site, person_id: int, *scopes: str, days: int = 30) -> Program:
    """A program of this person, with a new token; of all scopes they may give where none is named."""

    def make(work: Work) -> str:
        person = person_actor(work.session, person_id)
        given = [scope for scope in scopes if scope != "read"] if scopes else scopes_of(person)
        return make_token(work, person, name=f"Bot {secrets.token_hex(4)}", scopes=given, days=days)  # type: ignore[arg-type]

    return Program(site, site.do(make), site.stranger().http)


def nobody(site: Site, token: str = "") -> Program:
    """A program with this token, or none."""
    return Program(site, token, site.stranger().http)
