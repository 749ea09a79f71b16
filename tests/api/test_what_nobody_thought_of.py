"""schemathesis reads the served description and tries what it allows, what it forbids, and chains of both.

`SWARM_TEST_API_CASES=2000 pytest tests/api/test_what_nobody_thought_of.py` tries for longer.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from swarm.api.table import DOORS
from tests.api.conftest import Programs
from tests.support.api_tools import environment
from tests.support.backends import Backend
from tests.support.site import Site, serve_site
from tests.support.town import Town, build

CASES = int(os.environ.get("SWARM_TEST_API_CASES", "300"))
"""At least so many requests on each database."""
SETTINGS = """
# What a rule refuses for its reasons is 409 or 422 though it has the right shape.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "403", "404", "409", "422"]
"""


@pytest.fixture
def site(backend: Backend) -> Iterator[Site]:
    with serve_site(backend, limits__posts_per_minute="1000000") as site:
        yield site


@pytest.fixture
def town(site: Site) -> Town:
    return build(site.store)


def test_no_request_finds_a_failure(
    site: Site, town: Town, program: Programs, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    root = program("root")
    for team in ("hive", "ladder"):
        number = root.open(town.teams[team])["number"]
        root.post(f"/tickets/{number}/owner")
        root.post(f"/tickets/{number}/lanes/room/messages", body="A line", client_id="a-line-01")
    config, report = tmp_path / "schemathesis.toml", tmp_path / "report.ndjson"
    config.write_text(SETTINGS)
    each = max(1, CASES // len(DOORS))
    done = subprocess.run(
        [
            *(str(environment() / "schemathesis"), "--config-file", str(config), "run"),
            f"{site.url}/api/v1/openapi.json",
            *("--header", f"Authorization: Bearer {root.token}"),
            *("--max-examples", str(each), "--continue-on-failure", "--workers", "2"),
            *("--report-ndjson-path", str(report), "--no-color", "--output-truncate", "false"),
            *("--suppress-health-check", "all"),
            # Shorter, and the same each time; for longer, other ones each time, and in chains.
            *(
                ("--phases", "coverage,fuzzing", "--generation-deterministic")
                if CASES < 1000
                else ("--generation-database", "none")
            ),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-20_000:]
    print(said[-3000:])
    assert root.token not in said
    record_property("cases", " ".join(re.findall(r"\d+ generated[^\n]*", said)))
