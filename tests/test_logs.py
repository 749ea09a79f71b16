"""Every line goes through one place, and nothing secret comes out of it."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy.exc import OperationalError

from swarm.events import NOBODY
from swarm.logs import set_up
from swarm.settings import Log
from swarm.store import Store, log
from tests.support.processes import free_port

TOKEN = "Zk3vX9_q-Lw2Tn8RbYc5UdHs7JfMe4Pa"


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers, root.level)
    yield
    root.handlers, root.level = before
    structlog.reset_defaults()


def line_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().err)
    return found


def test_a_json_line_says_what_when_where_and_how_weighty(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(Log(json=True))
    structlog.get_logger("swarm.store").warning("slow commit", seconds=2.5)
    line = line_of(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "slow commit", "seconds": 2.5, "level": "warning", "logger": "swarm.store"}


def test_what_stands_under_a_secret_name_is_hidden_at_any_depth(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(Log(json=True))
    headers = {"Cookie": TOKEN, "Authorization": TOKEN, "Accept": "text/html"}
    structlog.get_logger().info("refused", password=TOKEN, form=[{"new_password": TOKEN}], headers=headers)
    line = line_of(capsys)
    assert TOKEN not in json.dumps(line)
    assert line["headers"]["Accept"] == "text/html"


def test_a_request_is_logged_without_query_string_and_without_the_token_in_its_path(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up(Log(json=True))
    record = ("127.0.0.1:5", "GET", f"/follow/{TOKEN}?why={TOKEN}", "1.1", 303)
    logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', *record)
    line = line_of(capsys)
    assert TOKEN not in json.dumps(line)
    assert (line["event"], line["path"], line["status"]) == ("request", "/follow/[hidden]", 303)


def test_a_socket_is_logged_without_its_query_string(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(Log(json=True))
    logging.getLogger("uvicorn.error").info('%s - "WebSocket %s" [accepted]', "127.0.0.1:5", "/live?key=abc")
    assert line_of(capsys)["event"] == '127.0.0.1:5 - "WebSocket /live" [accepted]'


@pytest.mark.parametrize("as_json", [True, False])
def test_an_exception_is_written_with_its_trace_but_without_credentials(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    set_up(Log(json=as_json))
    try:
        raise ConnectionError(f"no answer from postgresql+psycopg://swarm:{TOKEN}@db/swarm")
    except ConnectionError:
        structlog.get_logger().exception("database lost")
    written = capsys.readouterr().err
    assert "ConnectionError: no answer from postgresql+psycopg://[hidden]@db/swarm" in written
    assert "test_logs.py" in written
    assert TOKEN not in written


@pytest.mark.parametrize("as_json", [True, False])
def test_a_database_that_is_away_is_one_line_without_a_trace(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    set_up(Log(json=as_json))
    store = Store(f"postgresql+psycopg://swarm:{TOKEN}@127.0.0.1:{free_port()}/swarm")
    try:
        store.read_now(NOBODY, lambda work: log.epoch(work.session))
    except OperationalError:
        structlog.get_logger().exception("live_sweep_failed")
    finally:
        store.close()
    written = capsys.readouterr().err
    assert "live_sweep_failed" in written
    assert "refused" in written
    assert "Traceback" not in written
    assert written.count("\n") == 1
    assert TOKEN not in written


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(Log(level="warning"))
    structlog.get_logger().info("not needed")
    logging.getLogger("anything").info("nor this")
    assert capsys.readouterr().err == ""
