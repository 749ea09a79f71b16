"""A client that a public tool made of the served description does a person's work."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from swarm.tickets.models import Ticket
from tests.api.conftest import Programs
from tests.api.program import described
from tests.support.api_tools import environment
from tests.support.site import Site
from tests.support.town import Town

WORK = """
import io, json, sys
from made import AuthenticatedClient
from made.api.tickets import open_ticket, post_message, list_events, list_tickets, resolve_ticket, show_ticket
from made.api.owners import take_ticket
from made.api.asks import ask, show_swarm
from made.api.files import fetch_file, send_files
from made.models import Asked, Opened, Problem, SendFilesBody, Taken, Written
from made.types import File

address, token, team, helper = sys.argv[1:]
client = AuthenticatedClient(base_url=address, token=token)
case = Opened(
    team=int(team), name="Bo Chen", subject="The phone is dead", body="It is.", client_id="made-0001"
)
opened = open_ticket.sync(client=client, body=case)
taken = take_ticket.sync(number=opened.number, client=client, body=Taken(version=opened.version))
log = SendFilesBody(files=[File(io.BytesIO(b"12:00 it stopped"), "phone.log", "text/plain")])
sent = send_files.sync(number=opened.number, lane="room", client=client, body=log)
said = Written(body="Odd.", client_id="made-0002", files=sent.files)
note = post_message.sync(number=opened.number, lane="room", client=client, body=said)
wanted = Asked(question="Why?", client_id="made-0003", people=[int(helper)])
asked = ask.sync(number=opened.number, client=client, body=wanted)
swarm = show_swarm.sync(number=opened.number, client=client)
events = list_events.sync(number=opened.number, lane="room", client=client)
[token] = [one.token for event in events.items if event.data and event.data.message
           for one in event.data.message.files]
kept = fetch_file.sync(token=token, client=client)
solved = resolve_ticket.sync(number=opened.number, client=client)
missing = show_ticket.sync(number=999999, client=client)
mine = list_tickets.sync(client=client)
assert isinstance(missing, Problem), missing
print(json.dumps({
    "number": opened.number,
    "owner": taken.owner.name,
    "note": note.n,
    "asked": [one.person.name for one in asked.invited],
    "open": [one.question for one in swarm.asks],
    "bodies": [one.data.message.body for one in events.items if one.data and one.data.message],
    "solved": [solved.status, solved.resolved_at is not None],
    "kept": kept.payload.read().decode(),
    "missing": missing.status,
    "mine": [one.number for one in mine.items],
}))
"""


def test_it_opens_asks_and_resolves(site: Site, town: Town, program: Programs, tmp_path: Path) -> None:
    tools, description = environment(), tmp_path / "openapi.json"
    description.write_text(json.dumps(described(site).document))
    config = tmp_path / "config.yml"
    config.write_text("project_name_override: made\npackage_name_override: made\n")
    made = subprocess.run(
        [
            *(str(tools / "openapi-python-client"), "generate", "--path", str(description)),
            *("--meta", "none", "--output-path", str(tmp_path / "made"), "--config", str(config)),
            "--fail-on-warning",
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": str(tools)},
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    (tmp_path / "work.py").write_text(WORK)
    ina = program("ina")
    worked = subprocess.run(
        [
            *(str(tools / "python"), "-W", "error", "work.py", site.url, ina.token),
            *(str(town.teams["hive"]), str(town.people["quinn"])),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert worked.returncode == 0, worked.stderr
    done = json.loads(worked.stdout)
    number = done.pop("number")
    assert done.pop("note") > 0
    assert done == {
        "owner": "Ina",
        "asked": ["Quinn"],
        "open": ["Why?"],
        "bodies": ["Odd."],
        "solved": ["resolved", True],
        "kept": "12:00 it stopped",
        "missing": 404,
        "mine": [number],
    }
    assert site.look(lambda work: work.session.get_one(Ticket, number).status) == "resolved"
