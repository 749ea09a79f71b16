"""What must not stand in the repository, in whatever file."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from swarm.settings import resources

ROOT = resources()
HOSTS = re.compile(
    "|".join(
        [r"py" r"pi\.org", r"python" r"hosted\.org", r"registry\.npm" r"js\.org", r"deb\.deb" r"ian\.org"]
    )
)
MACHINE = re.compile(r"(^|[^A-Za-z0-9_.])/(wo" r"rk|fa" r"rm|ro" r"ot|ho" r"me/[a-z]+)/[a-z.]")
BUILT = re.compile(r"(^|/)(node_modules|vendor|__pycache__|\.venv)/|\.min\.(js|css)$|\.(db|sqlite3?|mo)$")
LONGEST = 400


def files() -> list[Path]:
    """Everything git keeps or would keep."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    return found


@pytest.mark.parametrize("pattern", [HOSTS, MACHINE], ids=["package indexes", "paths of one machine"])
def test_no_file_names(pattern: re.Pattern[str]) -> None:
    assert lines_with(pattern) == []


def test_nothing_built_or_of_others_is_kept() -> None:
    assert [
        str(path.relative_to(ROOT)) for path in files() if BUILT.search(path.relative_to(ROOT).as_posix())
    ] == []


def test_no_python_file_is_longer_than_a_person_reads_at_once() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in files()
        if path.suffix == ".py" and "versions" not in path.parts
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_every_dependency_is_locked_with_a_hash() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    wanted = {"run": project["project"]["dependencies"], "build": groups["build"], "node": groups["node"]}
    wanted["api"] = groups["api"]
    wanted["test"] = [*wanted["run"], *groups["test"]]
    for lock, requirements in wanted.items():
        text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
        pinned = re.findall(
            r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==\S+.*(?:\n +--hash=sha256:[0-9a-f]{64}.*)+", text, re.MULTILINE
        )
        names = {re.split(r"[\[><=;]", requirement)[0].strip() for requirement in requirements}
        assert names <= set(pinned), lock


def test_the_front_end_lock_has_hashes_and_no_addresses() -> None:
    text = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    assert text.count('"integrity": "sha512-') == text.count('"node_modules/')
