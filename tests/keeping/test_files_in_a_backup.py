"""What people attached goes into a backup and comes out of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as replace_setting

from swarm.events import SYSTEM
from swarm.events.refusals import No
from swarm.files.disk import CHUNK, Disk
from swarm.files.shelf import Shelf
from swarm.files.storages import shelf_of
from swarm.keeping import backup
from swarm.tickets.attaching import keep_loose
from tests.keeping.conftest import Empty, Run, new_file
from tests.support.backends import Backend
from tests.support.storages import seaweed
from tests.support.town import open_store


def on_disk(folder: Path) -> Shelf:
    return Shelf(folder, Disk(folder))


def test_files_come_back_with_their_rows(
    desk: Backend, empty: Empty, swarm: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, shelf, new = open_store(desk), on_disk(tmp_path / "there"), replace(new_file(), width=1, height=1)
    shelf.arriving(new.token).write_bytes(b"what was sent")
    shelf.arriving(f"{new.token}.safe").write_bytes(b"its copy")
    shelf.keep(new.token)
    store.write_now(SYSTEM, lambda work: keep_loose(work, "person:2", [new], 1, "lane", hour_bytes=10))
    store.close()
    monkeypatch.setenv("SWARM_FILES__FOLDER", str(shelf.folder))
    said = swarm(desk, "backup", tmp_path / "desk.zip").output
    # The furnished desk has a row whose bytes never were.
    assert "1 file." in said
    assert "1 file is noted whose bytes are not" in " ".join(said.split())
    monkeypatch.setenv("SWARM_FILES__FOLDER", str(tmp_path / "here"))
    swarm(empty(desk.name), "restore", tmp_path / "desk.zip")
    back = on_disk(tmp_path / "here")
    assert b"".join(back.chunks(new.token)) == b"what was sent"
    assert b"".join(back.chunks(f"{new.token}.safe")) == b"its copy"


def test_a_backup_of_files_in_a_bucket_is_restored_into_another_place(
    desk: Backend, empty: Empty, swarm: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with seaweed() as storage:
        for name, value in storage.named().items():
            monkeypatch.setenv(f"SWARM_FILES__{name.upper()}", value)
        monkeypatch.setenv("SWARM_FILES__FOLDER", str(tmp_path / "arriving"))
        there = storage.settings(tmp_path / "arriving")
        store, shelf, new = open_store(desk), shelf_of(there), new_file()
        shelf.arriving(new.token).write_bytes(b"what was sent")
        shelf.keep(new.token)
        store.write_now(SYSTEM, lambda work: keep_loose(work, "person:2", [new], 1, "lane", hour_bytes=10))
        store.close()
        swarm(desk, "backup", tmp_path / "desk.zip")
        monkeypatch.setenv("SWARM_FILES__PREFIX", "restored")
        swarm(empty(desk.name), "restore", tmp_path / "desk.zip")
        back = shelf_of(replace_setting(there, prefix="restored"))
        assert b"".join(back.chunks(new.token)) == b"what was sent"


def test_a_file_that_goes_in_the_middle_leaves_no_backup_that_cannot_be_restored(
    desk: Backend, tmp_path: Path
) -> None:
    store, shelf, new = open_store(desk), on_disk(tmp_path / "there"), new_file()
    shelf.arriving(new.token).write_bytes(b"\xff" * (CHUNK + 1))
    shelf.keep(new.token)
    store.write_now(SYSTEM, lambda work: keep_loose(work, "person:2", [new], 1, "lane", hour_bytes=10))
    store.close()

    class Swept(Shelf):
        def chunks(self, name: str) -> Iterator[bytes]:
            for chunk in super().chunks(name):
                yield chunk
                self.forget(name)

    with pytest.raises(No, match="taken away"):
        backup.take(desk.database_url, tmp_path / "desk.zip", shelf=Swept(shelf.folder, Disk(shelf.folder)))
    assert not (tmp_path / "desk.zip").exists()
