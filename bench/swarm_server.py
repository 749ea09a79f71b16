"""swarm itself, on the core it is given: `python -m bench.swarm_server PORT CORE [one-commit-each]`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable

from msgspec.structs import replace

from bench.serving import stay_on
from swarm import logs, watching
from swarm.live.ports import Viewer
from swarm.main import serve
from swarm.settings import load
from swarm.store import store


class OneCommitEach(watching.PostFrame):
    """The same statements under the same rule, a transaction and a commit of its own for every message."""

    def __call__(self, viewer: Viewer, stream: str, client_id: str, body: str) -> Awaitable[int]:
        """The message's number, after its own commit."""
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        frame = watching._Frame(
            viewer.key, viewer.language, int(stream.partition(":")[2]), client_id, body, answer
        )

        async def write() -> int:
            frame.fail(await self._failed([frame], self._begun([frame])))
            return await answer

        return asyncio.ensure_future(write())


if __name__ == "__main__":
    stay_on(int(sys.argv[2]))
    if sys.argv[3:] == ["one-commit-each"]:
        import swarm.main

        vars(swarm.main)["PostFrame"] = OneCommitEach
        vars(store)["TOGETHER"] = 1
    settings = load()
    logs.set_up(settings.log)
    port = int(sys.argv[1])
    server = replace(settings.server, port=port, base_url=f"http://127.0.0.1:{port}")
    serve(replace(settings, server=server))
