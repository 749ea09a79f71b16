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
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import structlog

from swarm import figures
from swarm.settings import Settings

READY, ALIVE = b"R", b"."
"""What a worker says on its line: once it serves, and from then on as long as its event loop turns."""
ALIVE_EVERY = 0.5
"""Seconds."""
LOOKS = 10
"""So many in a row must have heard nothing before a worker counts as hung: a supervisor that itself stood
still has missed one."""
FINISHING = 10.0
"""Seconds in which a stopping worker finishes its requests, after its pages were sent elsewhere."""
STARTING = 60.0
"""Seconds a worker may take to start."""
LIVED = 10.0
"""Seconds after which a death is an accident, and no reason to wait before the next start."""
LONGEST_PAUSE = 30.0
FIGURES = "swarm-figures-"
"""How the folder's name begins in which workers keep their figures for each other."""
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
        "SWARM_STILL": str(settings.still).lower(),
        "SWARM_LOG__LEVEL": settings.log.level,
        "SWARM_SERVER__HOST": server.host,
        "SWARM_SERVER__PORT": str(server.port),
    }
    patience = settings.live.drain_seconds + FINISHING + 10
    with ExitStack() as stack:
        folder = None
        try:
            # Where every worker keeps its figures for the others: in memory where there is such a place.
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=FIGURES, dir=_memory())))
        except OSError as failure:
            _log.warning("figures_not_shared", failure=str(failure))
        return asyncio.run(
            _Supervisor(server.workers, listening, environment, patience, folder, server.silent_seconds).run()
        )


def _memory() -> str | None:
    place = "/dev/shm"  # noqa: S108 (only we may enter what is made there)
    return place if os.access(place, os.W_OK | os.X_OK) else None


class _Worker:
    """A process, and the line that tells it of our end and us of its."""

    def __init__(
        self,
        listening: Sequence[socket.socket],
        environment: Mapping[str, str],
        folder: Path | None,
        silence: float,
    ) -> None:
        """`silence`: seconds after which a worker that serves is taken for hung, and ended."""
        ours, theirs = socket.socketpair()
        with theirs:
            numbers = [theirs.fileno(), *(one.fileno() for one in listening)]
            self.process = subprocess.Popen(  # noqa: S603 (our own program)
                [
                    sys.executable,
                    "-P",
                    "-c",
                    _START.format(path=sys.path),
                    str(folder or ""),
                    *map(str, numbers),
                ],
                stdin=subprocess.DEVNULL,
                env=dict(environment),
                pass_fds=numbers,
                # The terminal's signals are for the supervisor.
                start_new_session=True,
            )
        self.was_ready = False
        self._line = ours
        self._silence = silence
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
            await self._listen(reader)
        code = await asyncio.to_thread(self.process.wait)
        self._ready.set()
        writer.close()
        return code

    async def _listen(self, line: asyncio.StreamReader) -> None:
        """Until the line is cut; whoever says nothing for long is made to."""
        silent = 0
        while silent < LOOKS:
            try:
                if not await asyncio.wait_for(line.read(1024), self._silence / LOOKS):
                    return
                silent = 0
            except TimeoutError:
                silent += 1
        _log.error("worker_hung", worker=self.process.pid, silent_seconds=self._silence)
        self.process.kill()
        await line.read()


class _Supervisor:
    def __init__(
        self,
        count: int,
        listening: Sequence[socket.socket],
        environment: Mapping[str, str],
        patience: float,
        folder: Path | None,
        silence: float,
    ) -> None:
        self._listening = listening
        self._environment = environment
        self._patience = patience
        self._folder = folder
        self._silence = silence
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
        worker = _Worker(self._listening, self._environment, self._folder, self._silence)
        self._alive.add(worker)
        asyncio.ensure_future(worker.ended()).add_done_callback(lambda _code: self._forget(worker))
        return worker

    def _forget(self, worker: _Worker) -> None:
        self._alive.discard(worker)
        if self._folder is not None:
            try:
                figures.fold(self._folder, {one.process.pid for one in self._alive})
            except OSError as failure:
                # The next time will do.
                _log.warning("figures_not_folded", failure=str(failure))
