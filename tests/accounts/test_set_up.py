"""The first account: made once, by whoever is first, with teams from the configuration."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from swarm.people.models import Person, Team
from tests.portal.house import at_once, field_in
from tests.support.site import Site

FORM = {
    "name": "Ada Lindqvist",
    "email": "Ada@example.org",
    "password": "a long enough password",
    "again": "a long enough password",
}


def people(site: Site) -> list[Person]:
    return site.look(lambda work: list(work.session.scalars(select(Person))))


def test_everything_leads_to_the_set_up_until_there_is_an_account(site: Site) -> None:
    visitor = site.stranger()
    for path in ("/", "/sign-in"):
        assert visitor.get(path).headers["location"] == "/set-up"
    assert visitor.get("/set-up").status_code == 200
    answer = visitor.post("/set-up", FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, "/mine")
    assert [(one.name, one.email, one.role) for one in people(site)] == [
        ("Ada Lindqvist", "ada@example.org", "administrator")
    ]
    assert FORM["password"] not in (people(site)[0].password or "")
    assert visitor.get("/").headers["location"] == "/mine"
    assert site.stranger().get("/set-up").headers["location"] == "/sign-in"
    assert site.stranger().get("/").status_code == 200


def test_teams_come_from_the_configuration_with_the_administrator_leading(site: Site) -> None:
    site.stranger().post("/set-up", FORM)
    teams = site.look(lambda work: list(work.session.scalars(select(Team))))
    assert teams
    assert {team.duty_lead_id for team in teams} == {people(site)[0].id}


def test_of_four_at_once_one_wins(site: Site) -> None:
    answers = at_once(4, lambda: site.stranger().post("/set-up", {**FORM, "email": "ada@example.org"}))
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
    assert len(people(site)) == 1
    lost = next(answer for answer in answers if answer.status_code == 409)
    assert "set up already" in lost.text
    assert 'href="/sign-in"' in lost.text


def test_afterwards_the_door_does_nothing(site: Site) -> None:
    site.stranger().post("/set-up", FORM)
    late = {**FORM, "email": "eve@example.org"}
    assert site.stranger().post("/set-up", late).status_code == 409
    assert site.stranger().post("/set-up", late, Accept="application/json").status_code == 409
    assert len(people(site)) == 1


BAD: dict[str, tuple[dict[str, Any], int]] = {
    "short password": ({"password": "short", "again": "short"}, 422),
    "not the same": ({"again": "another long password"}, 422),
    "no address": ({"email": "ada"}, 422),
    "no name": ({"name": ""}, 422),
    "role": ({"role": "agent"}, 422),
    "long name": ({"name": "x" * 101}, 422),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_makes_nobody_and_keeps_what_was_typed(site: Site, name: str) -> None:
    wrong, status = BAD[name]
    form = {**FORM, **wrong}
    answer = site.stranger().post("/set-up", form)
    assert answer.status_code == status
    assert field_in(answer, "name") == form["name"]
    assert field_in(answer, "email") == form["email"]
    assert form["password"] not in answer.text
    assert people(site) == []


def test_what_no_page_of_ours_sends(site: Site) -> None:
    visitor = site.stranger()
    assert visitor.http.post("/set-up", json=FORM, headers={"Origin": site.url}).status_code == 415
    assert visitor.post("/set-up", FORM, Origin="https://elsewhere.example").status_code == 403
    assert people(site) == []
