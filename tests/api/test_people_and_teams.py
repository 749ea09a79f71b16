"""People and teams through the API: given an account, seated, taught, switched, deactivated."""

from __future__ import annotations

import httpx2

from swarm.people.models import Team
from tests.api.conftest import Programs
from tests.api.program import Program
from tests.support.site import Site
from tests.support.town import Town


def key_of(site: Site, town: Town, team: str) -> str:
    return site.look(lambda work: work.session.get_one(Team, town.teams[team]).key)


def all_people(program: Program, **narrowed: object) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = program.get("/people", limit=5, **narrowed, **({"cursor": cursor} if cursor else {})).json()
        found += [one["name"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return found


def test_who_am_i(town: Town, program: Programs) -> None:
    me = program("ina").get("/me").json()
    assert (me["person"]["name"], me["person"]["role"], me["scopes"]) == ("Ina", "agent", ["read", "tickets"])
    assert [team["name"] for team in me["person"]["teams"]] == ["Hive"]
    assert [(skill["name"], skill["level"]) for skill in me["person"]["skills"]] == [("Postgres", 2)]


def test_availability_is_ones_own_to_say(town: Town, program: Programs) -> None:
    ina = program("ina")
    assert ina.post("/me/availability", availability="busy").json()["person"]["availability"] == "busy"
    assert ina.get("/me").json()["person"]["availability"] == "busy"
    assert ina.post("/me/availability", availability="asleep").status_code == 422


def test_what_one_knows_is_ones_own_to_say(town: Town, program: Programs) -> None:
    ina = program("ina")
    knows = ina.post("/me/skills", skill=town.skills["network"], level=1).json()["person"]["skills"]
    assert [(skill["name"], skill["level"]) for skill in knows] == [("Network", 1), ("Postgres", 2)]
    assert ina.post("/me/skills", skill=10**9, level=1).status_code == 404
    assert ina.post("/me/skills", skill=town.skills["network"], level=4).status_code == 422


def test_a_colleague_comes_works_and_leaves(site: Site, town: Town, program: Programs) -> None:
    root = program("root")
    sent = {"name": "Nora", "email": "nora@example.org", "team": town.teams["hive"]}
    hired = root.post("/people", **sent)
    assert hired.status_code == 201
    nora, link = hired.json()["person"], hired.json()["link"]
    assert [team["name"] for team in nora["teams"]] == ["Hive"]
    assert "Choose a password" in httpx2.get(link).text or httpx2.get(link).status_code == 200
    again = root.post("/people", **sent)
    assert (again.status_code, list(again.json()["problems"])) == (422, ["email"])

    path = f"/people/{nora['id']}"
    taught = root.post(f"{path}/skills", skill=town.skills["network"], level=3).json()
    assert [(skill["name"], skill["level"]) for skill in taught["skills"]] == [("Network", 3)]
    assert root.post(f"{path}/skills", skill=town.skills["network"], level=0).json()["skills"] == []
    renamed = root.post(f"{path}/account", name="Nora Lund", email="nl@example.org", role="specialist").json()
    assert (renamed["name"], renamed["email"], renamed["role"]) == (
        "Nora Lund",
        "nl@example.org",
        "specialist",
    )
    assert "Nora Lund" in all_people(root)
    assert root.post(f"{path}/retirement").json()["active"] is False
    assert "Nora Lund" not in all_people(root)
    assert all_people(root, gone=True) == ["Nora Lund"]
    assert root.post(f"{path}/reinstatement").json()["active"] is True
    assert root.get("/people/999999").status_code == 404


def test_a_duty_lead_stays_until_another_is_named(town: Town, program: Programs) -> None:
    refused = program("root").post(f"/people/{town.people['hugo']}/retirement")
    assert refused.status_code == 403
    assert "Hugo is the duty lead of Hive." in refused.json()["detail"]


def test_people_are_listed_by_name_page_by_page_and_narrowed(town: Town, program: Programs) -> None:
    mona = program("mona")
    names = all_people(mona)
    assert len(names) == len(town.people) and names == sorted(names)
    assert all_people(mona, words="INA") == ["Ina"]
    assert all_people(mona, team=town.teams["hive"]) == ["Ada", "Hugo", "Ina"]
    assert mona.get("/people", cursor="nonsense").status_code == 422
    assert program("ina").get("/people").status_code == 403


def test_a_team_is_seated_and_switched(site: Site, town: Town, program: Programs) -> None:
    mona = program("mona")
    key = key_of(site, town, "ladder")
    team = program("ina").get(f"/teams/{key}").json()
    assert (team["policy"], team["duty_lead"]["name"]) == ("tiered", "Lena")
    assert [tier["name"] for tier in team["tiers"]] == ["First line", "Second line", "Third line"]
    assert [one["name"] for one in mona.get("/teams").json()["items"]] == ["Hive", "Ladder"]

    seated = mona.post(f"/teams/{key}/members", person=town.people["ina"], tier=3).json()["items"]
    assert {"Ina": 3}.items() <= {one["person"]["name"]: one["tier"] for one in seated}.items()
    hive = mona.get(f"/teams/{key_of(site, town, 'hive')}/members").json()["items"]
    assert "Ina" in {one["person"]["name"] for one in hive}, "other teams stay"
    assert mona.post(f"/teams/{key}/members", person=town.people["ina"], tier=9).status_code == 422
    gone = mona.post(f"/teams/{key}/members/removal", person=town.people["ina"]).json()["items"]
    assert "Ina" not in {one["person"]["name"] for one in gone}
    assert mona.post(f"/teams/{key}/members/removal", person=town.people["lena"]).status_code == 422

    switched = mona.post(f"/teams/{key}/policy", policy="split", share=30, note="A trial", version=1).json()
    assert (switched["policy"], switched["share"], switched["version"]) == ("split", 30, 2)
    late = program("max").post(f"/teams/{key}/policy", policy="tierless", note="Mine", version=1)
    assert late.status_code == 409
    assert "Mona was faster" in late.json()["detail"]
    assert mona.post(f"/teams/{key}/policy", policy="split", share=33, note="x", version=2).status_code == 422
    assert (
        program("ina").post(f"/teams/{key}/policy", policy="tiered", note="x", version=2).status_code == 403
    )
    assert mona.get("/teams/nowhere").status_code == 404


def test_skills_are_there_to_ask_for(town: Town, program: Programs) -> None:
    skills = program("paul").get("/skills").json()["items"]
    assert [skill["name"] for skill in skills] == ["Network", "Postgres"]
