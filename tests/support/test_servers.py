"""The real parts start, survive what fault tests do to them, and are gone afterwards."""

import os
from pathlib import Path

import psutil
import psycopg
import pytest
from playwright.sync_api import Browser
from redis import Redis
from redis.exceptions import RedisError

from tests.support import servers
from tests.support.processes import DidNotStart, Program


@pytest.mark.fault
def test_a_killed_postgres_comes_back_with_what_was_committed() -> None:
    with servers.postgres() as server:
        server.run("CREATE DATABASE kept")
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            server.run("SELECT 1")
        server.start()
        psycopg.connect(server.dsn("kept")).close()
        pid = server.pid
    assert not psutil.pid_exists(pid)
    assert not Path(server.log).exists()


@pytest.mark.fault
def test_a_frozen_redis_is_silent_until_thawed() -> None:
    with servers.redis() as server, Redis.from_url(server.url, socket_timeout=0.2, retry=None) as client:
        server.freeze()
        with pytest.raises(RedisError):
            client.ping()
        server.thaw()
    with Redis.from_url(server.url, socket_timeout=0.2, retry=None) as client, pytest.raises(RedisError):
        client.ping()


def test_postgres_does_not_run_as_root(postgres_server: servers.Postgres) -> None:
    assert psutil.Process(postgres_server.pid).uids().effective != 0 or os.name != "posix"


def test_a_program_that_ends_at_once_is_reported_with_what_it_said(tmp_path: Path) -> None:
    broken = Program(["sh", "-c", "echo no such option >&2; exit 3"], tmp_path / "log", lambda: False)
    with pytest.raises(DidNotStart, match="no such option"):
        broken.start()


def test_the_browser_runs_scripts(chromium: Browser) -> None:
    page = chromium.new_page()
    page.set_content("<p>before</p><script>document.querySelector('p').textContent = 'after'</script>")
    assert page.inner_text("p") == "after"
    page.close()
