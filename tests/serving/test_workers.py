"""`swarm serve --workers 2`: one port, workers that are replaced, and a supervisor they do not outlive."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import runner
from tests.support.app import App
from tests.support.backends import Backend, PostgresMaker
from tests.support.processes import DidNotStart, free_port

pytestmark = pytest.mark.fault

PATIENCE = 30.0
SILENT = 5.0
QUICK = {"SWARM_LIVE__DRAIN_SECONDS": "0.2", "SWARM_SERVER__SILENT_SECONDS": str(SILENT)}


@pytest.fixture(scope="module")
def postgres_backend(postgres_maker: PostgresMaker) -> Iterator[Backend]:
    made = postgres_maker.make()
    yield made
    postgres_maker.drop(made)


@pytest.fixture(scope="module")
def pair(postgres_backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Two workers, both serving; each test leaves it so."""
    home = tmp_path_factory.mktemp("pair")
    config = home / "own.toml"
    config.write_text("")
    with App(postgres_backend, home, "--workers", "2", env={**QUICK, "SWARM_CONFIG": str(config)}) as app:
        both_serve(app)
        yield app


def workers(app: App) -> set[int]:
    return {child.pid for child in psutil.Process(app.pid).children()}


def served(app: App) -> int:
    return app.output.count("Application startup complete")


def rolled(app: App) -> int:
    return app.output.count("rolling_restart_done")


def both_serve(app: App, so_far: int = 2) -> None:
    until(lambda: served(app) >= so_far)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


@contextmanager
def asked_all_along(app: App) -> Iterator[list[str]]:
    """Somebody who asks again and again, and notes what was not answered."""
    problems: list[str] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                with urllib.request.urlopen(f"{app.url}/sign-in", timeout=10) as answer:
                    answer.read()
            except OSError as problem:
                problems.append(repr(problem))
            over.wait(0.005)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield problems
    finally:
        over.set()
        asking.join()


def measured(app: App) -> dict[str, float]:
    """Each figure by its name, with its labels."""
    with urllib.request.urlopen(f"{app.url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {
        name: float(value)
        for name, _space, value in (line.rpartition(" ") for line in lines if line[0] != "#")
    }


def asked_for(app: App) -> float:
    """How often the page of test_either_worker was answered."""
    return measured(app).get('swarm_http_requests_total{method="GET",route="/open",status="200"}', 0.0)


def folder_of(app: App) -> Path:
    """Where its workers keep their figures."""
    [folder] = {Path(psutil.Process(pid).cmdline()[4]) for pid in workers(app)}
    return folder


def test_either_worker_answers_for_both_and_what_a_dead_one_counted_stays(pair: App) -> None:
    until(lambda: measured(pair)["swarm_workers"] == 2)
    memory = {name for name in measured(pair) if name.startswith("swarm_process_resident_bytes")}
    assert memory == {f'swarm_process_resident_bytes{{pid="{pid}"}}' for pid in workers(pair)}
    assert measured(pair)["swarm_read_only"] == 0
    before = asked_for(pair)
    for _time in range(20):
        urllib.request.urlopen(f"{pair.url}/open", timeout=10).close()
    until(lambda: asked_for(pair) == before + 20)
    so_far, folder = served(pair), folder_of(pair)
    for place in range(2):
        killed = sorted(workers(pair))[0]
        psutil.Process(killed).kill()
        both_serve(pair, so_far + place + 1)
        assert asked_for(pair) == before + 20
    until(lambda: len(list(folder.iterdir())) == 3)
    until(lambda: measured(pair)["swarm_workers"] == 2)


def test_somebody_who_reads_the_figures_all_along_is_always_answered(pair: App) -> None:
    """Also while workers begin and end, and whichever answers."""
    highest, so_far = 0.0, rolled(pair)
    psutil.Process(pair.pid).send_signal(signal.SIGHUP)
    while rolled(pair) == so_far:
        now = measured(pair)["swarm_turns_total"] + asked_for(pair)
        assert now >= highest
        highest = now


def test_a_worker_that_dies_is_replaced_while_the_other_answers(pair: App) -> None:
    so_far = served(pair)
    killed, other = sorted(workers(pair))
    psutil.Process(killed).kill()
    until(lambda: len(workers(pair) - {killed}) == 2)
    assert other in workers(pair)
    assert pair.ready()
    both_serve(pair, so_far + 1)


def test_a_worker_that_hangs_is_ended_and_replaced_while_the_other_answers(pair: App) -> None:
    so_far, deaths = served(pair), pair.output.count("worker_died")
    hung, other = sorted(workers(pair))
    psutil.Process(hung).suspend()
    until(lambda: "worker_hung" in pair.output)
    both_serve(pair, so_far + 1)
    assert hung not in workers(pair) and other in workers(pair)
    assert pair.output.count("worker_hung") == 1
    assert pair.output.count("worker_died") == deaths + 1


def test_a_supervisor_that_stood_still_takes_nobody_for_hung(pair: App) -> None:
    before, hung = workers(pair), pair.output.count("worker_hung")
    pair.freeze()
    # Longer than a worker may be silent.
    with pytest.raises(subprocess.TimeoutExpired):
        assert pair.process is not None
        pair.process.wait(SILENT + 1)
    pair.thaw()
    with asked_all_along(pair) as problems:
        until(lambda: measured(pair)["swarm_workers"] == 2)
        until(lambda: pair.ready())
    assert problems == []
    assert (workers(pair), pair.output.count("worker_hung")) == (before, hung)


def test_a_rolling_restart_replaces_every_worker_and_refuses_nobody(pair: App) -> None:
    before, so_far = workers(pair), rolled(pair)
    with asked_all_along(pair) as problems:
        psutil.Process(pair.pid).send_signal(signal.SIGHUP)
        until(lambda: rolled(pair) > so_far)
    assert problems == []
    assert len(workers(pair)) == 2
    assert not workers(pair) & before


def test_a_rolling_restart_that_cannot_start_keeps_the_old_workers(pair: App) -> None:
    assert pair.env is not None
    config = Path(pair.env["SWARM_CONFIG"])
    before = workers(pair)
    config.write_text("[server]\nno_such_setting = 1\n")
    psutil.Process(pair.pid).send_signal(signal.SIGHUP)
    until(lambda: "rolling_restart_ended" in pair.output)
    config.write_text("")
    assert workers(pair) == before
    assert "There is no setting server.no_such_setting" in pair.output
    assert "Traceback" not in pair.output
    assert pair.ready()


def test_when_none_can_start_it_says_so_and_ends(postgres_backend: Backend, tmp_path: Path) -> None:
    nowhere = Backend(
        "postgres+redis", f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/x", postgres_backend.redis_url
    )
    app = App(nowhere, tmp_path, "--workers", "2", "--no-migrate")
    with pytest.raises(DidNotStart, match="No worker could start"):
        app.start()
    assert app.process is not None
    assert app.process.returncode == 1


def test_a_port_somebody_has_is_refused_with_a_sentence(pair: App, postgres_backend: Backend) -> None:
    again = subprocess.run([*pair.command], env=pair.env, capture_output=True, text=True, timeout=PATIENCE)
    assert again.returncode == 1
    assert f"Port {pair.port} of 127.0.0.1 cannot be used: Address already in use." in again.stderr


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_supervisor(end: signal.Signals, pair: App) -> None:
    if pair.process is None or pair.process.poll() is not None:
        so_far = served(pair)
        pair.start()
        both_serve(pair, so_far + 2)
    everybody = [psutil.Process(pid) for pid in workers(pair)]
    assert len(everybody) == 2
    assert pair.process is not None
    folder = folder_of(pair)
    deaths = pair.output.count("worker_died")
    pair.process.send_signal(end)
    assert pair.process.wait(PATIENCE) == (0 if end == signal.SIGTERM else -signal.SIGKILL)
    _gone, left = psutil.wait_procs(everybody, PATIENCE)
    assert left == []
    assert not folder.exists()
    assert pair.output.count("worker_died") == deaths


def test_several_workers_need_a_doorbell_and_a_database_for_several(
    sqlite_backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = runner(sqlite_backend, monkeypatch)("serve", "--workers", "2", code=1)
    assert "Several workers need PostgreSQL and Redis" in refused.stderr
