"""Managers settle teams, tiers and who works where; skills have levels, and the abler is asked."""

from __future__ import annotations

import re

from sqlalchemy import select

from swarm.people.models import PersonSkill, Skill, Team, Tier
from swarm.rooms.asking import close_ask
from swarm.rooms.models import Invitation
from swarm.routing.matching import ask_for_help
from swarm.tickets.actions import take
from swarm.tickets.models import Ticket
from tests.support.site import Site, text_of
from tests.support.town import Town


def team(site: Site, town: Town, name: str = "ladder") -> Team:
    return site.look(lambda work: work.session.get_one(Team, town.teams[name]))


def tiers(site: Site, town: Town, name: str = "ladder") -> list[str]:
    rows = select(Tier.name).where(Tier.team_id == town.teams[name]).order_by(Tier.rung)
    return site.look(lambda work: list(work.session.scalars(rows)))


def levels(site: Site, person_id: int) -> dict[int, int]:
    rows = select(PersonSkill.skill_id, PersonSkill.level).where(PersonSkill.person_id == person_id)
    return site.look(lambda work: dict(work.session.execute(rows).all()))


def asked_of(site: Site, ask: int) -> list[int]:
    reached = select(Invitation.person_id).where(Invitation.ask_id == ask)
    return site.look(lambda work: list(work.session.scalars(reached)))


def test_a_manager_makes_a_team_and_it_takes_tickets(site: Site, town: Town) -> None:
    mona = site.person(town.people["mona"])
    assert 'href="/teams/new"' in mona.get("/teams").text
    form = {"name": "Été & Co", "lead": town.people["ben"], "tiers": ["Front", "", "Back"]}
    made = mona.post("/teams", form)
    assert made.status_code == 303
    number = int(made.headers["location"].rpartition("-")[2])
    found = site.look(lambda work: work.session.get_one(Team, number))
    assert (found.key, found.policy, found.duty_lead_id) == ("ete-co", "tierless", town.people["ben"])
    town.teams["new"] = number
    assert tiers(site, town, "new") == ["Front", "Back"]
    assert site.person(town.people["ben"]).actor.rungs[number] == 1
    ticket = town.open("new")
    assert site.look(lambda work: work.session.get_one(Ticket, ticket).owner_id) == town.people["ben"]
    assert "Été &amp; Co" in mona.get("/teams").text


def test_names_that_are_taken_empty_or_in_another_script(site: Site, town: Town) -> None:
    mona = site.person(town.people["mona"])
    lead = town.people["ben"]
    for form, words in (
        ({"name": team(site, town).name.upper(), "lead": lead}, "There is a team of this name already."),
        ({"name": " ", "lead": lead}, "This is needed."),
        ({"name": "Other", "lead": 99999999}, "There is no such person"),
        ({"name": "Other", "lead": lead, "tiers": ["Same", "same"]}, "Two tiers have the same name."),
        ({"name": "Other", "lead": lead, "tiers": ["t"] * 10}, "At most 9."),
    ):
        refused = mona.post("/teams", form)
        assert refused.status_code in (404, 422), form
        assert words in text_of(refused.text)
    keys = set()
    for name in ("支援", "サポート", "New", "New!"):
        made = mona.post("/teams", {"name": name, "lead": lead})
        number = int(made.headers["location"].rpartition("-")[2])
        town.teams[name] = number
        key = team(site, town, name).key
        assert mona.get(f"/teams/{key}/settings").status_code == 200
        keys.add(key)
    assert len(keys) == 4 and "new" not in keys


def test_name_lead_and_tiers_are_changed_together_or_not_at_all(site: Site, town: Town) -> None:
    mona, address = site.person(town.people["mona"]), f"/teams/{team(site, town).key}/settings"
    waiting = town.open("ladder")
    assert 'value="Second line"' in mona.get(address).text
    form = {"name": "Stairs", "lead": town.people["ada"], "tiers": ["One", "Two", "Three", "Four"]}
    assert mona.post(address, form).status_code == 303
    assert (team(site, town).name, tiers(site, town)) == ("Stairs", ["One", "Two", "Three", "Four"])
    assert site.look(lambda work: work.session.get_one(Ticket, waiting).owner_id) == town.people["ada"]
    refused = mona.post(address, {**form, "name": "Other", "lead": town.people["ben"], "tiers": ["One"]})
    assert refused.status_code == 422
    assert "Somebody works in tier" in text_of(refused.text)
    assert (team(site, town).name, team(site, town).duty_lead_id) == ("Stairs", town.people["ada"])
    for name in ("ada", "quinn"):
        visitor = site.person(town.people[name])
        assert visitor.get(address).status_code == 403
        assert visitor.post(address, form).status_code == 403
        assert "/settings" not in visitor.get("/teams").text


def test_people_are_put_into_teams_and_a_duty_lead_stays_in_theirs(site: Site, town: Town) -> None:
    mona, ladder, hive = site.person(town.people["mona"]), town.teams["ladder"], town.teams["hive"]
    here = f"/people/{town.people['quinn']}/teams"
    quinn = site.person(town.people["quinn"])
    assert quinn.get(f"/queue?team={ladder}").status_code in (200, 404)
    assert mona.post(here, {"places": [f"{ladder}:3", f"{hive}:1", ""]}).status_code == 303
    assert site.person(town.people["quinn"]).actor.rungs == {ladder: 3, hive: 1}
    assert mona.post(here, {}).status_code == 303
    assert site.person(town.people["quinn"]).actor.rungs == {}
    refused = mona.post(f"/people/{town.people['hugo']}/teams", {"places": [f"{ladder}:1"]})
    assert refused.status_code == 422
    assert "They are the duty lead of Hive. Name another one first." in text_of(refused.text)
    assert site.person(town.people["hugo"]).actor.rungs == {hive: 1}
    for sent in (f"{ladder}:9", f"{ladder}:0", "99999999:1", f"{ladder}:x"):
        assert mona.post(here, {"places": [sent]}).status_code == 422, sent
    assert site.person(town.people["ada"]).post(here, {}).status_code == 403


def test_levels_are_set_by_oneself_and_by_managers(site: Site, town: Town) -> None:
    postgres, network = town.skills["postgres"], town.skills["network"]
    ina = site.person(town.people["ina"])
    assert ina.post("/me/skills", {"skills": [f"{postgres}:1", "", f"{network}:3"]}).status_code == 303
    assert levels(site, town.people["ina"]) == {postgres: 1, network: 3}
    mona = site.person(town.people["mona"])
    here = f"/people/{town.people['ina']}/skills"
    assert mona.post(here, {"skills": [f"{network}:2"]}).status_code == 303
    assert levels(site, town.people["ina"]) == {network: 2}
    for sent in (f"{network}:4", f"{network}:0", "99999999:2"):
        assert mona.post(here, {"skills": [sent]}).status_code in (404, 422), sent
    assert ina.post(f"/people/{town.people['ben']}/skills", {"skills": [f"{network}:2"]}).status_code == 403
    assert levels(site, town.people["ina"]) == {network: 2}


def test_of_two_as_busy_the_abler_is_asked(site: Site, town: Town) -> None:
    network = town.skills["network"]
    mona = site.person(town.people["mona"])
    for level, expected in ((1, "quinn"), (3, "dov")):
        for name, its in (("dov", level), ("quinn", 2)):
            mona.post(f"/people/{town.people[name]}/skills", {"skills": [f"{network}:{its}"]})
        ticket = town.open("hive")
        town.act("hugo", take, ticket)
        asked = town.act(
            "hugo",
            ask_for_help,
            ticket,
            question="Why?",
            tried="",
            skill_ids=[network],
            person_ids=[],
            client_id=f"ask-number-{ticket}",
        ).id
        assert asked_of(site, asked) == [town.people[expected]]
        town.act("hugo", close_ask, asked)


def test_skills_are_added_renamed_and_removed_while_nobody_needs_them(site: Site, town: Town) -> None:
    mona = site.person(town.people["mona"])
    added = mona.post("/skills", {"name": "Printers"})
    assert added.status_code == 303
    number = int(added.headers["location"].rpartition("-")[2])
    assert mona.post("/skills", {"name": "PRINTERS"}).status_code == 422
    assert mona.post(f"/skills/{number}", {"name": "Printing"}).status_code == 303
    assert re.search(r'value="Printing"', mona.get("/skills").text)
    held = mona.post(f"/skills/{town.skills['postgres']}/removal")
    assert held.status_code == 403
    assert "Somebody knows this." in text_of(held.text)
    assert mona.post(f"/skills/{number}/removal").status_code == 303
    assert site.look(lambda work: work.session.get(Skill, number)) is None
    assert mona.post(f"/skills/{number}", {"name": "Gone"}).status_code == 404
    ada = site.person(town.people["ada"])
    assert ada.get("/skills").status_code == 403
    assert ada.post("/skills", {"name": "Mine"}).status_code == 403


def test_a_skill_that_was_asked_for_stays(site: Site, town: Town) -> None:
    mona = site.person(town.people["mona"])
    number = int(mona.post("/skills", {"name": "Fax"}).headers["location"].rpartition("-")[2])
    ticket = town.open("hive")
    town.act("hugo", take, ticket)
    town.do(
        "hugo",
        lambda work: ask_for_help(
            work,
            ticket,
            question="Who knows fax?",
            tried="",
            skill_ids=[number],
            person_ids=[],
            client_id="an-ask-for-fax",
        ),
    )
    refused = mona.post(f"/skills/{number}/removal")
    assert refused.status_code == 403
    assert "asks keep what they wanted" in text_of(refused.text)
    assert site.look(lambda work: work.session.get(Skill, number)) is not None
