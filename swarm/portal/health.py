"""What a probe asks: does the process answer, can it serve."""

from __future__ import annotations

import asyncio

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from swarm.events import NOBODY
from swarm.live.doorbell_redis import SILENT_SECONDS
from swarm.web.house import house_of

PATIENCE = 1.0
"""Seconds the database has to answer."""
_NOT_KEPT = {"Cache-Control": "no-store"}


async def alive(request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n", headers=_NOT_KEPT)


async def ready(request: Request) -> Response:
    """Whether requests should come here: the database answers in time and this worker is not about to go.

    Told besides, as pages can be read all the same: a database that takes no writes, a silent doorbell.
    """
    store = house_of(request).store
    reading = store.read(NOBODY, lambda work: work.session.scalar(select(1)))
    try:
        await asyncio.wait_for(reading, PATIENCE)
        database = True
    except (TimeoutError, SQLAlchemyError, OSError):
        database = False
    figures = request.app.state.hub.figures()
    draining = bool(figures["draining"])
    said: dict[str, object] = {
        "ready": database and not draining,
        "database": "ok" if database else "silent",
        "writing": store.writing.refused is None,
        "draining": draining,
        "doorbell": "ok" if figures["doorbell_age"] < SILENT_SECONDS else "silent",
        "doorbell_seconds": round(figures["doorbell_age"], 1),
    }
    return JSONResponse(said, 200 if said["ready"] else 503, headers=_NOT_KEPT)
