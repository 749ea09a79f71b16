"""The bot of docs/protocol.md, as it stands there, is asked, comes, and answers in the room."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.api.conftest import Programs
from tests.support.site import Site
from tests.support.town import Town

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol.md"


def the_bot() -> str:
    found = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_a_bot_is_a_member_of_the_swarm(site: Site, town: Town, program: Programs) -> None:
    owner, bot = program("ina"), program("quinn")
    ticket = owner.open(town.teams["hive"])["number"]
    owner.post(f"/tickets/{ticket}/owner", version=1)
    running = subprocess.Popen(
        [sys.executable, "-c", the_bot()],
        env={**os.environ, "SWARM": site.url, "SWARM_TOKEN": bot.token},
    )
    try:
        asked = owner.post(
            f"/tickets/{ticket}/asks",
            question="Is anything down?",
            tried="",
            people=[town.people["quinn"]],
            client_id="ask-the-bot",
        )
        assert asked.status_code == 201, asked.text
        with site.person(town.people["ina"]).socket({f"room:{ticket}": 0}) as wire:
            while "All systems are up." not in str(wire.frames):
                wire.event("room.message_posted")
        assert "All systems are up." in site.person(town.people["ina"]).get(f"/tickets/{ticket}").text
        swarm = owner.get(f"/tickets/{ticket}/swarm").json()
        assert "Quinn" in str(swarm)
    finally:
        running.kill()
        running.wait()
