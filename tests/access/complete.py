"""Whether the table says something of everything there is, and of nothing that is not."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable

from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from swarm import watching
from swarm.live.frames import ClientFrame

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


def doors_of(routes: Iterable[BaseRoute]) -> set[str]:
    """`GET /path` of every route but sockets; a HEAD is a GET without its body."""
    found = set()
    for route in routes:
        if isinstance(route, Route):
            found |= {f"{method} {route.path}" for method in (route.methods or ()) if method != "HEAD"}
        elif isinstance(route, Mount):
            found.add(f"GET {route.path}")
        elif not isinstance(route, WebSocketRoute):
            found.add(f"? {route!r}")
    return found


def sockets_of(routes: Iterable[BaseRoute]) -> set[str]:
    """The path of every socket."""
    return {route.path for route in routes if isinstance(route, WebSocketRoute)}


def frames_of(frames: Iterable[type[ClientFrame]]) -> set[str]:
    """The tag of every frame that a client may send."""
    return {str(frame.__struct_config__.tag) for frame in frames}


def kinds_of_stream() -> set[str]:
    """Every kind of stream that the doorman's rule names."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(watching.may_watch)))
    cases = [case.pattern for node in ast.walk(tree) if isinstance(node, ast.Match) for case in node.cases]
    return {
        str(value.value)
        for pattern in cases
        for value in ast.walk(pattern)
        if isinstance(value, ast.Constant)
    }


def difference(there: Iterable[str], written: Iterable[str]) -> str:
    """A sentence for what has no entry and for entries of nothing; empty where all is well."""
    is_there, has_entry = set(there), {" ".join(name.split()[:2]) for name in written}
    missing, idle = sorted(is_there - has_entry), sorted(has_entry - is_there)
    said = [f"without an entry: {', '.join(missing)}"] if missing else []
    return "; ".join(said + ([f"entries of nothing: {', '.join(idle)}"] if idle else []))
