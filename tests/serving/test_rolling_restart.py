"""A rolling restart under load: nothing lost, nothing doubled, and nobody waits for long."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from tests.faults import running
from tests.faults.history import History, findings
from tests.faults.launch import Altered
from tests.faults.pages import Follower, Writer
from tests.faults.running import LOOSE, Fault, Run, play, report
from tests.serving.front import Front
from tests.support import servers
from tests.support.app import App
from tests.support.backends import Backend, PostgresMaker

pytestmark = pytest.mark.fault

SEED = int(os.environ.get("SWARM_TEST_SEED", "0")) or random.randrange(1, 10**6)
ENOUGH = 15.0
"""Seconds of silence that would be too many, on the slowest machine."""
PATIENCE = 60.0
SETTINGS = {**LOOSE, "SWARM_LIVE__DRAIN_SECONDS": "1", "SWARM_LOG__LEVEL": "info"}


class Listener(Follower):
    """A page that notes when it heard something."""

    heard: list[float]

    def _apply(self, frame: dict[str, Any]) -> None:
        self.heard.append(time.monotonic())
        super()._apply(frame)


@pytest.fixture
def listeners(monkeypatch: pytest.MonkeyPatch) -> list[Listener]:
    """Everybody who listens in the run of this test; writers are as quick as people of a busy house."""
    made: list[Listener] = []

    def follower(*arguments: Any) -> Listener:
        made.append(Listener(*arguments))
        made[-1].heard = []
        return made[-1]

    def writer(*arguments: Any, **named: Any) -> Writer:
        one = Writer(*arguments, **named)
        one.pause = 0.1
        return one

    monkeypatch.setattr(running, "Follower", follower)
    monkeypatch.setattr(running, "Writer", writer)
    return made


@pytest.fixture
def parts() -> Iterator[tuple[ExitStack, Backend]]:
    """A durable PostgreSQL and a Redis of one test's own; what else is started goes on the stack."""
    with ExitStack() as stack:
        postgres = stack.enter_context(servers.postgres(durable=True))
        redis = stack.enter_context(servers.redis())
        yield stack, PostgresMaker(postgres, redis).make()


def told(history: History, listeners: list[Listener]) -> str:
    """The longest that any page heard nothing, while there was always something to hear."""
    silence = max(
        later - earlier for one in listeners if len(one.heard) > 9 for earlier, later in pairwise(one.heard)
    )
    answer = max(call.ended - call.began for call in history.calls)
    sent = sum(call.outcome == "ok" for call in history.calls)
    assert silence < ENOUGH, f"somebody heard nothing for {silence:.1f} s"
    return f"{silence:.2f} s; longest wait for an answer {answer:.2f} s; {sent} messages, seed {SEED}"


class Standing:
    """A door that was opened before the run and is closed after it."""

    def __init__(self, door: App | Front) -> None:
        self.port, self.url = door.port, door.url

    def launch(self) -> None:
        """It stands."""

    def await_ready(self) -> None:
        """It answers."""

    def stop(self) -> None:
        """Somebody else does."""


def keeps_every_promise(backend: Backend, door: App | Front, fault: Fault) -> History:
    run = Run(backend, lambda _backend: cast(Altered, Standing(door)), seed=SEED, gives_up=0.0)
    history = asyncio.run(play(run, [("a rolling restart", fault)]))
    assert findings(history) == [], report(history, SEED)
    assert {call.outcome for call in history.calls} == {"ok"}, report(history, SEED)
    return history


def test_two_hosts_behind_nginx_restart_one_after_the_other(
    parts: tuple[ExitStack, Backend], listeners: list[Listener], tmp_path: Path, record_property: Any
) -> None:
    stack, backend = parts
    hosts = [App(backend, tmp_path, env=SETTINGS) for _host in range(2)]
    front = Front(tmp_path / "front", [f"127.0.0.1:{host.port}" for host in hosts])
    for host in hosts:
        assert host.env is not None
        host.env = {**host.env, "SWARM_SERVER__BASE_URL": front.url}
        stack.enter_context(host)
    stack.enter_context(front)

    async def restart_each(run: Run) -> None:
        for host in hosts:
            await asyncio.to_thread(host.stop)
            await run.start(host)
            await run.pause(1)

    history = keeps_every_promise(backend, front, restart_each)
    assert all(host.output.count("Application startup complete") == 2 for host in hosts)
    record_property("longest silence, two hosts behind nginx, rolling restart", told(history, listeners))


def test_two_workers_on_one_port_are_replaced_by_sighup(
    parts: tuple[ExitStack, Backend], listeners: list[Listener], tmp_path: Path, record_property: Any
) -> None:
    stack, backend = parts
    pair = stack.enter_context(App(backend, tmp_path, "--workers", "2", env=SETTINGS))
    deadline = time.monotonic() + PATIENCE
    while pair.output.count("Application startup complete") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)

    async def replace(run: Run) -> None:
        psutil.Process(pair.pid).send_signal(signal.SIGHUP)
        async with asyncio.timeout(PATIENCE):
            while "rolling_restart_done" not in pair.output:
                await run.pause(0.2)

    history = keeps_every_promise(backend, pair, replace)
    assert pair.output.count("Application startup complete") == 4
    record_property("longest silence, serve --workers 2, SIGHUP", told(history, listeners))
