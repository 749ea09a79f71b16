"""Simulated people as a process of their own beside a served demo; it ends with the one that began it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog

from swarm.simulation.living import beside

_log = structlog.get_logger(__name__)

# Found where we were found, and not in the folder that happens to be the current one.
_START = "import sys; sys.path[:] = {path!r}; from swarm.simulation.beside import start; start({url!r})"


@contextmanager
def company(url: str) -> Iterator[None]:
    """Simulated people work at `url` meanwhile."""
    child = subprocess.Popen(  # noqa: S603 (this program itself)
        [sys.executable, "-c", _START.format(path=sys.path, url=url)], stdin=subprocess.PIPE
    )
    try:
        yield
    finally:
        # The end of its input tells it, and so does our death.
        if child.stdin is not None:
            child.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            child.wait(5)
        child.kill()
        child.wait()


def start(url: str) -> None:
    """The process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        os.nice(5)
    asyncio.run(_until_alone(url))


async def _until_alone(url: str) -> None:
    work = asyncio.create_task(beside(url))
    alone = asyncio.create_task(asyncio.to_thread(sys.stdin.buffer.read))
    await asyncio.wait([work, alone], return_when=asyncio.FIRST_COMPLETED)
    work.cancel()
    with suppress(asyncio.CancelledError):
        try:
            await work
        except Exception:
            # The server goes on without them: whoever reads its log learns why nobody moves.
            _log.exception("simulated_people_gone")
    # A thread that reads what will not come would be waited for.
    os._exit(0)
