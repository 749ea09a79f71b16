"""Help through the API: proposed, asked once, accepted, declined, come unasked, left, closed."""

from tests.api.conftest import Programs
from tests.support.site import Site
from tests.support.town import Town


def test_help_is_asked_for_given_and_over(site: Site, town: Town, program: Programs) -> None:
    ina, quinn, paul = program("ina"), program("quinn"), program("paul")
    number = ina.open(town.teams["hive"])["number"]
    ina.post(f"/tickets/{number}/owner")
    network, postgres = town.skills["network"], town.skills["postgres"]

    proposed = ina.get(f"/tickets/{number}/proposal", skills=[network]).json()
    assert {one["person"]["name"] for one in proposed["people"]} <= {"Dov", "Quinn"}
    assert proposed["uncovered"] == []

    sent = {
        "question": "Why is it slow?",
        "tried": "Turned it off and on",
        "skills": [postgres],
        "people": [town.people["quinn"], town.people["paul"]],
        "client_id": "an-ask-of-ina",
    }
    asked = ina.post(f"/tickets/{number}/asks", **sent).json()
    assert [one["person"]["name"] for one in asked["invited"]] == ["Quinn", "Paul"]
    assert ina.post(f"/tickets/{number}/asks", **sent).json()["id"] == asked["id"]
    other = ina.post(f"/tickets/{number}/asks", **{**sent, "question": "Or not?"})
    assert other.status_code == 409

    [waiting] = quinn.get("/asked").json()["items"]
    assert (waiting["ticket"], waiting["question"], waiting["by"]["name"]) == (
        number,
        "Why is it slow?",
        "Ina",
    )
    assert quinn.post(f"/invitations/{waiting['invitation']}/acceptance").json()["number"] == number
    [asked_of_paul] = paul.get("/asked").json()["items"]
    declined = paul.post(f"/invitations/{asked_of_paul['invitation']}/refusal", why="On leave")
    assert declined.status_code == 204
    assert paul.get(f"/tickets/{number}").status_code == 404
    assert quinn.post(f"/invitations/{asked_of_paul['invitation']}/acceptance").status_code == 404

    swarm = ina.get(f"/tickets/{number}/swarm").json()
    assert swarm["owner"]["name"] == "Ina"
    assert [one["person"]["name"] for one in swarm["present"]] == ["Quinn"]
    states = {one["person"]["name"]: one["state"] for one in swarm["asks"][0]["invited"]}
    assert (states["Quinn"], states["Paul"]) == ("accepted", "declined")

    assert program("hugo").post(f"/tickets/{number}/hand").json()["number"] == number
    assert program("hugo").post(f"/tickets/{number}/leaving").status_code == 204
    assert ina.post(f"/tickets/{number}/dismissal", person=town.people["quinn"]).status_code == 200
    assert quinn.get(f"/tickets/{number}").status_code == 404
    assert ina.post(f"/asks/{asked['id']}/end").json()["state"] == "closed"
    assert ina.get(f"/tickets/{number}/swarm").json()["present"] == []


def test_a_tiered_ticket_has_no_asks(town: Town, program: Programs) -> None:
    ada = program("ada")
    number = ada.open(town.teams["ladder"])["number"]
    ada.post(f"/tickets/{number}/owner")
    refused = ada.post(
        f"/tickets/{number}/asks", question="Why?", client_id="an-ask-of-ada", people=[town.people["ben"]]
    )
    assert refused.status_code == 403
    assert "Escalate" in refused.json()["detail"] or "escalate" in refused.json()["detail"]


def test_an_ask_for_what_there_is_not(town: Town, program: Programs) -> None:
    ina = program("ina")
    number = ina.open(town.teams["hive"])["number"]
    ina.post(f"/tickets/{number}/owner")
    for wrong, field in (
        ({"skills": [10**9]}, "skills"),
        ({"people": [town.people["ina"]]}, "people"),
        ({}, "skills"),
    ):
        answer = ina.post(f"/tickets/{number}/asks", question="Why?", client_id="an-ask-of-ina", **wrong)
        assert answer.status_code == 422
        assert list(answer.json()["problems"]) == [field]
