"""The switch: managers set how new tickets are worked, everybody sees it, and of two at once one wins."""

import re
from concurrent.futures import ThreadPoolExecutor

from swarm.modes.models import PolicyChange
from swarm.people.models import Team
from swarm.tickets.models import Ticket
from tests.support.site import Site, text_of
from tests.support.town import Town


def team(site: Site, town: Town, name: str = "ladder") -> Team:
    return site.look(lambda work: work.session.get_one(Team, town.teams[name]))


def path(site: Site, town: Town, rest: str = "/policy", name: str = "ladder") -> str:
    return f"/teams/{team(site, town, name).key}{rest}"


def choice(
    policy: str = "tierless", version: int = 1, note: str = "Two weeks’ trial", **more: object
) -> dict[str, object]:
    return {"policy": policy, "version": version, "note": note, **more}


def row_of(site: Site, town: Town, page: str, name: str = "ladder") -> str:
    found = re.search(rf'<form class="team [^>]*id="team-{town.teams[name]}".*?</form>', page, re.DOTALL)
    assert found is not None
    return found[0]


def test_everybody_on_staff_reads_it_and_only_managers_switch(site: Site, town: Town) -> None:
    mona, ada, quinn = (site.person(town.people[name]) for name in ("mona", "ada", "quinn"))
    assert 'name="version"' in row_of(site, town, mona.get("/teams").text)
    for reader in (ada, quinn):
        row = row_of(site, town, reader.get("/teams").text)
        assert 'name="version"' not in row and "disabled" in row
        refused = reader.post(path(site, town), choice())
        assert refused.status_code == 403
        assert "Only managers switch how a team works." in text_of(refused.text)
    assert site.stranger().get("/teams").status_code == 303
    assert team(site, town).policy == "tiered"


def test_a_row_says_how_things_stand_and_what_happens_next(site: Site, town: Town) -> None:
    for _number in range(3):
        town.open("ladder")
    mona = site.person(town.people["mona"])
    said = text_of(row_of(site, town, mona.get("/teams").text))
    assert "6 people · 3 open tickets · duty lead Lena" in said
    assert "To be taken 3 oldest" in said
    assert "Second line 0" in said and "Third line 0" in said
    assert "New tickets only: they will be tierless. 3 open tickets stay tiered." in said


def test_new_tickets_follow_and_open_ones_stay(site: Site, town: Town) -> None:
    before = town.open("ladder")
    mona = site.person(town.people["mona"])
    answer = mona.post(path(site, town), choice())
    assert (answer.status_code, answer.headers["location"]) == (303, f"/teams#team-{town.teams['ladder']}")
    after = town.open("ladder")
    assert (town.ticket(before).mode, town.ticket(after).mode) == ("tiered", "tierless")
    said = text_of(row_of(site, town, mona.get("/teams").text))
    assert "Mona ·" in said and "“Two weeks’ trial”" in said
    history = text_of(mona.get(path(site, town, "")).text)
    assert "Tierless Mona Two weeks’ trial" in history


def test_open_screens_show_it_at_once(site: Site, town: Town) -> None:
    ada, quinn, mona = (site.person(town.people[name]) for name in ("ada", "quinn", "mona"))
    number = town.teams["ladder"]
    # Quinn is in no team at all: what everybody reads, everybody is told.
    with quinn.socket({"house:1": 0}) as wire:
        mona.post(path(site, town), choice("split", share=25))
        frame = wire.event("policy.announced", "house:1")
    assert ["refresh", f".team-{number}"] in frame["do"]
    assert any(op[0] == "toast" and "Split, 25 % tierless" in op[-1] for op in frame["do"])
    piece = ada.get(path(site, town, "/row"), **{"HX-Request": "true"})
    assert "Split · 25 %" in text_of(piece.text)
    assert "<html" not in piece.text
    assert f'class="team team-{number}"' in piece.text
    assert f'hx-get="{path(site, town, "/row")}"' in piece.text


def test_of_two_managers_one_wins_and_the_other_sees_who_and_what(site: Site, town: Town) -> None:
    mona, max_ = site.person(town.people["mona"]), site.person(town.people["max"])
    browsers = {"Mona": mona, "Max": max_}
    forms = {
        "Mona": choice("tierless", note="Mona says"),
        "Max": choice("split", share=40, note="Max says"),
    }

    def send(name: str) -> tuple[int, str, str]:
        answer = browsers[name].post(path(site, town), forms[name])
        return answer.status_code, name, answer.text

    with ThreadPoolExecutor(2) as both:
        (won, winner, _page), (lost, loser, page) = sorted(both.map(send, browsers))
    assert (won, lost) == (303, 409)
    row = row_of(site, town, page)
    named, what = winner, {"Mona": "Tierless", "Max": "Split, 40 % tierless"}[winner]
    assert (
        f"{named} was faster: Ladder is now “{what}” ({named} says). Nothing of yours was changed."
        in text_of(row)
    )
    # What was typed is kept, against what is there now.
    assert f'value="{forms[loser]["note"]}"' in row
    assert re.search(rf'value="{forms[loser]["policy"]}"[^>]* checked', row)
    assert 'name="version" value="2"' in row
    assert (team(site, town).policy_version, team(site, town).policy) == (2, forms[winner]["policy"])
    again = browsers[loser].post(path(site, town), {**forms[loser], "version": 2})
    assert again.status_code == 303
    assert site.look(lambda work: work.session.query(PolicyChange).count()) == 2


def test_what_cannot_be_keeps_what_was_typed(site: Site, town: Town) -> None:
    mona = site.person(town.people["mona"])
    for form, says in (
        (choice("split", share=33), "in steps of 5"),
        (choice("split", share=100), "from 5 to 95"),
        (choice("split"), "from 5 to 95"),
        (choice("split", share="many"), "This must be a whole number."),
        (choice(note=""), "This is needed."),
        (choice(note="x" * 501), "At most 500 characters"),
        (choice("flat"), "Choose one of the offered."),
        (choice(version=0), "This must be 1 or more."),
        (choice(extra="1"), "This field is not known here."),
    ):
        answer = mona.post(path(site, town), form)
        assert answer.status_code == 422, form
        row = row_of(site, town, answer.text)
        assert says in text_of(row), form
        if form["note"] and len(str(form["note"])) <= 500:
            assert f'value="{form["note"]}"' in row, form
    assert team(site, town).policy_version == 1
    assert mona.post("/teams/nowhere/policy", choice()).status_code == 404
    assert mona.get("/teams/nowhere").status_code == 404
    assert mona.get("/teams/nowhere/row").status_code == 404
    assert mona.post(path(site, town), choice(), Origin="https://elsewhere.example").status_code == 403


def test_a_share_is_kept_by_blocks(site: Site, town: Town) -> None:
    mona = site.person(town.people["mona"])
    mona.post(path(site, town), choice("split", share=50))
    opened = [town.open("ladder") for _number in range(12)]
    modes = site.look(lambda work: [work.session.get_one(Ticket, id_).mode for id_ in opened])
    # Blocks of 2, 4 or 6: after twelve, the halves differ by what one open block can hold.
    assert abs(modes.count("tiered") - modes.count("tierless")) <= 6
    assert set(modes) == {"tiered", "tierless"}
