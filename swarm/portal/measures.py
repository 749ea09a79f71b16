"""The door for Prometheus."""

from __future__ import annotations

import asyncio
import hmac
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import Response

from swarm.metrics import Metrics
from swarm.web.errors import NotFound
from swarm.web.house import house_of

KIND = "text/plain; version=0.0.4; charset=utf-8"
FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
"""Who comes with one of these comes from elsewhere, whatever address the last hop has."""


async def metrics(request: Request) -> Response:
    """All figures, for whoever has the token; without one set, for this machine itself."""
    if not _may_read(request, house_of(request).settings.metrics.token):
        raise NotFound
    measured: Metrics = request.app.state.metrics
    measured.publish()
    text = await asyncio.to_thread(measured.text)
    return Response(text, headers={"Cache-Control": "no-store", "Content-Type": KIND})


def _may_read(request: Request, token: str) -> bool:
    if token:
        kind, _space, sent = request.headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and hmac.compare_digest(sent.encode(), token.encode())
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
