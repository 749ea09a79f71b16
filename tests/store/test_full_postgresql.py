"""PostgreSQL's own disk fills up: its refusal is understood, and its room is found again."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from swarm.events import SYSTEM
from swarm.store import ReadOnly, Store
from swarm.store.instance import ensure
from swarm.store.migrate import upgrade
from swarm.store.tables import StreamRow
from tests.support import binaries
from tests.support.processes import folder, unprivileged
from tests.support.servers import Postgres, _reachable
from tests.support.small_disk import SmallDisk, small_disk

pytestmark = pytest.mark.fault

SIZE = 48 * 1024 * 1024
"""Bytes: a database without rows takes ten million."""


@pytest.fixture
def full_one() -> Iterator[tuple[Store, SmallDisk]]:
    """A store in a database whose tables, and nothing else of the server, are on a small disk."""
    home, apart = folder(unprivileged()), folder()
    try:
        with small_disk(apart, SIZE) as disk:
            server = Postgres(home, _reachable(binaries.postgres(), home))
            _mine(home)
            # There it would be root, which PostgreSQL refuses to be: a second namespace renames it.
            rename = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
            server.command = disk.command([*rename, *server.command])
            server.user = None
            (disk.seen / "tables").mkdir(mode=0o700)
            with server:
                server.run(f"CREATE TABLESPACE small LOCATION '{disk.path / 'tables'}'")
                server.run("CREATE DATABASE ours TABLESPACE small")
                upgrade(server.url("ours"))
                store = Store(server.url("ours"))
                store.write_now(SYSTEM, ensure)
                yield store, disk
                store.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(apart, ignore_errors=True)


def _mine(home: Path) -> None:
    """Give the cluster's files to whoever runs this test."""
    for path in (home, *home.rglob("*")):
        os.chown(path, os.geteuid(), os.getegid(), follow_symlinks=False)


def write(store: Store, count: int) -> None:
    rows = [{"key": f"{secrets.token_hex(600)}", "last_seq": 1} for _ in range(count)]
    store.write_now(SYSTEM, lambda work: work.session.execute(insert(StreamRow), rows))


def test_a_full_disk_is_understood_and_left_when_there_is_room(full_one: tuple[Store, SmallDisk]) -> None:
    store, disk = full_one
    write(store, 10)
    disk.fill()
    with pytest.raises(ReadOnly) as refused:
        for _ in range(1000):
            write(store, 100)
    assert refused.value.why == "full"
    count = store.read_now(SYSTEM, lambda work: len(work.session.scalars(select(StreamRow.key)).all()))
    assert count >= 10 and count % 10 == 0
    store.look_whether_it_writes_now()
    assert store.writing.refused == "full"
    disk.clear()
    store.look_whether_it_writes_now()
    left: str | None = store.writing.refused
    assert left is None
    write(store, 100)
    assert (
        store.read_now(SYSTEM, lambda work: work.session.scalar(text("SELECT count(*) FROM instance"))) == 1
    )
