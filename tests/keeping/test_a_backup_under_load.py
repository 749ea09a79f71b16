"""A backup taken while people write restores to one consistent moment, on both databases."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.engine import URL, Connection

from swarm.accounts.actions import start_session
from swarm.events import SYSTEM
from swarm.keeping import backup
from swarm.store import Store, Work, log
from swarm.store.tables import EventRow
from swarm.tickets.actions import take
from swarm.tickets.models import Message
from tests.faults.history import Call, History, Row, findings
from tests.faults.pages import BROKEN, Seat, Writer, messages
from tests.faults.running import LOOSE
from tests.keeping.conftest import Empty, Run
from tests.support.app import App
from tests.support.backends import Backend
from tests.support.town import Town, build, open_store

pytestmark = pytest.mark.fault

ROOMS = 2
MEANWHILE = 10
"""Messages written while a table is read."""
PAUSES = ("events", "streams", "tickets", "messages")
"""Tables after which the backup waits for them: what belongs together is read at different times."""
PATIENCE = 60.0

Serve = Callable[..., App]


def test_it_restores_to_one_moment(
    backend: Backend, serve: Serve, empty: Empty, swarm: Run, tmp_path: Path
) -> None:
    file = tmp_path / "under-load.zip"
    town, calls, began = written(backend, serve, file)
    before = [call for call in calls if call.outcome == "ok" and call.ended < began]
    assert len(before) >= MEANWHILE and len(calls) > len(before) + MEANWHILE, "nobody wrote meanwhile"

    new = empty(backend.name)
    swarm(new, "restore", file)
    swarm(new, "ownership", "check")
    store = open_store(new)
    rooms = sorted({int(call.stream.partition(":")[2]) for call in calls})
    # Of what was begun later nobody can say whether it is in; what was acknowledged before must be.
    asked = [call if call.ended < began else replace(call, outcome="info", seq=None) for call in calls]
    history = store.read_now(SYSTEM, lambda work: stored(work, asked, rooms))
    page = asyncio.run(shown(seat_of(store, town, "hugo", rooms[0], serve(new).url)))
    store.close()
    history.nodes = {"restored": {f"room:{rooms[0]}": page}}
    assert findings(history) == []
    assert len(before) <= len(history.rows) < len(calls)


def test_a_backup_that_reads_each_table_at_another_time_is_caught(
    backend: Backend, serve: Serve, empty: Empty, swarm: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "snapshot", without_a_snapshot)
    written(backend, serve, tmp_path / "torn.zip")
    refused = swarm(empty(backend.name), "restore", tmp_path / "torn.zip", code=1).stderr
    assert "is not whole, and was not kept" in refused
    assert "head says" in refused


def written(backend: Backend, serve: Serve, file: Path) -> tuple[Town, Sequence[Call], float]:
    """People write over sockets and forms while the backup is taken; what they did, and when it began."""
    store = open_store(backend)
    town = build(store)
    rooms = [town.open("hive") for _room in range(ROOMS)]
    for room in rooms:
        town.act("hugo", take, room)
    url = serve(backend, env=LOOSE).url
    writers = [
        Writer(
            f"{room}-{place}",
            seat_of(store, town, "hugo", room, url),
            room,
            time.monotonic,
            through_socket=place == 0,
        )
        for room in rooms
        for place in range(2)
    ]
    store.close()

    def count() -> int:
        return sum(len(writer.calls) for writer in writers)

    def wait_for(more: int) -> None:
        wanted, deadline = count() + more, time.monotonic() + PATIENCE
        tick = threading.Event()
        while count() < wanted:
            assert time.monotonic() < deadline, "nobody writes"
            tick.wait(0.01)

    def meanwhile(table: str, _rows: int) -> None:
        if table in PAUSES:
            wait_for(MEANWHILE)

    def back_up() -> float:
        wait_for(MEANWHILE)
        began = time.monotonic()
        backup.take(backend.database_url, file, progress=meanwhile)
        return began

    async def play() -> float:
        writing = [asyncio.create_task(writer.run()) for writer in writers]
        try:
            began = await asyncio.to_thread(back_up)
        finally:
            for writer in writers:
                writer.writing = False
            await asyncio.gather(*writing)
        return began

    began = asyncio.run(play())
    return town, [call for writer in writers for call in writer.calls], began


@contextmanager
def without_a_snapshot(url: URL) -> Iterator[Connection]:
    """What a backup must not do."""
    sqlite = url.get_backend_name() == "sqlite"
    engine = create_engine(url, isolation_level="AUTOCOMMIT" if sqlite else "READ COMMITTED")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def seat_of(store: Store, town: Town, who: str, room: int, url: str) -> Seat:
    secret = store.write_now(
        SYSTEM, lambda work: start_session(work, town.people[who], days=1, idle_hours=12)
    )
    return Seat([url], f"session={secret}", f"/tickets/{room}")


def stored(work: Work, calls: Sequence[Call], rooms: Sequence[int]) -> History:
    streams = [f"room:{room}" for room in rooms]
    rows = work.session.execute(
        select(Message.ticket_id, Message.seq, Message.client_id).where(
            Message.lane == "room", Message.ticket_id.in_(rooms)
        )
    )
    numbers: dict[str, list[int]] = {stream: [] for stream in streams}
    log_rows = select(EventRow.stream, EventRow.seq).where(EventRow.stream.in_(streams))
    for stream, seq in work.session.execute(log_rows.order_by(EventRow.stream, EventRow.seq)):
        numbers[stream].append(seq)
    return History(
        calls=list(calls),
        rows=[Row(f"room:{room}", seq, client_id) for room, seq, client_id in rows],
        heads=log.heads(work.session, streams),
        numbers=numbers,
    )


async def shown(seat: Seat) -> list[tuple[int, str]]:
    """The messages at the end of a room's page."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            async with seat.client() as http:
                answer = await http.get(seat.page)
            break
        except BROKEN:
            # A server that has only just started draws its first page slowly on a busy machine.
            assert time.monotonic() < deadline, "the restored desk shows no page"
    assert answer.status_code == 200
    return messages(answer.text.partition('id="log-room-')[2])
