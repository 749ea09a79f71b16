"""What a probe asks: does the process answer, can it serve."""

from __future__ import annotations

import asyncio

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from swarm.events import NOBODY
from swarm.web.house import house_of

PATIENCE = 1.0
"""Seconds the database has to answer."""
_NOT_KEPT = {"Cache-Control": "no-store"}


async def alive(request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n", headers=_NOT_KEPT)


async def ready(request: Request) -> Response:
    """The database answers in time. A silent doorbell is told, but pages catch up without it."""
    reading = house_of(request).store.read(NOBODY, lambda work: work.session.scalar(select(1)))
    try:
        await asyncio.wait_for(reading, PATIENCE)
        database = True
    except (TimeoutError, SQLAlchemyError, OSError):
        database = False
    writing = house_of(request).store.writing.refused is None
    said: dict[str, object] = {
        "ready": database,
        "database": "ok" if database else "silent",
        "writing": writing,
    }
    hub = getattr(request.app.state, "hub", None)
    if hub is not None:
        said["doorbell_seconds"] = round(hub.doorbell.age(), 1)
    return JSONResponse(said, 200 if database else 503, headers=_NOT_KEPT)
