"""SQLite's disk fills up under a running swarm: it reads on, says so, loses nothing, goes on by itself."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from tests.support.backends import SqliteMaker
from tests.support.on_small_disk import OnDisk, prepare
from tests.support.processes import DidNotStart
from tests.support.site import Visitor
from tests.support.small_disk import SmallDisk, SmallFiles, small_disk, small_disk_or_files

pytestmark = pytest.mark.fault

SIZE = 8 * 1024 * 1024
PATIENCE = 15.0
FULL = "For now you can only read"
EAGER = {"SWARM_DATABASE__PROBE_SECONDS": "0.2"}
"""Looks so often that a test need not wait."""
LAZY = {"SWARM_DATABASE__PROBE_SECONDS": "3600"}
"""Looks once, at the start: all the rest is found by writing."""


@pytest.fixture
def small(sqlite_maker: SqliteMaker, tmp_path: Path) -> Iterator[OnDisk]:
    with small_disk_or_files(tmp_path, SIZE) as disk:
        made = prepare(disk, sqlite_maker, tmp_path)
        yield made
        made.close()


@pytest.fixture
def mounted(sqlite_maker: SqliteMaker, tmp_path: Path) -> Iterator[OnDisk]:
    """For what only a real disk shows."""
    with small_disk(tmp_path, SIZE) as disk:
        made = prepare(disk, sqlite_maker, tmp_path)
        yield made
        made.close()


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def writes_until_refused(ina: Visitor, small: OnDisk) -> tuple[list[str], httpx2.Response]:
    """Bodies that were acknowledged, and the first answer that was not."""
    said: list[str] = []
    while True:
        body = f"line {len(said)} " + "x" * 3000
        answer = ina.say(small.ticket, "room", body)
        if answer.status_code != 303:
            return said, answer
        said.append(body)
        assert len(said) < 5000, "the disk never filled"


def test_what_was_acknowledged_stays_and_the_rest_is_refused_with_the_text_kept(small: OnDisk) -> None:
    app = small.serve(LAZY)
    ina = small.visitor(app)
    assert ina.say(small.ticket, "room", "before").status_code == 303
    if isinstance(small.disk, SmallDisk):
        small.disk.fill(leave=200_000)
    else:
        small.disk.fill(app)
    said, refused = writes_until_refused(ina, small)
    assert refused.status_code == 503
    assert FULL in refused.text and "x" * 3000 in refused.text
    page = ina.get(f"/tickets/{small.ticket}")
    assert page.status_code == 200 and FULL in page.text
    assert "before" in page.text
    assert small.bodies() == ["before", *said]


def test_it_is_said_on_every_socket_at_once_and_taken_back_at_once(small: OnDisk) -> None:
    app = small.serve(EAGER)
    ina = small.visitor(app)
    room = f"room:{small.ticket}"
    with ina.socket({}) as silent, ina.socket({room: 0}) as watching:
        small.disk.fill(app)
        if isinstance(small.disk, SmallFiles):
            ina.say(small.ticket, "room", "to find it out")
        for wire in (silent, watching):
            assert FULL in wire.until(lambda frame: frame["t"] == "readonly")["why"]
        watching.send({"t": "post", "s": room, "id": "frame-1", "body": "by frame"})
        refused = watching.until(lambda frame: frame["t"] == "refused")
        assert (refused["id"], refused["status"], refused["after"]) == ("frame-1", 503, 1)
        assert FULL in refused["why"]
        with ina.socket() as late:
            assert FULL in late.frames[0]["readonly"]
        ready = httpx2.get(f"{app.url}/readyz")
        assert (ready.status_code, ready.json()["writing"]) == (200, False)
        small.disk.clear(app)
        for wire in (silent, watching):
            assert wire.until(lambda frame: frame["t"] == "readonly")["why"] == ""
        watching.send({"t": "post", "s": room, "id": "frame-1", "body": "by frame"})
        watching.until(lambda frame: frame["t"] == "ack" and frame["id"] == "frame-1")
    assert small.bodies() == ["by frame"]
    assert FULL not in ina.get("/mine").text
    with ina.socket() as after:
        assert "readonly" not in after.frames[0]
    assert httpx2.get(f"{app.url}/readyz").json()["writing"] is True


def test_signed_out_comes_before_full_and_nobody_is_signed_out_by_it(mounted: OnDisk) -> None:
    app = mounted.serve(EAGER)
    ina, nobody = mounted.visitor(app), mounted.visitor(app, session="nothing")
    mounted.disk.fill()
    until(lambda: FULL in ina.get("/mine").text)
    assert nobody.say(mounted.ticket, "room", "hello").status_code == 401
    assert ina.say(mounted.ticket, "room", "hello").status_code == 503
    for address in ("/mine", "/queue", "/tickets", "/me", f"/tickets/{mounted.ticket}/timeline"):
        assert ina.get(address).status_code == 200, address
    sent = nobody.post("/sign-in", {"email": "ina@example.org", "password": "not the right one"})
    assert sent.status_code == 401
    opening = nobody.post(
        "/open",
        {
            "name": "Ana",
            "email": "ana@example.org",
            "subject": "Nothing prints",
            "body": "Not one page since the morning.",
            "team": str(mounted.town.teams["hive"]),
            "language": "en",
            "client_id": "a-form-of-its-own-that-nobody-knows-1",
        },
    )
    assert opening.status_code == 503
    assert FULL in opening.text and "Not one page since the morning." in opening.text
    mounted.disk.clear()
    until(lambda: ina.say(mounted.ticket, "room", "hello").status_code == 303)


def test_killed_on_a_full_disk_it_starts_again_and_reads_what_was_acknowledged(mounted: OnDisk) -> None:
    app = mounted.serve(EAGER)
    ina = mounted.visitor(app)
    mounted.disk.fill(leave=1_500_000)
    said, _refused = writes_until_refused(ina, mounted)
    mounted.disk.fill()
    app.kill()
    assert isinstance(mounted.disk, SmallDisk) and mounted.disk.free == 0
    app.start()
    page = ina.get(f"/tickets/{mounted.ticket}")
    assert page.status_code == 200 and FULL in page.text
    assert mounted.bodies() == said and said
    mounted.disk.clear()
    until(lambda: ina.say(mounted.ticket, "room", "on it goes").status_code == 303)
    assert mounted.bodies() == [*said, "on it goes"]


def test_where_not_even_reading_is_possible_the_start_says_why(mounted: OnDisk) -> None:
    """After a clean stop SQLite needs room for its index before it reads anything."""
    mounted.disk.fill()
    with pytest.raises(DidNotStart) as failed:
        mounted.serve(EAGER)
    assert re.search(r"disk is full.*cannot even be read", str(failed.value), re.DOTALL), failed.value
    assert "Traceback" not in str(failed.value)
    mounted.disk.clear()
    app = mounted.apps[0].start()
    assert mounted.visitor(app).get("/mine").status_code == 200


def test_on_a_disk_made_read_only_it_starts_and_reads(mounted: OnDisk) -> None:
    app = mounted.serve(EAGER)
    assert mounted.visitor(app).say(mounted.ticket, "room", "before").status_code == 303
    app.kill()
    assert isinstance(mounted.disk, SmallDisk)
    mounted.disk.remount("ro")
    app.start()
    ina = mounted.visitor(app)
    until(lambda: "For now you can only read" in ina.get("/mine").text)
    assert "before" in ina.get(f"/tickets/{mounted.ticket}").text
    assert ina.say(mounted.ticket, "room", "after").status_code == 503
    mounted.disk.remount("rw")
    # A file opened where nothing may be written stays so: it takes a new start.
    app.kill()
    app.start()
    assert ina.say(mounted.ticket, "room", "after").status_code == 303
