"""The yardstick of a page: Starlette, one template without a query: `… PORT CORE FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from jinja2 import Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from bench.serving import stay_on

if __name__ == "__main__":
    stay_on(int(sys.argv[2]))
    lines = Path(sys.argv[3]).read_text(encoding="utf-8").splitlines(keepends=True)
    # A loop over prepared lines: as much of a template as there is without a question to a database.
    template = Environment(autoescape=False).from_string("{% for line in lines %}{{ line }}{% endfor %}")

    async def page(_request: Request) -> HTMLResponse:
        return HTMLResponse(template.render(lines=lines))

    uvicorn.run(
        Starlette(routes=[Route("/", page)]),
        port=int(sys.argv[1]),
        log_config=None,
        access_log=False,
    )
