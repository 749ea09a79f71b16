"""A backup restores on either database to the same desk, which works on."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from swarm.accounts.models import Link, SessionRow
from swarm.events import SYSTEM
from swarm.keeping import archive
from swarm.keeping.archive import Manifest, Rows
from swarm.keeping.restore import ENTRY, NEVER
from swarm.people.models import Guest, Team
from swarm.store import Work, leases, log
from swarm.store.engines import sync_url, writing_engine
from swarm.store.migrate import revisions, upgrade
from swarm.tickets.models import Ticket
from swarm.tickets.opening import NewTicket, open_ticket
from tests.conftest import PAIRS
from tests.keeping.conftest import Empty, Run
from tests.support.backends import Backend
from tests.support.town import open_store

UNUSED = {"session_cases", "leases"}
"""Tables that only doors and workers fill."""


def manifest_of(path: Path) -> Manifest:
    with archive.opened(path) as packed:
        packed.verify()
        return packed.manifest


def kept(path: Path) -> Mapping[str, Rows]:
    """What a restored desk has in common with its original, byte for byte."""
    tables = manifest_of(path).tables
    return {name: about for name, about in tables.items() if name not in (*ENTRY, *NEVER, "instance")}


@pytest.mark.parametrize("kind", PAIRS)
def test_a_desk_moves_to_either_database_and_is_the_same(
    desk: Backend, kind: str, empty: Empty, swarm: Run, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    assert "60 tickets" in swarm(desk, "backup", first).stdout
    bare = {name for name, about in manifest_of(first).tables.items() if not about.rows}
    assert bare <= UNUSED, "the demo no longer shows that every table is kept"

    new = empty(kind)
    assert "60 tickets" in swarm(new, "restore", first).stdout
    swarm(new, "backup", second)
    assert kept(second) == kept(first)
    assert manifest_of(second).epoch not in ("", manifest_of(first).epoch), "open pages would not reload"
    swarm(new, "ownership", "check")


def test_a_restored_desk_works_on(desk: Backend, empty: Empty, swarm: Run, tmp_path: Path) -> None:
    new = empty(desk.name)
    swarm(desk, "backup", tmp_path / "desk.zip")
    swarm(new, "restore", tmp_path / "desk.zip")
    store = open_store(new)

    def open_one(work: Work) -> tuple[int, int]:
        team = work.session.scalars(select(Team.id)).first()
        assert team is not None
        wish = NewTicket(
            team_id=team, subject="After", body="Still here?", customer=None, language="en", client_id="after"
        )
        highest = work.session.scalar(select(func.max(Ticket.id))) or 0
        return highest, open_ticket(work, wish).id

    highest, number = store.write_now(SYSTEM, open_one)
    assert number == highest + 1
    lane = f"lane:{number}"
    assert store.read_now(SYSTEM, lambda work: log.heads(work.session, [lane]))[lane] == 3
    store.close()
    engine = writing_engine(sync_url(new.database_url), connections=1)
    for forbidden in (
        "UPDATE ownerships SET reason = 'rewritten'",
        "DELETE FROM events WHERE seq = 1",
        "UPDATE tickets SET team_id = 4711",
        "UPDATE messages SET lane = 'attic'",
    ):
        with pytest.raises(DatabaseError), engine.begin() as connection:
            connection.execute(text(forbidden))
    engine.dispose()


def invite_somebody(work: Work) -> None:
    guest = Guest(
        ticket_id=1, name="Rui", email="rui@example.org", invited_by=1, link="open", session="a-hash"
    )
    guest.invited_at, guest.expires_at = work.now, work.now + timedelta(days=1)
    work.session.add(guest)


@pytest.mark.parametrize("option", [[], ["--with-sessions"]], ids=["without", "with sessions"])
def test_who_was_signed_in_and_open_links_come_back_only_when_asked_for(
    option: list[str], desk: Backend, empty: Empty, swarm: Run, tmp_path: Path
) -> None:
    new = empty(desk.name)
    store = open_store(desk)
    store.write_now(SYSTEM, invite_somebody)
    store.close()
    swarm(desk, "backup", tmp_path / "desk.zip")
    swarm(new, "restore", tmp_path / "desk.zip", *option)
    store = open_store(new)
    guests = store.read_now(
        SYSTEM, lambda work: work.session.scalars(select(Guest.ended_at).where(Guest.link == "open")).one()
    )
    assert (guests is None) == bool(option)
    found = store.read_now(
        SYSTEM,
        lambda work: [
            work.session.scalar(select(func.count()).select_from(table)) for table in (SessionRow, Link)
        ],
    )
    store.close()
    assert all(found) if option else found == [0, 0]


def test_what_runs_by_the_clock_need_not_wait_for_workers_of_the_old_desk(
    desk: Backend, empty: Empty, swarm: Run, tmp_path: Path
) -> None:
    new = empty(desk.name)
    store = open_store(desk)
    store.write_now(SYSTEM, lambda work: leases.prepare(work, "a job"))
    assert store.write_now(SYSTEM, lambda work: leases.take(work, "a job", "of the old desk", 3600))
    store.close()
    swarm(desk, "backup", tmp_path / "desk.zip")
    swarm(new, "restore", tmp_path / "desk.zip", "--with-sessions")
    store = open_store(new)
    assert store.read_now(SYSTEM, lambda work: leases.is_free(work, "a job", "of the new one"))
    store.close()


@pytest.mark.parametrize("revision", revisions()[1:])
def test_a_backup_of_older_tables_restores_into_those_of_today(
    revision: str, blank_backend: Backend, empty: Empty, swarm: Run, tmp_path: Path
) -> None:
    upgrade(blank_backend.database_url, revision)
    engine = writing_engine(sync_url(blank_backend.database_url), connections=1)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO skills (id, key, name) VALUES (7, 'tls', 'Zertifikate – TLS')"))
        connection.execute(text("INSERT INTO instance (id, epoch, demo) VALUES (1, 'before', false)"))
    engine.dispose()
    new = empty(blank_backend.name)
    swarm(blank_backend, "backup", tmp_path / "old.zip")
    assert manifest_of(tmp_path / "old.zip").revision == revision
    swarm(new, "restore", tmp_path / "old.zip")
    swarm(new, "backup", tmp_path / "new.zip")
    assert manifest_of(tmp_path / "new.zip").revision == revisions()[0]
    assert kept(tmp_path / "new.zip")["skills"] == kept(tmp_path / "old.zip")["skills"]


def test_a_database_with_anything_in_it_is_not_restored_into(
    desk: Backend, swarm: Run, tmp_path: Path
) -> None:
    swarm(desk, "backup", tmp_path / "desk.zip")
    assert "not empty" in swarm(desk, "restore", tmp_path / "desk.zip", code=1).stderr
    assert "60 tickets" in swarm(desk, "backup", tmp_path / "again.zip").stdout


def test_a_backup_is_private_overwrites_nothing_and_may_be_named_by_its_folder(
    desk: Backend, swarm: Run, tmp_path: Path
) -> None:
    folder, file = tmp_path / "kept", tmp_path / "desk.zip"
    folder.mkdir()
    swarm(desk, "backup", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    assert "never overwrites" in swarm(desk, "backup", file, code=1).stderr
    assert file.read_bytes() == before
    swarm(desk, "backup", folder)
    [dated] = folder.iterdir()
    assert "is whole. 60 tickets" in swarm(desk, "backup", "--check", dated).stdout
    assert "cannot be written" in swarm(desk, "backup", tmp_path / "no" / "desk.zip", code=1).stderr


def test_nothing_is_not_backed_up(blank_backend: Backend, empty: Empty, swarm: Run, tmp_path: Path) -> None:
    if blank_backend.name != "sqlite":
        assert "nothing to back up" in swarm(blank_backend, "backup", tmp_path / "desk.zip", code=1).stderr
    missing = empty("sqlite")
    assert "no database" in swarm(missing, "backup", tmp_path / "desk.zip", code=1).stderr
    assert not list(tmp_path.glob("*.zip")) and not list(tmp_path.glob("empty-1/*"))


STREAM = "from swarm.cli import app; app()"


def test_a_backup_goes_through_a_pipe(furnished_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "piped.zip"
    with file.open("wb") as out:
        subprocess.run(
            [sys.executable, "-c", STREAM, "backup", "-"],
            stdout=out,
            env={**os.environ, "SWARM_DATABASE_URL": f"sqlite:///{furnished_file}"},
            check=True,
            timeout=60,
        )
    assert manifest_of(file).tables["tickets"].rows == 60


KILLED = """
import os, signal, sys
from pathlib import Path
import swarm.tables
from swarm.keeping.backup import take
from swarm.keeping.restore import restore

def strike(table, rows):
    if table == sys.argv[4]:
        os.kill(os.getpid(), signal.SIGKILL)

{"take": take, "restore": restore}[sys.argv[1]](sys.argv[2], Path(sys.argv[3]), progress=strike)
"""


def killed(verb: str, backend: Backend, path: Path, table: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, verb, backend.database_url, str(path), table], check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL


def test_what_is_killed_on_the_way_can_simply_be_run_again(
    desk: Backend, empty: Empty, swarm: Run, tmp_path: Path
) -> None:
    file, new = tmp_path / "desk.zip", empty(desk.name)
    killed("take", desk, file, "tickets")
    assert not file.exists()
    swarm(desk, "backup", file)
    (tmp_path / "empty-1").mkdir(exist_ok=True)
    killed("restore", new, file, "ticket_tags")
    swarm(new, "restore", file)
    swarm(new, "backup", tmp_path / "again.zip")
    assert kept(tmp_path / "again.zip") == kept(file)
