"""What is not a whole backup of ours is refused with a sentence, and leaves nothing behind."""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from swarm.keeping import archive
from swarm.store.engines import sync_url, writing_engine
from tests.keeping.conftest import Empty, Run
from tests.support.backends import Backend

Members = dict[str, bytes]
Manifest = dict[str, Any]


@pytest.fixture
def good(furnished_file: Path, swarm: Run, tmp_path: Path) -> Path:
    file = tmp_path / "good.zip"
    swarm(Backend("sqlite", f"sqlite:///{furnished_file}", None), "backup", file)
    return file


@pytest.fixture
def target(request: pytest.FixtureRequest, empty: Empty) -> Backend:
    return empty("sqlite")


def refused(swarm: Run, target: Backend, file: Path) -> str:
    """The sentence, from a restore after which there is nothing."""
    said = swarm(target, "restore", file, code=1).stderr
    if target.name == "sqlite":
        folder = Path(target.database_url.removeprefix("sqlite:///")).parent
        assert list(folder.iterdir()) == [], "something was left behind"
    else:
        engine = writing_engine(sync_url(target.database_url), connections=1)
        assert inspect(engine).get_table_names() == [], "something was left behind"
        engine.dispose()
    return said


def repacked(good: Path, change: Callable[[Members, Manifest], None], *, honest: bool) -> Path:
    """The archive with something changed; `honest` lets the manifest tell the truth of it."""
    with zipfile.ZipFile(good) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    manifest = json.loads(members.pop(archive.MANIFEST))
    change(members, manifest)
    if honest:
        for name, about in manifest["tables"].items():
            lines = members[f"tables/{name}.jsonl"]
            about |= {
                "bytes": len(lines),
                "rows": lines.count(b"\n"),
                "sha256": hashlib.sha256(lines).hexdigest(),
            }
    made = good.with_name("changed.zip")
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
        packed.writestr(archive.MANIFEST, json.dumps(manifest))
    return made


@pytest.mark.parametrize("left", [0.0, 0.2, 0.9, 0.999])
def test_a_cut_file(left: float, good: Path, target: Backend, swarm: Run) -> None:
    whole = good.read_bytes()
    good.write_bytes(whole[: int(len(whole) * left)])
    assert "is not a backup, or not a whole one" in refused(swarm, target, good)
    assert "not a whole one" in swarm(target, "backup", "--check", good, code=1).stderr


def test_any_flipped_bit(good: Path, target: Backend, swarm: Run, tmp_path: Path) -> None:
    whole, dice = good.read_bytes(), random.Random(7)
    with zipfile.ZipFile(good) as packed:
        end = packed.start_dir
    for _again in range(40):
        place = dice.randrange(end)
        file = tmp_path / "flipped.zip"
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << dice.randrange(8)]) + whole[place + 1 :])
        try:
            with archive.opened(file) as packed_file:
                packed_file.verify()
        except archive.BadArchive:
            continue
        # Some bytes of a zip mean nothing, such as the times of its members.
        with zipfile.ZipFile(file) as flipped, zipfile.ZipFile(good) as packed:
            assert all(flipped.read(name) == packed.read(name) for name in packed.namelist())


def test_no_zip_and_no_backup(target: Backend, swarm: Run, tmp_path: Path) -> None:
    text, foreign = tmp_path / "text.zip", tmp_path / "foreign.zip"
    text.write_text("hello " * 1000)
    with zipfile.ZipFile(foreign, "w") as packed:
        packed.writestr("manifest.json", '{"name": "of another product"}')
    assert "is not a backup" in refused(swarm, target, text)
    assert "not made by swarm backup" in refused(swarm, target, foreign)
    assert "cannot be read: No such file" in refused(swarm, target, tmp_path / "missing.zip")


def a_newer_format(_members: Members, manifest: Manifest) -> None:
    manifest["version"] += 1
    manifest["something new"] = True


def newer_tables(_members: Members, manifest: Manifest) -> None:
    manifest["revision"] = "9999"


def a_member_too_many(members: Members, _manifest: Manifest) -> None:
    members["../../etc/cron.d/evil"] = b"* * * * *"


def a_table_of_another_path(members: Members, manifest: Manifest) -> None:
    manifest["tables"]["../tickets"] = manifest["tables"].pop("tickets")
    members["tables/../tickets.jsonl"] = members.pop("tables/tickets.jsonl")


def a_table_too_few(members: Members, manifest: Manifest) -> None:
    del members["tables/messages.jsonl"], manifest["tables"]["messages"]


def a_bomb(members: Members, _manifest: Manifest) -> None:
    members["tables/skills.jsonl"] += b" " * 50_000_000


def another_count(_members: Members, manifest: Manifest) -> None:
    manifest["tables"]["tickets"]["rows"] += 1


def files(members: Members, manifest: Manifest) -> None:
    members["files/ab12"] = b"a picture"
    manifest["files"]["ab12"] = {"bytes": 9, "sha256": hashlib.sha256(b"a picture").hexdigest()}


def a_word_for_a_number(members: Members, _manifest: Manifest) -> None:
    members["tables/skills.jsonl"] = b'["one","tls","TLS"]\n'


def no_json(members: Members, _manifest: Manifest) -> None:
    members["tables/skills.jsonl"] = b"no json\n"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (a_newer_format, "made by another version of swarm"),
        (newer_tables, "those of a newer swarm (9999)"),
        (a_member_too_many, "does not hold exactly what its manifest says"),
        (a_table_of_another_path, "does not hold exactly what its manifest says"),
        (a_table_too_few, "does not hold the tables of its own version"),
        (a_bomb, "damaged: tables/skills.jsonl"),
        (another_count, "damaged: tables/tickets.jsonl"),
        (files, "holds files that swarm did not name"),
    ],
)
def test_what_another_hand_changed(
    change: Callable[[Members, Manifest], None], says: str, good: Path, target: Backend, swarm: Run
) -> None:
    assert says in refused(swarm, target, repacked(good, change, honest=False))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (a_word_for_a_number, "a row that cannot be one of skills"),
        (no_json, "a row that cannot be one of skills"),
    ],
)
def test_rows_that_are_none(
    change: Callable[[Members, Manifest], None], says: str, good: Path, target: Backend, swarm: Run
) -> None:
    assert says in refused(swarm, target, repacked(good, change, honest=True))


def test_a_line_without_end(good: Path, target: Backend, swarm: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(members: Members, _manifest: Manifest) -> None:
        members["tables/skills.jsonl"] += b" " * 3 * archive.CHUNK

    monkeypatch.setattr(archive, "LONGEST_LINE", archive.CHUNK)
    assert "damaged: tables/skills.jsonl" in refused(swarm, target, repacked(good, endless, honest=True))


def the_last_line(table: str) -> Callable[[Members, Manifest], None]:
    def cut(members: Members, _manifest: Manifest) -> None:
        lines = members[f"tables/{table}.jsonl"].splitlines(keepends=True)
        members[f"tables/{table}.jsonl"] = b"".join(lines[:-1])

    return cut


def a_moved_event(members: Members, manifest: Manifest) -> None:
    rows = [json.loads(line) for line in members["tables/messages.jsonl"].splitlines()]
    rows[0][manifest["tables"]["messages"]["columns"].index("seq")] = 4711
    members["tables/messages.jsonl"] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def a_ticket_astray(members: Members, manifest: Manifest) -> None:
    columns = manifest["tables"]["tickets"]["columns"]
    rows = [json.loads(line) for line in members["tables/tickets.jsonl"].splitlines()]
    rows[0][columns.index("customer_id")] = 2
    members["tables/tickets.jsonl"] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.mark.parametrize("kind", ["sqlite", "postgres+redis"])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (the_last_line("events"), "the head says"),
        (the_last_line("streams"), "has events and no head"),
        (the_last_line("ownerships"), "chain"),
        (a_moved_event, "has no event at its number"),
        (a_ticket_astray, "merged into another"),
        (the_last_line("skills"), ("point at nothing", "violates foreign key")),
    ],
    ids=[
        "an event less",
        "a head less",
        "an owner less",
        "a message moved",
        "a merged customer",
        "a reference to nothing",
    ],
)
def test_data_that_is_not_whole_is_not_kept(
    kind: str,
    change: Callable[[Members, Manifest], None],
    says: str | tuple[str, str],
    good: Path,
    empty: Empty,
    swarm: Run,
) -> None:
    said = refused(swarm, empty(kind), repacked(good, change, honest=True))
    assert any(one in said for one in ([says] if isinstance(says, str) else says))


def test_a_backup_that_breaks_off_leaves_no_file(
    furnished_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from swarm.keeping import backup

    def interrupted(table: str, _rows: int) -> None:
        if table == "messages":
            raise KeyboardInterrupt

    folder = tmp_path / "kept"
    folder.mkdir()
    with pytest.raises(KeyboardInterrupt):
        backup.take(f"sqlite:///{furnished_file}", folder / "desk.zip", progress=interrupted)
    assert list(folder.iterdir()) == []


def test_files_have_a_place_in_the_format(tmp_path: Path) -> None:
    out = io.BytesIO()
    with archive.Writer(out) as writer:
        writer.file("ab12", [b"a ", b"picture"])
        with pytest.raises(ValueError, match="not a name"):
            writer.file("../ab12", [b""])
        writer.close(
            archive.Manifest(
                revision="0001", epoch="e", taken_at="", swarm="", database="", tables={}, files=writer.files
            )
        )
    file = tmp_path / "files.zip"
    file.write_bytes(out.getvalue())
    with archive.opened(file) as packed:
        packed.verify()
        assert packed.manifest.files["ab12"].bytes == 9
