"""Being asked: one click to come, one to decline, and a hand where nobody asked."""

import re

from swarm.rooms.models import Invitation, Stay
from swarm.routing.matching import ask_for_help
from swarm.tickets import actions
from tests.support.site import Site
from tests.support.town import Town

QUESTION = "Why does the index not help?"


def asked(town: Town, *people: str, skills: tuple[str, ...] = ()) -> int:
    """A ticket of Ina's on which she asked."""
    ticket = town.open("hive")
    town.do("ina", lambda work: actions.take(work, ticket))
    town.do(
        "ina",
        lambda work: ask_for_help(
            work,
            ticket,
            question=QUESTION,
            tried="a bigger machine",
            skill_ids=[town.skills[skill] for skill in skills],
            person_ids=[town.people[name] for name in people],
            client_id=f"ask-of-{ticket}",
        ),
    )
    return ticket


def answer_of(site: Site, ticket: int, person: int) -> str:
    return site.look(
        lambda work: work.session.query(Invitation).filter_by(ticket_id=ticket, person_id=person).one().state
    )


def test_accepting_leads_into_the_room(site: Site, town: Town) -> None:
    ticket = asked(town, "paul")
    paul = site.person(town.people["paul"])
    page = paul.get("/asked").text
    assert QUESTION in page
    assert "a bigger machine" in page
    action = re.search(r'action="(/invitations/\d+/acceptance)"', page)
    assert action
    answer = paul.post(action[1])
    assert (answer.status_code, answer.headers["location"]) == (303, f"/tickets/{ticket}")
    assert answer_of(site, ticket, town.people["paul"]) == "accepted"
    assert "Nobody asks for you" in paul.get("/asked").text


def test_declining_takes_one_click_and_no_reason(site: Site, town: Town) -> None:
    ticket = asked(town, "paul")
    paul = site.person(town.people["paul"])
    action = re.search(r'action="(/invitations/\d+/refusal)"', paul.get("/asked").text)
    assert action
    assert paul.post(action[1]).headers["location"] == "/asked"
    assert answer_of(site, ticket, town.people["paul"]) == "declined"
    again = paul.post(action[1].replace("refusal", "acceptance"))
    assert again.status_code == 409
    assert "This ask is over" in again.text


def test_whoever_has_the_skill_may_raise_a_hand_and_learns_the_case_by_it(site: Site, town: Town) -> None:
    ticket = asked(town, "paul", skills=("postgres",))
    quinn = site.person(town.people["quinn"])
    page = quinn.get("/asked").text
    assert QUESTION in page
    assert "The printer is on fire" not in page
    assert f'href="/tickets/{ticket}"' not in page
    answer = quinn.post(f"/tickets/{ticket}/hand")
    assert answer.headers["location"] == f"/tickets/{ticket}"
    present = site.look(
        lambda work: work.session.query(Stay).filter_by(ticket_id=ticket, left_at=None).one().person_id
    )
    assert present == town.people["quinn"]


def test_no_hand_is_offered_where_the_rule_refuses_it(site: Site, town: Town) -> None:
    ticket = asked(town, "paul")
    assert f"/tickets/{ticket}/hand" in site.person(town.people["hugo"]).get("/asked").text
    assert QUESTION not in site.person(town.people["dov"]).get("/asked").text
    assert QUESTION not in site.person(town.people["ina"]).get("/asked").text


def test_the_count_calls_in_the_rail(site: Site, town: Town) -> None:
    asked(town, "paul")
    page = site.person(town.people["paul"]).get("/mine").text
    assert re.search(r'class="count calls" data-count="1" id="count-asked">1<', page)
