"""One worker's server: uvicorn with our protocols, bounds, and a way to take many who come at once."""

from __future__ import annotations

import asyncio
import gc
import math
import os
import resource
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog
import uvicorn
from starlette.types import ASGIApp

from swarm.live.protocol import Protocol
from swarm.serving import FINISHING
from swarm.settings import Settings
from swarm.web.protocol import limited

_log = structlog.get_logger(__name__)
BACKLOG = 4096
"""Connections that wait in the kernel; as many as Linux allows without being asked."""
TAKEN_AT_ONCE = 16
"""Connections taken in one turn of the event loop."""
TAKE_SECONDS = 0.1
"""For the connections that wait when a worker leaves."""
GARBAGE = 5000
"""New objects after which those that refer to each other in circles are looked for."""
UNSENT = 128 * 1024
"""Bytes the system takes beyond what it can send; otherwise megabytes for each peer that reads nothing."""
SWITCH_SECONDS = 0.0005
"""How long the event loop may go on while a thread has the database's answer."""


def serve_app(
    app: ASGIApp,
    settings: Settings,
    sockets: Sequence[socket.socket],
    *,
    when_ready: Callable[[], None],
    when_leaving: Callable[[], None],
) -> None:
    """Serve until told to stop, on listening `sockets` where there are some."""
    live, server = settings.live, settings.server
    sys.setswitchinterval(SWITCH_SECONDS)
    Protocol.shutdown_seconds = live.drain_seconds
    _allow_files(live.sockets_per_worker + 2 * server.connections + 500)
    config = uvicorn.Config(
        app,
        host=server.host,
        port=server.port,
        http=limited(
            header_seconds=server.header_seconds,
            header_bytes=server.header_bytes,
            most=server.connections,
            sockets=live.sockets_per_worker,
        ),
        ws=Protocol,
        ws_per_message_deflate=False,
        ws_ping_interval=None,  # the hub looks for dead peers itself
        ws_max_size=live.frame_bytes,
        backlog=BACKLOG,
        log_config=None,
        server_header=False,
        proxy_headers=bool(server.trusted_proxies),
        forwarded_allow_ips=list(server.trusted_proxies),
        timeout_keep_alive=server.keep_alive_seconds,  # type: ignore[arg-type]  # a part of a second will do
        timeout_graceful_shutdown=math.ceil(live.drain_seconds + FINISHING),
    )
    _Server(config, when_ready, when_leaving).run(list(sockets) or None)


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, when_ready: Callable[[], None], when_leaving: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._when_ready = when_ready
        self._when_leaving = when_leaving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in self.servers:
            _bound_unsent(listening.sockets)
        if self.started:
            await self._take_several()
            # What is there now stays; walking through it again and again held the event loop.
            gc.collect()
            gc.freeze()
            gc.set_threshold(GARBAGE, *gc.get_threshold()[1:])
            self._when_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # The lifespan hears of it only when every connection is gone.
        self._when_leaving()
        # Who came meanwhile has a connection that we have not seen: closing now would break it unanswered.
        await asyncio.sleep(TAKE_SECONDS)
        await super().shutdown(sockets)

    async def _take_several(self) -> None:
        """libuv takes one connection of each listener in a turn of the event loop: let it take several."""
        config = self.config
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.Protocol:
            return config.http_protocol_class(  # type: ignore[call-arg]
                config=config, server_state=self.server_state, app_state=self.lifespan.state
            )

        for server in list(self.servers):
            for listening in server.sockets:
                for _each in range(TAKEN_AT_ONCE - 1):
                    again = socket.socket(fileno=os.dup(listening.fileno()))
                    self.servers.append(
                        await loop.create_server(protocol, sock=again, backlog=config.backlog)
                    )


def _bound_unsent(listening: Sequence[socket.socket]) -> None:
    """Connections inherit it. What is on its way has no bound, so that it costs a far peer no speed."""
    for one in listening:
        with suppress(OSError):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)


def _allow_files(wanted: int) -> None:
    """A process may often open only 1,024 files, fewer than the pages that one worker serves."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if most < wanted:
        _log.warning("few_files_allowed", allowed=most, wanted=wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
