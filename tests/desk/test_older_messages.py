"""What stands further up: lines for a script, a page for a browser without one."""

from __future__ import annotations

import re

from swarm.lanes.queries import PAGE
from swarm.tickets.actions import take
from swarm.tickets.posting import post
from tests.support.site import Site, text_of
from tests.support.town import Town

MESSAGES = PAGE + 20


def older_href(html: str, lane: str) -> str:
    found = re.search(rf'href="(/tickets/\d+/older/{lane}\?before=\d+)"', html)
    assert found is not None
    return found[1]


def full_room(town: Town) -> int:
    ticket = town.open("hive")
    town.act("ina", take, ticket)
    for number in range(MESSAGES):
        town.act("ina", post, ticket, "room", f"Line {number:03}", f"client-{number:04}")
    return ticket


def test_without_script_it_is_a_whole_page_with_a_way_back(site: Site, town: Town) -> None:
    ticket = full_room(town)
    ina = site.person(town.people["ina"])
    newest = ina.get(f"/tickets/{ticket}").text
    assert f"Line {MESSAGES - 1:03}" in newest and "Line 000" not in newest
    page = ina.get(older_href(newest, "room"))
    assert page.text.startswith("<!doctype html>")
    said = text_of(page.text)
    assert "Older messages" in said and "Line 000" in said
    assert f"Line {MESSAGES - 1:03}" not in said
    assert f'href="/tickets/{ticket}"' in page.text


def test_a_script_gets_the_lines_alone(site: Site, town: Town) -> None:
    ticket = full_room(town)
    ina = site.person(town.people["ina"])
    href = older_href(ina.get(f"/tickets/{ticket}").text, "room")
    piece = ina.get(href, **{"HX-Request": "true"})
    assert "<html" not in piece.text
    assert "Line 000" in piece.text and f'id="log-room-{ticket}"' in piece.text


def test_every_line_stands_on_exactly_one_stretch(site: Site, town: Town) -> None:
    ticket = full_room(town)
    ina = site.person(town.people["ina"])
    found: list[str] = []
    html = ina.get(f"/tickets/{ticket}").text
    while True:
        found += re.findall(r"Line (\d{3})", html)
        if "/older/room?" not in html:
            break
        html = ina.get(older_href(html, "room")).text
    assert sorted(set(found)) == [f"{number:03}" for number in range(MESSAGES)]
