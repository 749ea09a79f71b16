"""The yardstick: `websockets.broadcast()` and nothing else. Sends every text it gets to everybody."""

from __future__ import annotations

import asyncio
import os
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve


async def main(port: int, core: int | None) -> None:
    """Serve until killed; prints `ready` when it listens."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    everybody: set[ServerConnection] = set()

    async def meet(connection: ServerConnection) -> None:
        everybody.add(connection)
        try:
            async for message in connection:
                broadcast(everybody, message)
        finally:
            everybody.discard(connection)

    async with serve(meet, "127.0.0.1", port, compression=None, ping_interval=None):
        print("ready", flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None))
