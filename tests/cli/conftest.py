"""The command in this process, on a database of the test's own."""

from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from swarm.cli import app
from tests.support.backends import Backend

PASSWORD = "four words in a row"
Run = Callable[..., Result]


def runner(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SWARM_DATABASE_URL", backend.database_url)

    def run(*arguments: str, typed: str = "", code: int = 0) -> Result:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=typed)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def run(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("person", "list", typed="…", code=1)` runs the command and checks its exit code."""
    return runner(backend, monkeypatch)


@pytest.fixture
def run_blank(blank_backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same over a database without a table."""
    return runner(blank_backend, monkeypatch)


@pytest.fixture
def set_up(run: Run) -> Run:
    """The same, after the first administrator was set up."""
    run("set-up", "--name", "Sam Okafor", "--email", "Sam@example.org", typed=PASSWORD + "\n")
    return run
