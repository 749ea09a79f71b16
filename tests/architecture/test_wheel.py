"""The wheel carries everything that runs, and finds it once installed."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from swarm.settings import resources

CHECKOUT = resources()
NEEDED = {
    "swarm/_files/config/swarm.toml",
    "swarm/_files/static/css/tokens.css",
    "swarm/_files/static/vendor/htmx.min.js",
    "swarm/_files/static/vendor/icons.svg",
    "swarm/_files/static/vendor/inter/inter-latin-wght-normal.woff2",
    "swarm/store/migrations/env.py",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    built = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(out.glob("*.whl"))


def test_the_wheel_has_templates_styles_scripts_settings_and_migrations(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    templates = {
        f"swarm/_files/{path.relative_to(CHECKOUT)}" for path in resources("templates").rglob("*.html")
    }
    assert NEEDED | templates <= names
    assert [name for name in names if name.startswith("tests/")] == []


def test_an_installed_wheel_finds_its_own_files(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = "from swarm.settings import load, resources; print(resources('static')); load({})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == tmp_path / "swarm" / "_files" / "static"
