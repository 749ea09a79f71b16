"""Programs send files ahead of messages, and fetch what went with those they may read."""

from __future__ import annotations

import secrets
from typing import Any

from swarm.tickets.actions import take
from tests.api.conftest import Programs
from tests.api.program import Program, nobody
from tests.support.site import Site
from tests.support.town import Town

LOG = b"12:00 the pump stopped\n"


def sent(program: Program, number: int, lane: str, *files: tuple[str, bytes]) -> Any:
    return program.send(
        "POST",
        f"/tickets/{number}/lanes/{lane}/files",
        files=[("files", (name, data)) for name, data in files],
    )


def owned(town: Town) -> int:
    number = town.open("hive")
    town.act("ina", take, number)
    return number


def test_a_file_is_sent_named_by_a_message_listed_and_fetched(town: Town, program: Programs) -> None:
    number, ina = owned(town), program("ina")
    for lane in ("lane", "room"):
        ahead = sent(ina, number, lane, ("pump.log", LOG), ("two.txt", b"2"))
        assert ahead.status_code == 201
        tokens = ahead.json()["files"]
        form = {"body": "Look at this", "client_id": secrets.token_hex(8), "files": tokens}
        assert ina.post(f"/tickets/{number}/lanes/{lane}/messages", **form).status_code == 201
        assert ina.post(f"/tickets/{number}/lanes/{lane}/messages", **form).status_code == 201
        told = [
            one for one in ina.get(f"/tickets/{number}/lanes/{lane}/events").json()["items"] if one["data"]
        ]
        [message] = [one["data"]["message"] for one in told if (one["data"]["message"] or {}).get("files")]
        assert [(one["token"], one["name"], one["bytes"]) for one in message["files"]] == [
            (tokens[0], "pump.log", len(LOG)),
            (tokens[1], "two.txt", 1),
        ]
        got = ina.get(f"/files/{tokens[0]}")
        assert (got.status_code, got.content) == (200, LOG)
        assert got.headers["content-type"] == "application/octet-stream"
        assert "attachment" in got.headers["content-disposition"]
        assert "sandbox" in got.headers["content-security-policy"]


def test_who_may_not_read_the_message_finds_no_file(town: Town, program: Programs, site: Site) -> None:
    number, ina = owned(town), program("ina")
    [token] = sent(ina, number, "room", ("secret.txt", b"internal")).json()["files"]
    assert ina.get(f"/files/{token}").status_code == 404, "nobody has it before its message"
    ina.post(
        f"/tickets/{number}/lanes/room/messages", body="See it", client_id=secrets.token_hex(8), files=[token]
    )
    assert program("hugo").get(f"/files/{token}").status_code == 200
    for who in ("ben", "paul"):
        assert program(who).get(f"/files/{token}").status_code == 404, who
    assert nobody(site).get(f"/files/{token}").status_code == 401
    assert program("ina").get(f"/files/{secrets.token_hex(16)}").status_code == 404
    assert program("ina").get("/files/not-a-token").status_code == 404


def test_whose_turn_it_is_not_sends_none(town: Town, program: Programs) -> None:
    number = owned(town)
    assert sent(program("hugo"), number, "lane", ("a.txt", b"a")).status_code == 403
    assert sent(program("ben"), number, "lane", ("a.txt", b"a")).status_code == 404
    assert sent(program("ina", "read"), number, "lane", ("a.txt", b"a")).status_code == 403


def test_files_of_others_or_of_another_lane_go_with_nothing(town: Town, program: Programs) -> None:
    number, ina = owned(town), program("ina")
    [token] = sent(ina, number, "room", ("internal.txt", b"internal")).json()["files"]
    form = {"body": "Look", "client_id": secrets.token_hex(8), "files": [token]}
    assert ina.post(f"/tickets/{number}/lanes/lane/messages", **form).status_code == 422
    other = town.open("hive")
    town.act("hugo", take, other)
    assert program("hugo").post(f"/tickets/{other}/lanes/room/messages", **form).status_code == 422


def test_what_is_no_form_with_files_is_refused(town: Town, program: Programs) -> None:
    number, ina = owned(town), program("ina")
    path = f"/tickets/{number}/lanes/lane/files"
    assert ina.post(path, files=["a"]).status_code == 415
    assert ina.send("POST", path, data={"files": "a"}).status_code == 415
    assert sent(ina, number, "lane").status_code in (415, 422)
    assert sent(ina, number, "lane", ("empty.txt", b"")).status_code == 422
    assert sent(ina, number, "lane", ("run.exe", b"MZ\x90\x00" + b"0" * 100)).status_code == 422
    assert sent(ina, number, "attic", ("a.txt", b"a")).status_code == 404
    torn = {"Content-Type": "multipart/form-data; boundary=b"}
    body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nhalf'
    assert ina.send("POST", path, content=body, headers=torn).status_code == 400
    assert ina.get(f"/tickets/{number}/lanes/lane/events").status_code == 200
