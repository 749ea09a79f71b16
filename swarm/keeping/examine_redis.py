"""Whether a message put into Redis really comes back."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from swarm.keeping.findings import FAILURES, Finding, error, masked, ok, said, warning
from swarm.settings import Settings
from swarm.text.language import _

PATIENCE = 3.0
"""Seconds for a connection, an answer, or a message."""
SLOW = 0.25
"""Seconds."""


def examine(settings: Settings) -> Iterator[Finding]:
    """A round trip through publish and subscribe, on connections of their own."""
    check = "Redis"
    if not settings.redis.url:
        if settings.server.workers == 1:
            yield ok(check, _("None, as is right for one worker."))
        return
    where = masked(settings.redis.url)
    try:
        took = _round_trip(settings.redis.url, f"{settings.redis.prefix}:doctor:{secrets.token_hex(8)}")
    except FAILURES as failure:
        yield error(
            check,
            _(
                "%(where)s does not pass messages on: %(why)s. Screens go on, slower.",
                where=where,
                why=said(failure).rstrip("."),
            ),
        )
        return
    sentence = _("%(where)s passes messages on, in %(ms)s ms.", where=where, ms=round(took * 1000, 1))
    yield ok(check, sentence) if took < SLOW else warning(check, sentence)


def _round_trip(url: str, channel: str) -> float:
    client = Redis.from_url(
        url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
    )
    with client, client.pubsub() as pubsub:  # type: ignore[no-untyped-call]
        pubsub.subscribe(channel)
        _next(pubsub, "subscribe")
        began = time.monotonic()
        client.publish(channel, b"doctor")
        _next(pubsub, "message")
        return time.monotonic() - began


def _next(pubsub: object, kind: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while (left := deadline - time.monotonic()) > 0:
        message = pubsub.get_message(timeout=left)  # type: ignore[attr-defined]
        if message is not None and message["type"] == kind:
            return
    raise TimeoutError(_("what was published did not come back"))
