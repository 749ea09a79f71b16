"""`swarm doctor` says in a sentence what is wrong with an installation that really is."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from swarm.keeping import doctor, examine_database, examine_machine
from swarm.store.engines import sync_url, writing_engine
from swarm.store.migrate import upgrade
from swarm.store.store import system_clock
from tests.cli.test_ownership_check import break_it
from tests.keeping.conftest import Empty
from tests.keeping.conftest import Run as Swarm
from tests.support import servers
from tests.support.backends import Backend
from tests.support.processes import free_port
from tests.support.town import build, open_store

Levels = dict[str, list[str]]
Doctor = Callable[..., Levels]


@pytest.fixture
def examine(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """`examine(backend, code=1, SWARM_DEMO="true")`: sentences by level, each check's name before its own."""

    def run(backend: Backend, *, code: int = 0, **env: str) -> Levels:
        monkeypatch.setenv("SWARM_REDIS_URL", backend.redis_url or "")
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        levels: Levels = {"ok": [], "warning": [], "error": []}
        for found in json.loads(swarm(backend, "doctor", "--json", code=code).stdout):
            levels[found["level"]].append(f"{found['check']}: {found['sentence']}")
        return levels

    return run


def one(found: list[str], check: str) -> str:
    """The only sentence of this check at this level."""
    [sentence] = [line for line in found if line.startswith(f"{check}: ")]
    return sentence


def test_a_sound_installation(desk: Backend, examine: Doctor, swarm: Swarm) -> None:
    found = examine(desk, SWARM_DEMO="true")
    assert found["error"] == []
    assert "every stream its numbers" in one(found["ok"], "Data")
    assert "flushed write took" in "".join(found["ok"] + found["warning"])
    if desk.redis_url:
        assert "passes messages on" in "".join(found["ok"] + found["warning"])
    lines = swarm(desk, "doctor").stdout.splitlines()
    assert len(lines) == sum(map(len, found.values()))
    assert all(line.startswith(("ok ", "warning ")) for line in lines)


def test_settings_that_cannot_be_read(sqlite_backend: Backend, examine: Doctor) -> None:
    found = examine(sqlite_backend, code=1, SWARM_SERVER__PROT="1")
    assert found["error"] == [
        "Settings: There is no setting server.prot, which SWARM_SERVER__PROT sets. Did you mean port?"
    ]


@pytest.mark.parametrize(
    ("env", "level", "says"),
    [
        ({"SWARM_SERVER__HOST": "0.0.0.0"}, "error", "set server.base_url"),
        ({"SWARM_SERVER__BASE_URL": "http://desk.example.org"}, "warning", "unencrypted"),
        ({"SWARM_SERVER__BASE_URL": "https://desk.example.org"}, "ok", "Address: People find it"),
        ({"SWARM_SERVER__TRUSTED_PROXIES": "*"}, "error", "trusts everybody"),
        (
            {"SWARM_SERVER__BASE_URL": "https://desk.example.org", "SWARM_SERVER__TRUSTED_PROXIES": ""},
            "warning",
            "share one address",
        ),
        (
            {"SWARM_SERVER__BASE_URL": "https://desk.example.org", "SWARM_DEMO": "true"},
            "error",
            "signs in as anybody",
        ),
        ({"SWARM_SERVER__WORKERS": "2"}, "error", "several need PostgreSQL and Redis"),
        ({"SWARM_SERVER__WORKERS": "1"}, "ok", "Workers: 1 worker serves."),
        ({"SWARM_LIVE__SOCKETS_PER_WORKER": "900000000"}, "warning", "LimitNOFILE"),
        ({"SWARM_LIVE__SOCKETS_PER_WORKER": "900000000"}, "warning", "A full worker needs about"),
    ],
)
def test_settings_that_do_not_make_sense(
    env: dict[str, str], level: str, says: str, sqlite_backend: Backend, examine: Doctor
) -> None:
    found = examine(sqlite_backend, code=int(level == "error"), **env)
    assert any(says in line for line in found[level])


def test_more_workers_than_the_database_has_connections_for(desk: Backend, examine: Doctor) -> None:
    if desk.name == "sqlite":
        assert not [line for line in examine(desk)["ok"] if line.startswith("Connections")]
        return
    assert "has room for" in one(examine(desk, SWARM_SERVER__WORKERS="2")["ok"], "Connections")
    found = examine(desk, code=1, SWARM_SERVER__WORKERS="200")
    assert "server.workers is 200." in one(found["error"], "Connections")
    assert "Workers: 200 workers serve." in found["ok"]
    assert "200 full workers need about" in one(found["ok"] + found["warning"], "Memory")
    found = examine(desk, code=1, SWARM_SERVER__WORKERS="2", SWARM_REDIS_URL="")
    assert "several need PostgreSQL and Redis" in one(found["error"], "Workers")
    assert not [line for lines in found.values() for line in lines if line.startswith("Redis")]


def test_a_password_that_others_may_read(sqlite_backend: Backend, examine: Doctor, tmp_path: Path) -> None:
    file = tmp_path / "swarm.toml"
    file.write_text('[redis]\nurl = "redis://:hunter2@127.0.0.1:1/0"\n')
    file.chmod(0o644)
    found = examine(sqlite_backend, SWARM_CONFIG=str(file))
    assert "others on this machine may read it" in one(found["warning"], "Settings")
    file.chmod(0o600)
    assert "readable" in one(examine(sqlite_backend)["ok"], "Settings")


def test_parts_that_are_away_are_named_without_their_passwords(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    away = Backend("", f"postgresql+psycopg://desk:hunter2@127.0.0.1:{port}/swarm?password=hunter3", None)
    monkeypatch.setenv("SWARM_REDIS_URL", f"redis://:hunter2@127.0.0.1:{port}/0?password=hunter3")
    for arguments in (["doctor"], ["doctor", "--json"]):
        said = swarm(away, *arguments, code=1).output
        assert "hunter" not in said
        assert said.count(f"127.0.0.1:{port}") >= 2
        assert "cannot be used" in said and "does not pass messages on" in said


def test_a_redis_that_hangs(sqlite_backend: Backend, examine: Doctor) -> None:
    with servers.redis() as redis:
        redis.freeze()
        found = examine(sqlite_backend, code=1, SWARM_REDIS__URL=redis.url)
        redis.thaw()
    assert "does not pass messages on" in one(found["error"], "Redis")


def test_a_database_that_is_not_there_is_not_made(empty: Empty, examine: Doctor, tmp_path: Path) -> None:
    found = examine(empty("sqlite"), code=1)
    assert "There is no database at" in one(found["error"], "Database")
    assert not list(tmp_path.glob("empty-1*"))


def test_tables_of_another_version(blank_backend: Backend, examine: Doctor) -> None:
    if blank_backend.name != "sqlite":
        assert "There are none" in one(examine(blank_backend, code=1)["error"], "Tables")
    upgrade(blank_backend.database_url, "0001")
    assert "They are older (0001)" in one(examine(blank_backend, code=1)["error"], "Tables")
    execute(blank_backend, "UPDATE alembic_version SET version_num = '9999'")
    assert "those of a newer swarm (9999)" in one(examine(blank_backend, code=1)["error"], "Tables")


def test_a_desk_nobody_has_set_up(backend: Backend, examine: Doctor) -> None:
    found = examine(backend)
    assert "Nobody has an account" in one(found["warning"], "Set up")
    assert "Nothing was ever written" in one(found["warning"], "Writing")


def test_the_demo_over_data_of_its_own(backend: Backend, examine: Doctor) -> None:
    store = open_store(backend)
    build(store)
    store.close()
    assert "data of its own" in one(examine(backend, code=1, SWARM_DEMO="true")["error"], "Set up")


def test_a_database_that_refuses_writes(
    desk: Backend, examine: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examine_database, "BUSY", 1)
    if desk.name == "sqlite":
        holder = sqlite3.connect(desk.database_url.removeprefix("sqlite:///"), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        assert "database is locked" in one(examine(desk, code=1)["error"], "Writing")
        holder.close()
    else:
        name = desk.database_url.rpartition("/")[2]
        execute(desk, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        assert "read-only transaction" in one(examine(desk, code=1)["error"], "Writing")


def test_a_damaged_file(furnished_file: Path, examine: Doctor, tmp_path: Path) -> None:
    damaged = bytearray(furnished_file.read_bytes())
    for place in range(20 * 4096, len(damaged), 3 * 4096):
        damaged[place : place + 64] = b"\xff" * 64
    (tmp_path / "damaged.db").write_bytes(damaged)
    found = examine(Backend("sqlite", f"sqlite:///{tmp_path}/damaged.db", None), code=1)
    assert any("damaged" in line or "malformed" in line for line in found["error"])


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (
            "DELETE FROM ownerships WHERE ticket_id = 1 AND position = 1",
            "Ticket 1: link 1 of its chain is missing.",
        ),
        ("UPDATE streams SET last_seq = last_seq + 1 WHERE key = 'room:1'", "Stream room:1: "),
        ("UPDATE messages SET seq = 4711 WHERE id = 1", "Message 1 has no event at its number."),
    ],
)
def test_data_that_is_broken(desk: Backend, examine: Doctor, statement: str, says: str) -> None:
    store = open_store(desk)
    break_it(store, statement)
    store.close()
    assert any(line.startswith(f"Data: {says}") for line in examine(desk, code=1)["error"])


def test_writes_that_are_not_flushed(desk: Backend, examine: Doctor) -> None:
    if desk.name == "sqlite":
        assert "was flushed" in one(examine(desk)["ok"], "Durability")
        return
    name = desk.database_url.rpartition("/")[2]
    execute(desk, f"ALTER DATABASE {name} SET synchronous_commit = off")
    # Tests run on a PostgreSQL that does not flush at all.
    assert "fsync, synchronous_commit off" in one(examine(desk)["warning"], "Durability")


def test_clocks_that_disagree(desk: Backend, examine: Doctor) -> None:
    store = open_store(desk)
    town = build(store)
    with town.later(hours=3):
        town.open("hive")
    store.close()
    assert "in the future" in one(examine(desk, code=1)["error"], "Clock")
    behind = doctor.examine(desk.env, clock=lambda: system_clock() - timedelta(minutes=5))
    said = [finding.sentence for finding in behind if finding.check == "Clock" and finding.level == "error"]
    assert len(said) == (1 if desk.name == "sqlite" else 2)


def test_a_forgotten_transaction(desk: Backend, examine: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    if desk.name == "sqlite":
        monkeypatch.setattr(examine_database, "WAL", -1)
        assert "never lets go" in one(examine(desk)["warning"], "Locks")
        return
    monkeypatch.setattr(examine_database, "FORGOTTEN", 0)
    with psycopg.connect(desk.database_url.replace("+psycopg", "")) as forgotten:
        forgotten.execute("SELECT 1")
        assert "rests in a transaction" in one(examine(desk)["warning"], "Locks")


@pytest.mark.parametrize(("bound", "level"), [("LITTLE", "warning"), ("VERY_LITTLE", "error")])
def test_a_disk_that_fills(
    bound: str, level: str, sqlite_backend: Backend, examine: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examine_machine, bound, 10**18)
    found = examine(sqlite_backend, code=int(level == "error"))
    assert any(line.startswith("Disk: ") and "are free" in line for line in found[level])


def test_a_sqlite_file_that_others_may_read(sqlite_backend: Backend, examine: Doctor) -> None:
    file = Path(sqlite_backend.database_url.removeprefix("sqlite:///"))
    file.chmod(0o644)
    assert "Others on this machine may read" in one(examine(sqlite_backend)["warning"], "Disk")
    file.chmod(0o600)
    assert not [line for line in examine(sqlite_backend)["warning"] if "may read" in line]


def execute(backend: Backend, statement: str) -> None:
    engine = writing_engine(sync_url(backend.database_url), connections=1)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
