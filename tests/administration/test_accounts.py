"""Administrators give accounts, change what they may do, and take them away in one step."""

from __future__ import annotations

import re

import httpx2
from sqlalchemy import select

from swarm.accounts.passwords import fits
from swarm.people.actions import add_person
from swarm.people.models import Person
from swarm.rooms.models import Invitation
from swarm.routing.matching import ask_for_help
from swarm.store import Work
from swarm.tickets.actions import take
from swarm.tickets.models import Ticket
from tests.support.site import Site, Visitor, text_of
from tests.support.town import Town

PASSWORD = "four words in a row"


def person(site: Site, id_: int) -> Person:
    return site.look(lambda work: work.session.get_one(Person, id_))


def account(site: Site, town: Town, who: str, **changed: str) -> dict[str, str]:
    one = person(site, town.people[who])
    return {"name": one.name, "email": one.email, "role": one.role, **changed}


def link_in(answer: httpx2.Response) -> str:
    found = re.search(r"(/account/[\w-]{43})<", answer.text)
    assert found is not None, answer.text
    return found[1]


def hire(site: Site, root: Visitor, **form: object) -> tuple[int, str]:
    """A new account: its number, and the link into it."""
    sent = {"name": "Nia Obi", "email": "nia@example.org", "role": "agent", "language": "en", **form}
    answer = root.post("/people", sent)
    assert answer.status_code == 201, answer.text
    number = re.search(r'href="/people/(\d+)"', answer.text)
    assert number is not None
    return int(number[1]), link_in(answer)


def choose(visitor: Visitor, link: str, password: str = PASSWORD, again: str = "") -> httpx2.Response:
    return visitor.post(link, {"password": password, "again": again or password})


def test_a_new_colleague_comes_in_by_the_link_and_works_in_their_team(site: Site, town: Town) -> None:
    root, nia = site.person(town.people["root"]), site.stranger()
    number, link = hire(site, root, places=["", f"{town.teams['ladder']}:2"])
    looked = nia.get(link)
    assert "Welcome, Nia Obi" in text_of(looked.text)
    assert looked.headers["referrer-policy"] == "strict-origin"
    assert "set-cookie" not in looked.headers
    chosen = choose(nia, link)
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/mine")
    assert nia.get("/mine").status_code == 200
    assert fits(PASSWORD, person(site, number).password)
    assert site.person(number).actor.rungs == {town.teams["ladder"]: 2}
    again = site.stranger().post("/sign-in", {"email": "NIA@example.org", "password": PASSWORD})
    assert again.status_code == 303


def test_only_administrators_give_accounts(site: Site, town: Town) -> None:
    for name in ("mona", "ada"):
        visitor = site.person(town.people[name])
        refused = visitor.post("/people", {"name": "Nia", "email": "nia@example.org"})
        assert refused.status_code == 403
        assert visitor.get("/people/new").status_code == 403
        for door in ("account", "link", "sessions/end", "retirement", "reinstatement"):
            form = account(site, town, "ben", role="administrator") if door == "account" else {}
            assert visitor.post(f"/people/{town.people['ben']}/{door}", form).status_code == 403, door
    assert person(site, town.people["ben"]).role == "agent"
    assert person(site, town.people["ben"]).active


def test_what_does_not_fit_is_said_and_what_was_typed_is_kept(site: Site, town: Town) -> None:
    root = site.person(town.people["root"])
    taken = person(site, town.people["ben"]).email
    for form, words in (
        ({"email": taken.upper()}, "Somebody has this address already."),
        ({"email": "no address"}, "does not look like an e-mail address"),
        ({"role": "emperor"}, "Choose one of the offered."),
        ({"places": [f"{town.teams['ladder']}:9"]}, "has no tier 9"),
        ({"places": ["99999999:1"]}, "There is no such team."),
        ({"places": ["one:two"]}, "Choose one of the offered."),
        ({"owner": "yes"}, ""),
    ):
        answer = root.post("/people", {"name": "Nia Obi", "email": "nia@example.org", **form})
        assert answer.status_code == 422, form
        assert words in text_of(answer.text)
        assert 'value="Nia Obi"' in answer.text
    assert "nia@example.org" not in root.get("/people").text


def test_name_address_and_role_are_changed_and_rights_follow_at_once(site: Site, town: Town) -> None:
    root, ben = site.person(town.people["root"]), site.person(town.people["ben"])
    here = f"/people/{town.people['ben']}"
    assert ben.get("/people").status_code == 403
    sent = account(site, town, "ben", name="Ben Ruiz", email="Ruiz@Example.org", role="manager")
    assert root.post(f"{here}/account", sent).headers["location"] == here
    now = person(site, town.people["ben"])
    assert (now.name, now.email, now.role) == ("Ben Ruiz", "ruiz@example.org", "manager")
    assert ben.get("/people").status_code == 200


def test_the_last_administrator_stays_one(site: Site, town: Town) -> None:
    root = site.person(town.people["root"])
    here = f"/people/{town.people['root']}"
    refused = root.post(f"{here}/account", account(site, town, "root", role="agent"))
    assert refused.status_code == 403
    assert "This is the last administrator." in text_of(refused.text)
    assert root.post(f"{here}/retirement").status_code == 403
    root.post(f"/people/{town.people['mona']}/account", account(site, town, "mona", role="administrator"))
    mona = site.person(town.people["mona"])
    assert mona.post(f"{here}/retirement").status_code == 303
    assert not person(site, town.people["root"]).active
    assert root.get("/people").status_code == 303


def test_ending_access_moves_tickets_and_asks_and_signs_out_in_one_step(site: Site, town: Town) -> None:
    owned = town.open("hive")
    town.act("ina", take, owned)
    helped = town.open("hive")
    town.act("hugo", take, helped)
    asked = town.do(
        "hugo",
        lambda work: (
            ask_for_help(
                work,
                helped,
                question="Why?",
                tried="",
                skill_ids=[],
                person_ids=[town.people["ina"]],
                client_id="an-ask-for-ina",
            ).id
        ),
    )
    root, ina = site.person(town.people["root"]), site.person(town.people["ina"])
    said = text_of(root.get(f"/people/{town.people['ina']}").text)
    assert "1 ticket falls to the duty lead of its team." in said
    assert root.post(f"/people/{town.people['ina']}/retirement").status_code == 303
    assert ina.get("/mine").status_code == 303
    assert site.look(lambda work: work.session.get_one(Ticket, owned).owner_id) == town.people["hugo"]
    state = select(Invitation.state).where(Invitation.ask_id == asked)
    assert site.look(lambda work: work.session.scalars(state).all()) == ["withdrawn"]
    assert "Ina" not in text_of(root.get("/people").text)
    assert "Ina" in text_of(root.get("/people?state=gone").text)


def test_a_duty_lead_cannot_be_sent_away_before_another_is_named(site: Site, town: Town) -> None:
    root = site.person(town.people["root"])
    refused = root.post(f"/people/{town.people['hugo']}/retirement")
    assert refused.status_code == 403
    assert "is the duty lead of Hive. Name another one first." in text_of(refused.text)
    assert person(site, town.people["hugo"]).active
    assert site.person(town.people["hugo"]).get("/mine").status_code == 200


def test_nobody_ends_their_own_access(site: Site, town: Town) -> None:
    root = site.person(town.people["root"])
    root.post(f"/people/{town.people['mona']}/account", account(site, town, "mona", role="administrator"))
    refused = root.post(f"/people/{town.people['root']}/retirement")
    assert refused.status_code == 403
    assert "You cannot end your own access." in text_of(refused.text)


def test_who_comes_back_needs_a_new_password_and_finds_their_teams(site: Site, town: Town) -> None:
    root, ben = site.person(town.people["root"]), town.people["ben"]
    assert root.post(f"/people/{ben}/retirement").status_code == 303
    assert root.post(f"/people/{ben}/link").status_code == 404
    assert root.post(f"/people/{ben}/reinstatement").status_code == 303
    assert person(site, ben).password is None
    link = link_in(root.post(f"/people/{ben}/link"))
    assert choose(site.stranger(), link).status_code == 303
    assert site.person(ben).actor.rungs == {town.teams["ladder"]: 1}


def test_signing_somebody_out_everywhere(site: Site, town: Town) -> None:
    root, ada = site.person(town.people["root"]), site.person(town.people["ada"])
    assert ada.get("/mine").status_code == 200
    assert root.post(f"/people/{town.people['ada']}/sessions/end").status_code == 303
    assert ada.get("/mine").status_code == 303
    assert root.get("/mine").status_code == 200
    assert root.post("/people/99999999/sessions/end").status_code == 404


def test_the_list_finds_people_by_words_and_team_and_pages_by_name(site: Site, town: Town) -> None:
    def many(work: Work) -> None:
        for number in range(60):
            add_person(work, name=f"Zed {number:02}", email=f"zed{number}@example.org", role="agent")

    site.do(many)
    mona = site.person(town.people["mona"])
    first = mona.get("/people?q=zed").text
    assert "Zed 00" in first and "Zed 49" in first and "Zed 50" not in first
    older = re.search(r'href="(/people\?[^"]*after=[^"]+)"', first)
    assert older is not None
    second = mona.get(older[1].replace("&amp;", "&")).text
    assert "Zed 50" in second and "Zed 59" in second and "Zed 49" not in second
    assert "Nobody fits" in mona.get("/people?q=%25").text
    in_hive = text_of(mona.get(f"/people?team={town.teams['hive']}").text)
    assert "Ina" in in_hive and "Ben" not in in_hive
    assert mona.get("/people?after=nonsense").status_code == 404
    assert mona.get("/people?sort=name").status_code == 422
