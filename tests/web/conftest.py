"""A small site made of nothing but the web kit."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from swarm.web.errors import Problems
from swarm.web.language import LanguageMiddleware
from swarm.web.render import Render
from swarm.web.security import Security
from swarm.web.static import Static

TEMPLATES = Path(__file__).parents[2] / "templates"
NOW = datetime(2026, 11, 3, 13, 5, tzinfo=UTC)


@dataclass
class Site:
    app: ASGIApp
    client: TestClient
    render: Render
    static: Static


def lay_out(folder: Path) -> Path:
    for name in ("css/app.css", "js/desk.js"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"/* {name} */")
    (folder / ".secret").write_text("hidden")
    (folder.parent / "outside.txt").write_text("outside")
    return folder


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "static")


@pytest.fixture(scope="session")
def render(tmp_path_factory: pytest.TempPathFactory) -> Render:
    """One for all tests here: compiling the templates takes longer than most of them."""
    return Render(TEMPLATES, Static(lay_out(tmp_path_factory.mktemp("web") / "static")), clock=lambda: NOW)


@pytest.fixture
def build(files: Path, render: Render) -> Callable[..., Site]:
    """Makes a site of some routes; what else is given goes to Security."""

    def build(*routes: BaseRoute, base_url: str = "http://desk.example", **options: Any) -> Site:
        static = Static(files)
        problems = Problems(render)
        inner = Starlette(routes=[*routes, static.mount()], exception_handlers=problems.handlers())
        options = {"allowed_hosts": ["desk.example", "[::1]", ".sub.example"], **options}
        app = LanguageMiddleware(Security(inner, refuse=problems.answer, base_url=base_url, **options))
        client = TestClient(app, base_url=base_url, raise_server_exceptions=False, follow_redirects=False)
        return Site(app, client, render, static)

    return build
