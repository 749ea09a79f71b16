"""The audit log: every change of rights stands there, can be looked for, and cannot be rewritten."""

from __future__ import annotations

import re
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from swarm.accounts.actions import set_password
from swarm.accounts.passwords import hash_of
from swarm.audit.actions import note
from swarm.audit.queries import PAGE
from swarm.people.events import SkillAdded
from swarm.people.models import Person, Team
from swarm.store import Work
from swarm.tickets.actions import take
from tests.support.site import Site, Visitor, text_of
from tests.support.town import Town

PASSWORD = "four words in a row"


def lines(visitor: Visitor, query: str = "") -> list[str]:
    """The sentences of the page, newest first."""
    page = visitor.get(f"/audit{query}")
    assert page.status_code == 200
    return [text_of(row).strip() for row in re.findall(r"<tr><td><time.*?</tr>", page.text, re.DOTALL)]


def test_changes_stand_with_who_made_them(site: Site, town: Town) -> None:
    root, mona = site.person(town.people["root"]), site.person(town.people["mona"])
    ben = f"/people/{town.people['ben']}"
    root.post(f"{ben}/account", {"name": "Ben", "email": "ben@other.example.org", "role": "manager"})
    mona.post(f"{ben}/skills", {"skills": [f"{town.skills['network']}:3"]})
    mona.post("/skills", {"name": "Printers"})
    key = site.look(lambda work: work.session.get_one(Team, town.teams["ladder"]).key)
    mona.post(f"/teams/{key}/policy", {"policy": "tierless", "version": 1, "note": "Two weeks’ trial"})
    root.post(f"{ben}/link")
    root.post(f"{ben}/retirement")
    said = " | ".join(lines(root))
    for words in (
        "Root deactivated Ben",
        "Root made a link into the account of Ben",
        "Mona added the skill Printers",
        "Mona set what Ben knows: network-",
        "Root made Ben Manager",
        "Root changed the address of Ben",
    ):
        assert words in said, f"{words} is not in {said}"
    assert said.index("deactivated Ben") < said.index("made Ben Manager"), "newest first"


def test_signing_in_choosing_a_password_and_stepping_in_are_noted(site: Site, town: Town) -> None:
    site.do(lambda work: set_password(work, town.people["ada"], hash_of(PASSWORD)))
    ada = site.stranger()
    email = site.look(lambda work: work.session.get_one(Person, town.people["ada"]).email)
    assert ada.post("/sign-in", {"email": email, "password": PASSWORD}).status_code == 303
    ticket = town.open("hive")
    town.act("ina", take, ticket)
    town.act("mona", take, ticket)
    root = site.person(town.people["root"])
    said = " | ".join(lines(root))
    assert "Ada signed in" in said
    assert "The password of Ada was set" in said
    assert f"Ticket {ticket}" in said
    assert len(lines(root, f"?ticket={ticket}")) == 1
    assert PASSWORD not in root.get("/audit").text


def test_it_is_searched_by_person_kind_and_day(site: Site, town: Town) -> None:
    site.person(town.people["mona"]).post("/skills", {"name": "Printers"})
    site.clock.move(days=3)
    root, mona = site.person(town.people["root"]), site.person(town.people["mona"])
    mona.post("/skills", {"name": "Fax"})
    root.post(f"/people/{town.people['ben']}/sessions/end")
    assert len(lines(root, f"?person={town.people['ben']}")) == 1
    assert len(lines(root, "?what=teams")) == 2
    assert len(lines(root, "?what=access")) == 1
    assert len(lines(root, f"?person={town.people['mona']}&what=rights")) == 0
    today = f"{site.clock():%Y-%m-%d}"
    assert len(lines(root, f"?what=teams&since={today}")) == 1
    assert len(lines(root, f"?what=teams&until={today}")) == 2
    for wrong in ("what=everything", "since=yesterday", "since=0001-01-01", "until=9999-12-31", "before=x"):
        assert root.get(f"/audit?{wrong}").status_code == 422, wrong


def test_it_is_read_a_page_at_a_time(site: Site, town: Town) -> None:
    def many(work: Work) -> None:
        for number in range(PAGE + 7):
            note(work, SkillAdded(skill_id=number, name=f"Number {number}"))

    site.do(many)
    root = site.person(town.people["root"])
    first = root.get("/audit?what=teams").text
    older = re.search(r'href="(/audit\?[^"]*before=\d+)"', first)
    assert older is not None
    assert len(lines(root, "?what=teams")) == PAGE
    second = lines(root, older[1].replace("&amp;", "&").removeprefix("/audit"))
    assert len(second) == 7


def test_only_administrators_read_it(site: Site, town: Town) -> None:
    for name in ("mona", "ada", "quinn"):
        visitor = site.person(town.people[name])
        assert visitor.get("/audit").status_code == 403
        assert 'href="/audit"' not in visitor.get("/mine").text
    assert 'href="/audit"' not in site.person(town.people["mona"]).get("/people").text


def test_nobody_rewrites_it(site: Site, town: Town) -> None:
    site.person(town.people["mona"]).post("/skills", {"name": "Printers"})
    for statement in ("UPDATE audit SET actor = 'system'", "DELETE FROM audit"):
        with pytest.raises(DBAPIError, match="append-only"):
            site.do(partial(_run, statement))


def _run(statement: str, work: Work) -> None:
    work.session.execute(text(statement))
