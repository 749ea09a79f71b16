"""The description of the API (OpenAPI 3.1), made of the doors themselves and the types they read and give."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from swarm.api import views
from swarm.api.doors import BASE, IN_PATHS, Door, Nothing
from swarm.api.views import View
from swarm.files.kinds import UNKNOWN
from swarm.lanes import programs

REF = "#/components/schemas/{name}"
_PART = re.compile(r"\{(\w+)(?::\w+)?\}")
ALWAYS = (400, 401, 403, 404, 422, 429, 500, 503)
WHEN_SENT = (408, 409, 410, 413, 415)
_FILES = {
    "type": "object",
    "required": ["files"],
    "properties": {
        "files": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "format": "binary", "minLength": 1},
        }
    },
}
ABOUT = """Everything that people do on the pages, for programs, by the same rules.

Send a token with every request: `Authorization: Bearer swarm_…`. People make them on their own page; a token
acts as whoever made it, never does more than they may do now, and no more than its scopes say.

* Bodies are JSON in UTF-8; an unknown field is refused, so that a typing error is heard of.
* Whatever goes wrong is answered as `application/problem+json` (RFC 9457), with a sentence in `detail`.
* `client_id` is yours: sent again with the same one, the first result is answered, and nothing is done twice.
  With another content it is 409.
* Lists give `next`: send it as `cursor` for the page that follows.
* `RateLimit` and `RateLimit-Policy` say how much a token may still ask; 429 says in `Retry-After` when again.
"""
PARTS = {
    "tickets": "Cases: lists, one, opened, written in, moved on.",
    "files": "What goes with messages.",
    "owners": "Who has a ticket.",
    "asks": "Help: who could be asked, who is, and what they say.",
    "people": "Who works here, and their accounts.",
    "teams": "How teams work, and who works in them.",
}


class Problem(View):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    """A sentence for a person."""
    problems: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    """Field → what is wrong with it."""
    request_id: str | msgspec.UnsetType = msgspec.UNSET
    """By which the log knows it."""


def describe(doors: Sequence[Door], address: str) -> dict[str, Any]:
    """The document."""
    kinds = list({kind for door in doors for kind in (door.form, door.gives) if kind and kind is not Nothing})
    kinds.sort(key=lambda kind: (kind.__module__, kind.__name__))
    named = [*kinds, Problem]
    schemas, components = _typed(msgspec.json.schema_components(named, ref_template=REF))
    for name, said in _told_of_fields({door.do.__module__ for door in doors}):
        for field, words in said.items():
            components.get(name, {}).get("properties", {}).get(field, {})["description"] = words
    by_kind = dict(zip(named, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for door in doors:
        said = _operation(door, by_kind, components)
        paths.setdefault(BASE + _PART.sub(r"{\1}", door.path), {})[door.method.lower()] = said
    return {
        "openapi": "3.1.0",
        "info": {"title": "swarm", "version": version("swarm"), "summary": "Support", "description": ABOUT},
        "servers": [{"url": address}],
        "security": [{"token": []}],
        "tags": [{"name": name, "description": said} for name, said in PARTS.items()],
        "paths": paths,
        "components": {
            "schemas": _without_forms_of_queries(components, doors),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "headers": _HEADERS,
            "responses": {str(status): _refusal(status) for status in (*ALWAYS, *WHEN_SENT, 507)},
        },
    }


def _told_of_fields(modules: Iterable[str]) -> Iterable[tuple[str, Mapping[str, str]]]:
    """Of each class its fields with a text below them, as a reader of the code finds it."""
    for module in (__name__, views.__name__, programs.__name__, *sorted(modules)):
        tree = ast.parse(inspect.getsource(sys.modules[module]))
        for kind in (node for node in tree.body if isinstance(node, ast.ClassDef)):
            told = {}
            for field, below in zip(kind.body, kind.body[1:], strict=False):
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    match below:
                        case ast.Expr(ast.Constant(str(words))):
                            told[field.target.id] = words
            yield kind.name, told


def route(doors: Sequence[Door]) -> Route:
    """Serves the document, to anybody: it says nothing of this house but its address."""

    @lru_cache
    def encoded(address: str) -> bytes:
        return msgspec.json.encode(describe(doors, address))

    async def serve(request: Request) -> Response:
        address: str = request.app.state.house.links.absolute("/").rstrip("/")
        return Response(encoded(address), media_type="application/json")

    return Route(f"{BASE}/openapi.json", serve, methods=["GET"])


def _operation(
    door: Door, by_kind: Mapping[Any, Mapping[str, Any]], components: Mapping[str, Any]
) -> dict[str, Any]:
    summary, _dot, _rest = door.says.partition(":")
    said: dict[str, Any] = {
        "operationId": door.name,
        "tags": [door.part],
        "summary": summary.strip().rstrip("."),
        "description": f"{door.says}\n\nScope: `{door.scope}`.",
        "parameters": [*_in_path(door), *(_in_query(door, components) if door.method == "GET" else ())],
        "responses": _answers(door, by_kind),
    }
    if door.carries == "in":
        said["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _FILES}}}
    elif door.method == "POST" and door.form is not Nothing:
        said["requestBody"] = {
            "required": door.needs_body,
            "content": {"application/json": {"schema": by_kind[door.form]}},
        }
    return said


def _answers(door: Door, by_kind: Mapping[Any, Mapping[str, Any]]) -> dict[str, Any]:
    done: dict[str, Any] = {
        "description": HTTPStatus(door.status).phrase,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in _LIMITS},
    }
    if door.carries == "out":
        done["content"] = {UNKNOWN: {"schema": {"type": "string", "format": "binary"}}}
    elif door.gives is not None:
        done["content"] = {"application/json": {"schema": by_kind[door.gives]}}
    refused = {*ALWAYS, *(WHEN_SENT if door.method == "POST" else ())}
    refused |= {"in": {507}, "out": {410}, "": set()}[door.carries]
    return {
        str(door.status): done,
        **{str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(refused)},
    }


def _in_path(door: Door) -> Iterable[dict[str, Any]]:
    for name in _PART.findall(door.path):
        schema = dict(_typed(msgspec.json.schema(IN_PATHS[name])))
        words = {"description": schema.pop("description")} if "description" in schema else {}
        yield {"name": name, "in": "path", "required": True, **words, "schema": schema}


def _in_query(door: Door, components: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    if door.form is Nothing:
        return
    form = components[door.form.__name__]
    for name, schema in form["properties"].items():
        required = name in form.get("required", ())
        yield {"name": name, "in": "query", "required": required, "schema": _in_text(schema)}


def _in_text(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without null, which no query can say."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    return kinds[0] if len(kinds) == 1 else schema


def _typed(said: Any) -> Any:
    """The same, with the type of an enumeration said; generators of clients want to know."""
    if isinstance(said, list | tuple):
        return [_typed(one) for one in said]
    if not isinstance(said, dict):
        return said
    found = {name: _typed(one) for name, one in said.items()}
    if isinstance(found.get("enum"), list) and "type" not in found:
        found["type"] = "string"
    return found


def _without_forms_of_queries(components: dict[str, Any], doors: Sequence[Door]) -> dict[str, Any]:
    queries = {door.form.__name__ for door in doors if door.method == "GET"}
    bodies = {door.form.__name__ for door in doors if door.method == "POST"}
    return {name: said for name, said in sorted(components.items()) if name not in queries - bodies}


def _refusal(status: int) -> dict[str, Any]:
    headers = {
        401: ("WWW-Authenticate",),
        403: ("WWW-Authenticate",),
        429: ("Retry-After", *_LIMITS),
        503: ("Retry-After",),
    }.get(status, ())
    return {
        "description": HTTPStatus(status).phrase,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {"application/problem+json": {"schema": {"$ref": REF.format(name="Problem")}}},
    }


_LIMITS = ("RateLimit", "RateLimit-Policy")
_HEADERS: Mapping[str, Any] = {
    name: {"description": said, "schema": {"type": "string"}}
    for name, said in {
        "RateLimit": "`r` requests are left, `t` seconds until more are (IETF httpapi-ratelimit-headers-10).",
        "RateLimit-Policy": "The rule: `q` requests in `w` seconds.",
        "Retry-After": "Seconds until it is worth trying again.",
        "WWW-Authenticate": "Why the token does not do (RFC 6750).",
    }.items()
}
