"""One of several workers, as swarm.serving starts it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from swarm import logs, main
from swarm.serving import ALIVE, ALIVE_EVERY, FINISHING, READY
from swarm.settings import Settings, SettingsError, load


def work(
    settings: Settings, figures: Path | None, line: socket.socket, listening: Sequence[socket.socket]
) -> None:
    """Serve on sockets that others share; say on the line when ready, and end when it is cut."""
    # Slower to stop than this is stuck.
    patience = settings.live.drain_seconds + FINISHING + 5

    def end_with_supervisor() -> None:
        with suppress(OSError):
            line.recv(1)
        if figures is not None:
            # Whoever would have done it is dead.
            shutil.rmtree(figures, ignore_errors=True)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(patience)
        os._exit(1)

    def ready() -> None:
        line.sendall(READY)
        stay_alive(asyncio.get_running_loop())

    def stay_alive(loop: asyncio.AbstractEventLoop) -> None:
        with suppress(OSError):
            # A supervisor that stands still must not stop us.
            line.send(ALIVE, socket.MSG_DONTWAIT)
        loop.call_later(ALIVE_EVERY, stay_alive, loop)

    threading.Thread(target=end_with_supervisor, name="swarm-line", daemon=True).start()
    main.serve(settings, sockets=listening, when_ready=ready, figures=figures)


def start() -> None:
    """Begin with what the command line names: the folder of figures, the line, and what to listen on."""
    try:
        loaded = load()
    except SettingsError as problem:
        sys.exit(str(problem))
    logs.set_up(loaded.log)
    folder, *numbers = sys.argv[1:]
    line, *listening = [socket.socket(fileno=int(number)) for number in numbers]
    work(loaded, Path(folder) if folder else None, line, listening)
