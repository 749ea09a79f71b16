"""What people set about themselves."""

from swarm.accounts.actions import set_password
from swarm.accounts.passwords import fits, hash_of
from swarm.people.models import Person
from tests.support.site import Site
from tests.support.town import Town

OLD, NEW = "an old and long one", "four words in a row"


def me(site: Site, town: Town, name: str = "ina") -> Person:
    return site.look(lambda work: work.session.get_one(Person, town.people[name]))


def passwords(current: str = OLD, password: str = NEW, again: str = NEW) -> dict[str, str]:
    return {"current": current, "password": password, "again": again}


def test_availability_from_the_menu(site: Site, town: Town) -> None:
    ina = site.person(town.people["ina"])
    assert ina.post("/me/availability", {"availability": "busy"}).headers["location"] == "/me"
    assert me(site, town).availability == "busy"
    with_script = ina.post("/me/availability", {"availability": "away"}, **{"HX-Request": "true"})
    assert (with_script.status_code, with_script.headers["hx-trigger"]) == (204, "acted")
    assert ina.post("/me/availability", {"availability": "asleep"}).status_code == 422
    assert me(site, town).availability == "away"


def test_skills_are_what_asks_look_for(site: Site, town: Town) -> None:
    ina = site.person(town.people["ina"])
    both = sorted(town.skills.values())
    assert ina.post("/me/skills", {"skills": [f"{skill}:2" for skill in both]}).status_code == 303
    assert ina.get("/me").text.count('name="skills"') >= 2
    assert site.person(town.people["ina"]).actor.skills == frozenset(both)
    assert ina.post("/me/skills", {}).status_code == 303
    assert site.person(town.people["ina"]).actor.skills == frozenset()
    assert ina.post("/me/skills", {"skills": [f"{10**9}:2"]}).status_code == 404


def test_name_language_and_zone(site: Site, town: Town) -> None:
    ina = site.person(town.people["ina"])
    sent = {"name": "Ina Berg", "language": "en", "timezone": "Europe/Lisbon"}
    assert ina.post("/me/profile", sent).status_code == 303
    assert (me(site, town).name, me(site, town).timezone) == ("Ina Berg", "Europe/Lisbon")
    wrong = ina.post("/me/profile", {**sent, "name": "Other", "timezone": "Mars/Base"})
    assert wrong.status_code == 422
    assert 'value="Other"' in wrong.text
    assert me(site, town).name == "Ina Berg"


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(site: Site, town: Town) -> None:
    site.do(lambda work: set_password(work, town.people["ina"], hash_of(OLD)))
    ina, elsewhere = site.person(town.people["ina"]), site.person(town.people["ina"])
    for form, words in (
        (passwords(current="not this"), "This is not your password."),
        (passwords(again="something else"), "This is not the same as above."),
        (passwords(password="short", again="short"), "A password has at least"),
    ):
        answer = ina.post("/me/password", form)
        assert answer.status_code == 422
        assert words in answer.text
        assert NEW not in answer.text
    assert fits(OLD, me(site, town).password)
    assert ina.post("/me/password", passwords()).status_code == 303
    assert fits(NEW, me(site, town).password)
    assert ina.get("/me").status_code == 200
    assert elsewhere.get("/me").status_code == 303


def test_signing_out_everywhere_else(site: Site, town: Town) -> None:
    ina, elsewhere = site.person(town.people["ina"]), site.person(town.people["ina"])
    page = ina.get("/me").text
    assert page.count("Another browser") == 1
    assert ina.post("/me/sessions/end").status_code == 303
    assert ina.get("/me").status_code == 200
    assert elsewhere.get("/me").status_code == 303
    assert "Another browser" not in ina.get("/me").text
