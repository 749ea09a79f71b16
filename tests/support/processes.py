"""Real programs that a test may stop, freeze and kill, and that never outlive it."""

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Self

import psutil

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class DidNotStart(RuntimeError):
    """A program ended or stayed silent while being waited for; carries what it wrote."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listen(host: str = "127.0.0.1") -> socket.socket:
    """A port that nobody else can take meanwhile."""
    # Said to be TCP: otherwise asyncio sends what is short only after the other side acknowledged.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind((host, 0))
    listening.listen(2048)
    return listening


def unprivileged() -> str | None:
    """The user for programs that refuse root; nothing to change for anybody else."""
    return "nobody" if os.geteuid() == 0 else None


def folder(user: str | None = None) -> Path:
    """A new folder outside the repository, owned by that user; the maker removes it."""
    made = Path(tempfile.mkdtemp(prefix="swarm-test-"))
    if user is not None:
        shutil.chown(made, user)
    return made


def _die_with_parent() -> None:
    if hasattr(_libc, "prctl"):
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Program:
    """One process with its output kept in a file; start it in the main thread, with which it dies."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        ready: Callable[[], bool],
        *,
        user: str | None = None,
        env: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        patience: float = 30.0,
    ) -> None:
        self.command = [str(part) for part in command]
        self.log = log
        self.ready = ready
        self.user = user
        self.env = env
        self.stop_signal = stop_signal
        self.patience = patience
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None, "not started"
        return self.process.pid

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def start(self) -> Self:
        """Starts it and waits until it is ready; raises DidNotStart with its output."""
        self.launch()
        self.await_ready()
        return self

    def launch(self) -> None:
        """Starts it, in the thread with which it shall die."""
        with self.log.open("ab") as output:
            self.process = self._spawn(output)

    def await_ready(self) -> None:
        """Waits until it is ready, in any thread; raises DidNotStart with its output."""
        assert self.process is not None, "not started"
        deadline = time.monotonic() + self.patience
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise DidNotStart(f"{' '.join(self.command)}\n{self.output[-4000:]}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.02)

    def _spawn(self, output: IO[bytes]) -> subprocess.Popen[bytes]:
        group = None if self.user is None else pwd.getpwnam(self.user).pw_gid
        return subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=self.user,
            group=group,
            extra_groups=None if self.user is None else [],
            env=None if self.env is None else dict(self.env),
            preexec_fn=_die_with_parent,
            start_new_session=True,
        )

    def _is_ready(self) -> bool:
        try:
            return self.ready()
        except OSError:
            return False

    def stop(self) -> None:
        """Asks it to end and, after ten seconds, makes it."""
        if self.process is None or self.process.poll() is not None:
            return
        self.thaw()
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends it at whatever instruction it is, and every process it started."""
        if self.process is not None and self.process.poll() is None:
            self._signal(signal.SIGKILL)
            self.process.wait()

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        first = psutil.Process(self.pid)
        for process in (first, *first.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def restart(self) -> Self:
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def answers(port: int, host: str = "127.0.0.1") -> bool:
    with socket.create_connection((host, port), timeout=1):
        return True
