"""A page on a bad line comes back by itself: caught up, nothing twice, not reloaded, what was typed kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from swarm.tickets import actions as tickets
from tests.faults.browsing import PATIENCE, Desk, asleep, desk, set_epoch, until
from tests.faults.proxy import Way
from tests.support.app import App
from tests.support.backends import Backend, PostgresMaker, SqliteMaker
from tests.support.town import Town, build, open_store

pytestmark = [pytest.mark.fault, pytest.mark.journey]

IMPATIENT = {
    "SWARM_LIVE__BEAT_SECONDS": "1",
    "SWARM_LIVE__DRAIN_SECONDS": "0.2",
    "SWARM_LIMITS__POSTS_PER_MINUTE": "1000000",
}
SENT = "sent while away."


def cut(at: Desk) -> None:
    """Every connection ends with an RST, again and again."""
    for _again in range(3):
        at.line.reset()
        at.others_write(1)
    at.away()


def stalled(at: Desk) -> None:
    """The line takes every byte and hands none on; then all of them, late."""
    at.line.set("black hole")
    at.away()
    at.others_write()
    at.line.set("pass")


def swallowed(at: Desk) -> None:
    """The connections of the moment are dead both ways, and nobody says so."""
    at.line.forget()
    at.others_write()
    at.away()


def deaf(at: Desk) -> None:
    """What the server says is lost on the way."""
    at.line.forget("down")
    at.others_write()
    at.away()


def dumb(at: Desk) -> None:
    """What the page says is lost on the way."""
    at.line.forget("up")
    at.others_write()
    at.away()


def half_closed_by_the_server(at: Desk) -> None:
    at.line.half_close("down")
    at.away()
    at.others_write()


def half_closed_by_the_page(at: Desk) -> None:
    at.line.half_close("up")
    at.away()
    at.others_write()


def slow(at: Desk) -> None:
    """Ten kilobytes a second, then a fifth of a second late."""
    at.line.set("throttle")
    at.others_write(8)
    at.sees("meanwhile 15.")
    at.line.set("delay")
    at.others_write()
    at.sees("meanwhile 21.")
    at.line.set("pass")


def shut(at: Desk) -> None:
    """The laptop sleeps until the server has given it up."""
    with asleep():
        at.others_write()
        until(lambda: at.connections() == 0)
        at.others_write()
    at.away()


def restarted(at: Desk) -> None:
    """The server goes, the others go on, it comes back."""
    at.app.stop()
    at.away()
    at.others_write()
    at.app.start()


FAULTS = {
    "cut": cut,
    "stalled": stalled,
    "dead both ways": swallowed,
    "dead towards the page": deaf,
    "dead towards the server": dumb,
    "half closed by the server": half_closed_by_the_server,
    "half closed by the page": half_closed_by_the_page,
    "slow": slow,
    "asleep": shut,
    "the server restarts": restarted,
}
ON_POSTGRES = ("cut", "stalled", "asleep")


@pytest.fixture(scope="module")
def sqlite_town(
    sqlite_maker: SqliteMaker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Town, App]]:
    yield from _town(lambda home: sqlite_maker.make(home), tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="module")
def postgres_town(
    postgres_maker: PostgresMaker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Town, App]]:
    yield from _town(lambda _home: postgres_maker.make(), tmp_path_factory.mktemp("postgres"))


def _town(make: Callable[[Path], Backend], home: Path) -> Iterator[tuple[Town, App]]:
    backend = make(home)
    store = open_store(backend)
    town = build(store)
    with App(backend, home, env=IMPATIENT) as app:
        yield town, app
    store.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_page_comes_back_by_itself(fault: str, sqlite_town: tuple[Town, App], chromium: Browser) -> None:
    with desk(*sqlite_town, chromium) as at:
        FAULTS[fault](at)
        at.has_come_back()


@pytest.mark.parametrize("fault", ON_POSTGRES)
def test_so_it_does_with_postgres_and_redis(
    fault: str, postgres_town: tuple[Town, App], chromium: Browser
) -> None:
    with desk(*postgres_town, chromium) as at:
        FAULTS[fault](at)
        at.has_come_back()


@pytest.mark.parametrize("ways", [("up", "down"), ("down",)], ids="-".join)
def test_what_is_sent_on_a_dead_line_is_stored_once_and_its_bubble_replaced(
    ways: tuple[Way, ...], sqlite_town: tuple[Town, App], chromium: Browser
) -> None:
    with desk(*sqlite_town, chromium) as at:
        at.settle()
        at.line.forget(*ways)
        at.write("room", SENT)
        at.type_half()
        at.others_write()
        at.shots("dead-line")
        at.has_come_back(SENT)


def test_what_is_sent_while_the_server_is_away_is_kept_and_stored_once(
    sqlite_town: tuple[Town, App], chromium: Browser
) -> None:
    with desk(*sqlite_town, chromium) as at:
        at.app.stop()
        at.away()
        at.write("room", SENT)
        at.page.wait_for_selector('[data-pending-bubble][data-state="waiting"]')
        at.type_half()
        at.shots("away")
        at.others_write()
        at.app.start()
        at.has_come_back(SENT)


def test_after_a_restored_backup_the_page_shows_what_is_there_now(
    sqlite_town: tuple[Town, App], chromium: Browser, tmp_path: Path
) -> None:
    town, app = sqlite_town
    with desk(town, app, chromium) as at:
        live, kept = Path(town.store.url.database or ""), tmp_path / "backup.db"
        with closing(sqlite3.connect(live)) as source, closing(sqlite3.connect(kept)) as backup:
            source.backup(backup)
        at.others_write(5)
        at.sees("meanwhile 9.")
        app.stop()
        at.away()
        with closing(sqlite3.connect(kept)) as backup, closing(sqlite3.connect(live)) as target:
            backup.backup(target)
        set_epoch(town, "another")
        at.others_write(2)
        app.start()
        at.has_come_back()
        assert "meanwhile 1." not in " ".join(at.shown("room") + at.shown("lane"))


def test_a_piece_that_could_not_be_fetched_is_fetched_again(
    sqlite_town: tuple[Town, App], chromium: Browser
) -> None:
    town, app = sqlite_town
    lost: list[str] = []

    def lose_two(route: Route) -> None:
        if len(lost) < 2:
            lost.append(route.request.url)
            if len(lost) == 1:
                route.abort()
            else:
                route.fulfill(status=503, body="not now")
        else:
            route.continue_()

    with desk(town, app, chromium) as at:
        at.page.route(f"**/tickets/{at.ticket}/head", lose_two)
        town.act("mona", tickets.take, at.ticket)
        expect(at.page.locator(".head").first).to_contain_text("Owner: Mona", timeout=PATIENCE)
        assert len(lost) == 2
