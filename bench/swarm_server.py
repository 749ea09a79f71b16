"""swarm itself, on the core it is given: `python -m bench.swarm_server PORT CORE [one-commit-each]`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable

from msgspec.structs import replace

from bench.serving import stay_on
from swarm import logs, watching
from swarm.accounts.queries import actor_by_session
from swarm.events import NOBODY
from swarm.live.ports import Viewer
from swarm.main import serve
from swarm.settings import load
from swarm.store import Work, store
from swarm.tickets.posting import post


class OneCommitEach(watching.PostFrame):
    """The path of a form, for frames: by the same rule, a transaction and a commit for every message."""

    def __call__(self, viewer: Viewer, stream: str, client_id: str, body: str) -> Awaitable[int]:
        """The message's number, after its own commit."""

        def write(work: Work) -> int:
            work.actor = actor_by_session(work.session, viewer.key, work.now)
            return post(work, int(stream.partition(":")[2]), "room", body, client_id).seq

        return asyncio.ensure_future(self._store.write(NOBODY, write))


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
