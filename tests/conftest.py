"""What every test may ask for: real databases, a real doorbell, swarm as a process, a real browser."""

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.support import binaries, servers
from tests.support.processes import Program

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from swarm.store import Store
    from tests.support.app import App
    from tests.support.backends import Backend, PostgresMaker, SqliteMaker
    from tests.support.site import Site
    from tests.support.town import Town

CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAIRS = ("sqlite", "postgres+redis")
LONGEST = ("test_ownership_machine.py", "test_three_workers.py")
"""Files that are begun first: at the end one worker would go on alone."""
programs_of = pytest.StashKey[list[Program]]()
witnesses_of = pytest.StashKey[dict[str, Callable[[], str]]]()
"""What a failed test's report asks, before the browsers close: title → what was seen."""

settings.register_profile(
    "swarm", deadline=None, print_blob=True, database=DirectoryBasedExampleDatabase("var/cache/hypothesis")
)
settings.load_profile("swarm")


def pytest_configure() -> None:
    for name in [name for name in os.environ if name.startswith("SWARM_") and "TEST" not in name]:
        del os.environ[name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Puts the output of a failed test's own programs, and what its witnesses saw, into its report."""
    report = yield
    if report.failed:
        for program in item.stash.get(programs_of, []):
            report.sections.append((f"output of {program.log.name}", program.output[-20_000:]))
        if report.when == "call":
            for title, tell in item.stash.get(witnesses_of, {}).items():
                try:
                    report.sections.append((title, tell()[-20_000:]))
                except Exception as error:
                    report.sections.append((title, f"cannot tell: {error}"))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Repeats what a test that passed wants to have said: seeds, figures, what the machine does not allow."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {name}: {value}")


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Async tests run on the loop that swarm is served on."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[servers.Postgres]:
    """One PostgreSQL a worker; a test that stops or freezes one starts its own with `servers.postgres()`."""
    with servers.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[servers.RedisServer]:
    """One Redis a worker; a test that stops or freezes one starts its own with `servers.redis()`."""
    with servers.redis() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_maker(tmp_path_factory: pytest.TempPathFactory) -> "SqliteMaker":
    from tests.support.backends import SqliteMaker

    return SqliteMaker(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgres_maker(postgres_server: servers.Postgres, redis_server: servers.RedisServer) -> "PostgresMaker":
    from tests.support.backends import PostgresMaker

    return PostgresMaker(postgres_server, redis_server)


@pytest.fixture(params=PAIRS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["Backend"]:
    """A fresh, migrated database, once on each pair."""
    yield from _fresh(request, tmp_path, migrated=True)


@pytest.fixture(params=PAIRS)
def blank_backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["Backend"]:
    """A database without a table, once on each pair."""
    yield from _fresh(request, tmp_path, migrated=False)


@pytest.fixture
def sqlite_backend(sqlite_maker: "SqliteMaker", tmp_path: Path) -> "Backend":
    """A fresh, migrated SQLite file, for what does not touch the difference."""
    return sqlite_maker.make(tmp_path)


@pytest.fixture
def store(backend: "Backend") -> Iterator["Store"]:
    """The store on a fresh database, once on each."""
    from tests.support.town import open_store

    opened = open_store(backend)
    yield opened
    opened.close()


@pytest.fixture
def town(store: "Store") -> "Town":
    """Colleagues and teams to act with, without a door."""
    from tests.support.town import build

    return build(store)


def _fresh(request: pytest.FixtureRequest, home: Path, *, migrated: bool) -> Iterator["Backend"]:
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_maker").make(home, migrated=migrated)
        return
    maker: PostgresMaker = request.getfixturevalue("postgres_maker")
    made = maker.make(migrated=migrated)
    yield made
    maker.drop(made)


@pytest.fixture
def site(backend: "Backend") -> Iterator["Site"]:
    """swarm served inside this test, once on each pair; `site.person(id)` is somebody's browser."""
    from tests.support.site import serve_site

    with serve_site(backend) as served:
        yield served


@pytest.fixture
def serve(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., "App"]]:
    """`serve(backend, "--demo", env={"SWARM_TICKETS__PREFIX": "X"})` starts swarm; all stop afterwards."""
    from tests.support.app import App

    programs = request.node.stash.setdefault(programs_of, [])

    def start(backend: "Backend", *arguments: str, env: dict[str, str] | None = None) -> App:
        started = App(backend, tmp_path, *arguments, env=env)
        programs.append(started)
        return started.start()

    yield start
    for program in programs:
        program.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """A module's browser. Playwright keeps its loop in this thread, so such a module has no async test."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=binaries.chromium(), args=CHROMIUM_FLAGS, chromium_sandbox=False
        )
        yield browser
        browser.close()
