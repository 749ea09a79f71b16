"""Several workers on one port: started together, replaced one after another, started again when they die."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from swarm.settings import METRICS_FOLDER, Settings

READY = b"R"
"""What a worker says on its line once it serves."""
FINISHING = 10.0
"""Seconds in which a stopping worker finishes its requests, after its pages were sent elsewhere."""
STARTING = 60.0
"""Seconds a worker may take to start."""
LIVED = 10.0
"""Seconds after which a death is an accident, and no reason to wait before the next start."""
LONGEST_PAUSE = 30.0
# Found where we were found, and not in the folder that happens to be the current one.
_START = "import sys; sys.path[:] = {path!r}; from swarm.worker import start; start()"

_log = structlog.get_logger(__name__)


def listen(host: str, port: int) -> list[socket.socket]:
    """Take the port. Raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return [socket.create_server((host, port), family=family, backlog=4096)]


def supervise(settings: Settings, listening: Sequence[socket.socket]) -> bool:
    """Keep `settings.server.workers` serving until told to stop; False when none of them could start."""
    server = settings.server
    environment = {
        **os.environ,
        # What the command line said; the rest a worker reads anew, so that a rolling restart brings it in.
        "SWARM_DEMO": str(settings.demo).lower(),
        "SWARM_SERVER__HOST": server.host,
        "SWARM_SERVER__PORT": str(server.port),
    }
    patience = settings.live.drain_seconds + FINISHING + 10
    # Every worker answers for all of them at /metrics: their numbers are kept in files that all can read.
    # In memory where there is such a place: a full disk kills whoever writes to a file mapped from it.
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    with tempfile.TemporaryDirectory(prefix="swarm-metrics-", dir=memory) as folder:
        environment |= {METRICS_FOLDER: folder}
        return asyncio.run(_Supervisor(server.workers, listening, environment, patience).run())


class _Worker:
    """A process, and the line that tells it of our end and us of its."""

    def __init__(self, listening: Sequence[socket.socket], environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            numbers = [theirs.fileno(), *(one.fileno() for one in listening)]
            self.process = subprocess.Popen(  # noqa: S603 (our own program)
                [sys.executable, "-P", "-c", _START.format(path=sys.path), *map(str, numbers)],
                stdin=subprocess.DEVNULL,
                env=dict(environment),
                pass_fds=numbers,
                # The terminal's signals are for the supervisor.
                start_new_session=True,
            )
        self.was_ready = False
        self._line = ours
        self._ended = asyncio.create_task(self._until_ended())
        self._ready = asyncio.Event()

    async def ready(self) -> bool:
        """Whether it serves, in time."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), STARTING)
        return self.was_ready

    async def ended(self) -> int:
        """Its exit code; minus the signal that ended it."""
        return await asyncio.shield(self._ended)

    async def stop(self, patience: float) -> None:
        """Ask it to finish, and end it when it does not in time."""
        self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.ended(), patience)
        except TimeoutError:
            _log.warning("worker_killed", worker=self.process.pid)
            await self.kill()

    async def kill(self) -> None:
        """End it."""
        self.process.kill()
        await self.ended()

    async def _until_ended(self) -> int:
        reader, writer = await asyncio.open_connection(sock=self._line)
        with suppress(OSError):
            self.was_ready = await reader.read(1) == READY
            self._ready.set()
            await reader.read()
        code = await asyncio.to_thread(self.process.wait)
        self._ready.set()
        writer.close()
        return code


class _Supervisor:
    def __init__(
        self, count: int, listening: Sequence[socket.socket], environment: Mapping[str, str], patience: float
    ) -> None:
        self._listening = listening
        self._environment = environment
        self._patience = patience
        self._places: list[_Worker | None] = [None] * count
        self._alive: set[_Worker] = set()
        self._stop = asyncio.Event()
        self._roll = asyncio.Event()
        self._some_served = False
        self._failures = 0

    async def run(self) -> bool:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._roll.set)
        duties: list[Coroutine[Any, Any, None]] = [self._keep(place) for place in range(len(self._places))]
        tasks = [asyncio.create_task(duty) for duty in (*duties, self._roll_when_asked())]
        told = asyncio.create_task(self._stop.wait())
        await asyncio.wait([*tasks, told], return_when=asyncio.FIRST_COMPLETED)
        broken = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in self._listening:
            one.close()
        await asyncio.gather(*(worker.stop(self._patience) for worker in self._alive))
        for task in broken:
            task.result()
        return self._some_served or self._failures < len(self._places)

    async def _keep(self, place: int) -> None:
        """One place is always filled; a worker that dies at once is waited for ever longer."""
        pause = 0.0
        loop = asyncio.get_running_loop()
        while True:
            worker = self._places[place]
            if worker is None:
                worker = self._places[place] = self._start()
            began = loop.time()
            if await worker.ready():
                self._some_served = True
            else:
                await worker.kill()
            code = await worker.ended()
            if self._places[place] is not worker:
                continue
            self._places[place] = None
            self._failures += not worker.was_ready
            if not self._some_served and self._failures >= len(self._places):
                self._stop.set()
                return
            pause = 0.0 if loop.time() - began > LIVED else min(max(1.0, 2 * pause), LONGEST_PAUSE)
            _log.error("worker_died", worker=worker.process.pid, code=code, next_in_seconds=pause)
            await asyncio.sleep(pause)

    async def _roll_when_asked(self) -> None:
        while True:
            await self._roll.wait()
            self._roll.clear()
            for place in range(len(self._places)):
                if not await self._replace(place):
                    _log.error("rolling_restart_ended", why="the new worker did not start; the others go on")
                    break
            else:
                _log.info("rolling_restart_done", workers=len(self._places))

    async def _replace(self, place: int) -> bool:
        """A new worker serves before the old one is asked to leave."""
        new = self._start()
        if not await new.ready():
            await new.kill()
            return False
        old, self._places[place] = self._places[place], new
        if old is not None:
            await old.stop(self._patience)
        return True

    def _start(self) -> _Worker:
        worker = _Worker(self._listening, self._environment)
        self._alive.add(worker)
        asyncio.ensure_future(worker.ended()).add_done_callback(lambda _code: self._alive.discard(worker))
        return worker
