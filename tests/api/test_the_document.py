"""Every example of docs/api.md is sent as it stands there, and answered as it says."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from swarm.settings import resources
from tests.api.conftest import Programs
from tests.api.program import BASE, Program
from tests.support.site import Site
from tests.support.town import Town

TEXT = resources("docs").joinpath("api.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```sh\n(.*?)^```\n\n^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(command: str, program: Program) -> Any:
    """What curl would be answered; only what the page uses of it is known."""
    words = shlex.split(command.replace("$SWARM", "").replace("$TOKEN", program.token))
    assert words.pop(0) == "curl"
    method, path, body = "GET", "", None
    while words:
        match words.pop(0):
            case "-H":
                assert words.pop(0) == f"Authorization: Bearer {program.token}"
            case "-X":
                method = words.pop(0)
            case "--json":
                method, body = "POST", words.pop(0)
            case address:
                path = address.removeprefix(BASE)
    sent: dict[str, Any] = (
        {} if body is None else {"content": body, "headers": {"Content-Type": "application/json"}}
    )
    return program.send(method, path, **sent).json()


def like(shown: Any, real: Any, where: str = "") -> None:
    """What is shown is there; ids and times are those of another house."""
    if isinstance(shown, dict):
        assert isinstance(real, dict) and set(shown) <= set(real), where
        for name, value in shown.items():
            like(value, real[name], f"{where}.{name}")
    elif isinstance(shown, list):
        assert len(shown) == len(real), where
        for number, (one, other) in enumerate(zip(shown, real, strict=True)):
            like(one, other, f"{where}[{number}]")
    elif shown == "…" or where.endswith((".id", ".s")):
        assert type(shown) is type(real), where
    else:
        assert shown == real, where


def test_the_examples_work_one_after_the_other(site: Site, town: Town, program: Programs) -> None:
    ina = program("ina")
    examples = BLOCK.findall(TEXT)
    assert len(examples) == TEXT.count("```sh") > 7
    for command, answer in examples:
        for key, name in (("team", "hive"), ("skills", "network")):
            ids = town.teams if key == "team" else town.skills
            command = re.sub(rf'("{key}": \[?)2\b', rf"\g<1>{ids[name]}", command)
        like(json.loads(answer), run(command, ina), command.split("\n")[0])


def test_the_page_names_every_scope_and_limit(site: Site) -> None:
    limits = site.settings.limits
    assert f"{limits.posts_per_minute} messages" in TEXT
    for name in ("api_per_minute", "posts_per_minute"):
        assert f"`limits.{name}`" in TEXT
