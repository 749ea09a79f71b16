"""A token acts as whoever made it, never as more than they may now, and ends when it should."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from html import unescape

import httpx2
import pytest

from swarm.accounts.account_links import make_account_link, use_account_link
from swarm.accounts.actions import key_of, set_password
from swarm.accounts.models import Token
from swarm.accounts.passwords import hash_of
from swarm.accounts.second_step import require
from swarm.accounts.tokens import LASTS, MOST, SCOPES, Scope, make_token, scopes_of
from swarm.events.refusals import NotAllowed
from swarm.people import administering
from swarm.people.queries import person_actor
from swarm.store import Work
from tests.access.taint import logged
from tests.api.program import Program, nobody, program_of
from tests.support.site import PATIENCE, Site, Visitor, text_of
from tests.support.town import Town, build

PASSWORD = "four words in a row"
HASH = hash_of(PASSWORD)


@pytest.fixture
def town(site: Site) -> Town:
    town = build(site.store)
    for name in ("ina", "mona", "root"):
        site.do(lambda work, name=name: set_password(work, town.people[name], HASH))  # type: ignore[misc]
    return town


def make(visitor: Visitor, **other: object) -> httpx2.Response:
    form = {"name": "Nightly report", "days": "30", "current": PASSWORD, **other}
    return visitor.post("/me/tokens", {name: value for name, value in form.items() if value is not None})


def shown_in(answer: httpx2.Response) -> str:
    found = re.search(r"swarm_[\w-]{43}", unescape(answer.text))
    assert found, answer.text
    return found[0]


def row_of(site: Site, secret: str) -> Token:
    return site.look(lambda work: work.session.query(Token).filter_by(key=key_of(secret)).one())


def test_it_is_made_with_the_password_shown_once_and_kept_as_a_hash(site: Site, town: Town) -> None:
    ina = site.person(town.people["ina"])
    answer = make(ina, scopes="tickets")
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    secret = shown_in(answer)
    page = ina.get("/me/tokens").text
    assert "Nightly report" in page and "not used yet" in page
    assert secret not in page and key_of(secret) not in page
    assert secret not in repr(vars(row_of(site, secret)))
    assert nobody(site, secret).get("/me").json()["scopes"] == ["read", "tickets"]
    assert "last used" in ina.get("/me/tokens").text
    assert "1 token works" in text_of(ina.get("/me").text)


def test_without_the_password_there_is_none(site: Site, town: Town) -> None:
    ina = site.person(town.people["ina"])
    refused = make(ina, current="wrong horse battery")
    assert refused.status_code == 422
    assert "This is not your password." in unescape(refused.text)
    assert "Nightly report" in refused.text and "wrong horse battery" not in refused.text
    assert make(ina, current=None).status_code == 422
    assert "No tokens" in ina.get("/me/tokens").text


def test_what_does_not_fit_is_said_at_its_field(site: Site, town: Town) -> None:
    ina = site.person(town.people["ina"])
    assert make(ina).status_code == 201
    for other, status, words in (
        ({"name": "Nightly report"}, 422, "A token of this name is there already."),
        ({"name": ""}, 422, "This is needed."),
        ({"days": "31"}, 422, "Choose one of the offered."),
        ({"scopes": "everything"}, 422, "Choose one of the offered."),
        ({"scopes": "people", "name": "Wide"}, 403, "Only administrators give accounts"),
        ({"scopes": "teams", "name": "Wide"}, 403, "Only managers change teams"),
    ):
        answer = make(ina, **other)
        assert (answer.status_code, words in unescape(answer.text)) == (status, True), other
    assert [one.name for one in town.look("ina", lambda work: work.session.query(Token).all())] == [
        "Nightly report"
    ]


def test_nobody_has_more_than_some(site: Site, town: Town) -> None:
    def fill(work: Work) -> None:
        for number in range(MOST):
            make_token(work, work.actor, name=f"Bot {number}", scopes=(), days=LASTS[0])

    town.do("ina", fill)
    assert make(site.person(town.people["ina"])).status_code == 422


@pytest.mark.parametrize(
    ("who", "offered"),
    [("ina", ["tickets"]), ("mona", ["tickets", "teams"]), ("root", ["tickets", "teams", "people"])],
)
def test_nobody_gives_what_they_may_not_do(site: Site, town: Town, who: str, offered: list[str]) -> None:
    page = site.person(town.people[who]).get("/me/tokens").text
    assert re.findall(r'name="scopes" value="(\w+)"', page) == offered
    for scope in SCOPES:
        if scope not in ("read", *offered):
            with pytest.raises(NotAllowed):
                town.do(who, partial(_make, scope=scope))


def _make(work: Work, scope: Scope) -> str:
    return make_token(work, work.actor, name="Wide", scopes=[scope], days=30)


def test_a_token_does_no_more_than_its_scopes(site: Site, town: Town) -> None:
    root = town.people["root"]
    number = program_of(site, root).open(town.teams["hive"])["number"]
    policy = {"policy": "tiered", "note": "Try it", "version": 1}
    key = program_of(site, root).get("/teams").json()["items"][0]["key"]
    doors: dict[str, Callable[[Program], httpx2.Response]] = {
        "tickets": lambda one: one.post(f"/tickets/{number}/owner"),
        "teams": lambda one: one.post(f"/teams/{key}/policy", **policy),
        "people": lambda one: one.post(f"/people/{town.people['paul']}/retirement"),
    }
    for scope in doors:
        narrow = program_of(site, root, scope)
        assert narrow.get("/tickets").status_code == 200
        for other, knock in doors.items():
            if other == scope:
                continue
            answer = knock(narrow)
            assert answer.status_code == 403, (scope, other)
            assert f'scope="{other}"' in answer.headers["www-authenticate"]
            assert f"“{other}”" in answer.json()["detail"]
    reading = program_of(site, root, "read")
    assert [knock(reading).status_code for knock in doors.values()] == [403] * 3
    for scope, knock in doors.items():
        assert knock(program_of(site, root, scope)).status_code == 200, scope


def test_a_token_is_as_narrow_as_its_maker_is_now(site: Site, town: Town) -> None:
    mona = town.people["mona"]
    program = program_of(site, mona)
    number = program.open(town.teams["ladder"])["number"]
    assert program.get("/people").status_code == 200

    def demote(work: Work) -> None:
        administering.change_account(work, mona, name="Mona", email="mona@example.org", role="agent")

    town.do("root", demote)
    assert program.get(f"/tickets/{number}").status_code == 404
    assert program.get("/tickets").json()["items"] == []
    assert program.get("/people").status_code == 403
    assert program.post(f"/people/{town.people['ina']}/skills", skill=1, level=1).status_code == 403
    assert "teams" in program.get("/me").json()["scopes"], "what it could do, if its maker could"


def test_who_leaves_a_team_leaves_it_for_their_programs(site: Site, town: Town) -> None:
    program = program_of(site, town.people["ina"])
    number = program.open(town.teams["hive"])["number"]
    assert program.get(f"/tickets/{number}").status_code == 200
    town.do("mona", lambda work: administering.place(work, town.people["ina"], {}))
    assert program.get(f"/tickets/{number}").status_code == 404
    assert program.get(f"/tickets/{number}/lanes/room/events").status_code == 404


def test_an_ended_an_expired_and_an_invented_token_are_alike(site: Site, town: Town) -> None:
    ina = site.person(town.people["ina"])
    ended, expired = shown_in(make(ina)), shown_in(make(ina, name="Other", days="7"))
    assert ina.post(f"/me/tokens/{row_of(site, ended).id}/end").status_code == 303
    site.clock.move(days=8)
    answers = [nobody(site, secret).get("/me") for secret in (ended, expired, "swarm_" + "x" * 43)]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["www-authenticate"] for answer in answers} == {
        'Bearer realm="swarm", error="invalid_token"'
    }
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert nobody(site).get("/me").headers["www-authenticate"] == 'Bearer realm="swarm"'


def test_all_of_mine_end_with_one_click(site: Site, town: Town) -> None:
    ina = site.person(town.people["ina"])
    secrets = [shown_in(make(ina, name=f"Bot {number}")) for number in range(3)]
    other = program_of(site, town.people["hugo"])
    assert ina.post("/me/tokens/end").status_code == 303
    assert [nobody(site, secret).get("/me").status_code for secret in secrets] == [401] * 3
    assert other.get("/me").status_code == 200


def test_an_administrator_sees_and_ends_the_tokens_of_others(site: Site, town: Town) -> None:
    ina, root, mona = (site.person(town.people[name]) for name in ("ina", "root", "mona"))
    secret = shown_in(make(ina, scopes="tickets"))
    path = f"/people/{town.people['ina']}"
    assert "Nightly report" in root.get(path).text
    assert "Nightly report" not in mona.get(path).text
    end = f"{path}/tokens/{row_of(site, secret).id}/end"
    assert mona.post(end, Accept="application/json").status_code == 403
    wrong = f"/people/{town.people['hugo']}/tokens/{row_of(site, secret).id}/end"
    assert root.post(wrong, Accept="application/json").status_code == 404
    assert nobody(site, secret).get("/me").status_code == 200
    assert root.post(end).status_code == 303
    assert nobody(site, secret).get("/me").status_code == 401
    log = text_of(root.get("/audit").text)
    assert "Ina made the token “Nightly report” for Ina" in log
    assert "Root ended the token “Nightly report” of Ina" in log


def test_tokens_end_with_the_account_and_do_not_come_back_with_it(site: Site, town: Town) -> None:
    program = program_of(site, town.people["ina"])
    town.do("root", lambda work: administering.retire(work, town.people["ina"]))
    assert program.get("/me").status_code == 401
    town.do("root", lambda work: administering.take_back(work, town.people["ina"]))
    assert program.get("/me").status_code == 401


def test_a_password_changed_by_its_owner_leaves_tokens_and_says_so(site: Site, town: Town) -> None:
    ina = site.person(town.people["ina"])
    program = program_of(site, town.people["ina"])
    changed = {"current": PASSWORD, "password": "another four words now", "again": "another four words now"}
    assert ina.post("/me/password", changed).status_code == 303
    assert program.get("/me").status_code == 200
    assert "A new password does not end it." in text_of(ina.get("/me").text)
    assert ina.post("/me/sessions/end").status_code == 303
    assert program.get("/me").status_code == 200


def test_a_password_chosen_by_a_link_ends_all_tokens(site: Site, town: Town) -> None:
    """It is how a lost account is taken back."""
    program = program_of(site, town.people["ina"])

    def take_back(work: Work) -> None:
        secret = make_account_link(work, town.people["ina"], timedelta(hours=1))
        use_account_link(work, secret, HASH)

    town.do("root", take_back)
    assert program.get("/me").status_code == 401


def test_who_needs_a_second_step_and_has_none_has_no_programs(site: Site, town: Town) -> None:
    mona, ina = program_of(site, town.people["mona"]), program_of(site, town.people["ina"])
    town.do("root", lambda work: require(work, ["manager"]))
    assert mona.get("/me").status_code == 401
    assert ina.get("/me").status_code == 200

    def promote(work: Work) -> None:
        administering.change_account(
            work, town.people["ina"], name="Ina", email="i@example.org", role="manager"
        )

    town.do("root", promote)
    assert ina.get("/me").status_code == 401


def test_neither_a_cookie_nor_an_address_is_a_token(site: Site, town: Town) -> None:
    ina = site.person(town.people["ina"])
    secret = shown_in(make(ina))
    for answer in (
        ina.http.get("/api/v1/me"),
        ina.http.get("/api/v1/me", headers={"Authorization": f"Bearer {ina.http.cookies['session']}"}),
        ina.http.get("/api/v1/me", headers={"Authorization": f"Basic {secret}"}),
        ina.http.get("/api/v1/me", headers={"Authorization": "Bearer"}),
        ina.http.get("/api/v1/me", headers={"Authorization": f"Bearer {secret} {secret}"}),
        ina.http.get(
            "/api/v1/me", headers=[("Authorization", f"Bearer {secret}"), ("Authorization", "Bearer x")]
        ),
        ina.http.get(f"/api/v1/me?access_token={secret}"),
    ):
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer ")
        assert "set-cookie" not in answer.headers
    assert ina.http.get("/mine", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    stranger = httpx2.get(f"{site.url}/mine", headers={"Authorization": f"Bearer {secret}"}, timeout=PATIENCE)
    assert stranger.status_code == 303, "a token opens no page"


def test_no_token_is_written_into_a_log(site: Site, town: Town) -> None:
    ina = site.person(town.people["ina"])
    with logged() as log:
        secret = shown_in(make(ina))
        nobody(site, secret).get("/me")
        nobody(site, secret).post("/tickets", team="x")
        httpx2.get(f"{site.url}/api/v1/me?token={secret}", timeout=PATIENCE)
    assert secret not in log() and key_of(secret) not in log()


def test_scopes_are_those_of_the_person_in_this_moment(town: Town) -> None:
    assert town.look("mona", lambda work: scopes_of(work.actor)) == ["tickets", "teams"]
    assert town.look("root", lambda work: scopes_of(person_actor(work.session, town.people["ina"]))) == [
        "tickets"
    ]
