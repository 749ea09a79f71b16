"""An import that is killed, or runs twice at once, leaves every row once."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select

from swarm.events import SYSTEM
from swarm.store import Store
from swarm.tickets.csv_rows import Options
from swarm.tickets.importing import Imported, Wishes, bring_in
from swarm.tickets.models import Message, Ticket
from tests.support.app import START
from tests.support.backends import Backend
from tests.support.town import build, open_store

ROWS = 600


def write(path: Path) -> Path:
    lines = ["id,subject,body,answer,queue"]
    lines += [f"{n},Case {n},Body {n},Answer {n},{'New' if n % 3 else 'Hive'}" for n in range(ROWS)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def counted(store: Store) -> tuple[int, int, int]:
    def count(column: object, *where: object) -> int:
        query = select(func.count(column)).where(*where)  # type: ignore[arg-type]
        return store.read_now(SYSTEM, lambda work: work.session.scalar(query)) or 0

    distinct = store.read_now(
        SYSTEM, lambda work: work.session.scalar(select(func.count(Ticket.external_id.distinct())))
    )
    return count(Ticket.id), distinct or 0, count(Message.id)


@pytest.mark.fault
def test_killed_in_the_middle_and_run_again(backend: Backend, tmp_path: Path) -> None:
    store = open_store(backend)
    build(store)
    file = write(tmp_path / "old.csv")
    environ = {**os.environ, **backend.env}
    command = [sys.executable, "-c", START, "import", str(file)]
    first = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while first.poll() is None and counted(store)[0] == 0:
        pass
    first.send_signal(signal.SIGKILL)
    first.wait()
    begun = counted(store)[0]
    assert 0 < begun < ROWS, "it was killed in the middle"
    again = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert f"{ROWS - begun} tickets imported, {begun} were there already" in again.stdout
    assert counted(store) == (ROWS, ROWS, 2 * ROWS)
    store.close()


def test_two_at_once_import_each_row_once(backend: Backend, tmp_path: Path) -> None:
    file = write(tmp_path / "old.csv")
    stores = [open_store(backend), open_store(backend)]
    build(stores[0])
    results: list[Imported] = []
    together = threading.Barrier(2)

    def one(store: Store) -> None:
        together.wait()
        results.append(bring_in(store, file, Options(), Wishes()))

    threads = [threading.Thread(target=one, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.bad for result in results] == [0, 0]
    assert sum(result.added for result in results) == ROWS
    assert sum(result.already for result in results) == ROWS
    assert sum(len(result.new_teams) for result in results) == 1
    assert counted(stores[0]) == (ROWS, ROWS, 2 * ROWS)
    for store in stores:
        store.close()
