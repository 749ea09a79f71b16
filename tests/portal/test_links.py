"""One-time links: looking is free, opening works once, and each refusal says what to do."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx2
import pytest

from swarm.accounts.actions import make_link
from swarm.store import Work
from swarm.tickets.models import Ticket
from tests.portal.house import House, at_once, enter, furnish, link_in, opening
from tests.support.app import App
from tests.support.backends import Backend
from tests.support.site import Site, serve_site


def test_looking_does_not_use_the_link_up(site: Site, house: House) -> None:
    link = link_in(site.stranger().post("/open", opening(house)))
    scanner = site.stranger()
    for _ in range(3):
        looked = scanner.get(link)
        assert looked.status_code == 200
        assert "Continue" in looked.text
        assert "set-cookie" not in looked.headers
    assert scanner.http.head(link).status_code == 200
    assert site.stranger().post(link).status_code == 303


def test_the_page_before_opening_tells_nothing_of_the_ticket(site: Site, house: House) -> None:
    link = link_in(site.stranger().post("/open", opening(house, subject="Very private words")))
    assert "Very private words" not in site.stranger().get(link).text


def test_a_used_link_opens_the_ticket_only_where_it_was_used(site: Site, house: House) -> None:
    visitor = site.stranger()
    link = link_in(visitor.post("/open", opening(house)))
    first = visitor.post(link)
    assert first.status_code == 303
    assert "httponly" in first.headers["set-cookie"].lower()
    assert visitor.get(first.headers["location"]).status_code == 200
    for again in (visitor.get(link), visitor.post(link)):
        assert again.status_code == 303
        assert again.headers["location"] == first.headers["location"]
    other = site.stranger()
    for refused in (other.get(link), other.post(link)):
        assert refused.status_code == 410
        assert "used before" in refused.text
        assert 'href="/open"' in refused.text
    assert other.get(first.headers["location"]).status_code == 401


def test_of_six_browsers_at_once_one_opens_it(site: Site, house: House) -> None:
    link = link_in(site.stranger().post("/open", opening(house)))
    statuses = at_once(6, lambda: site.stranger().post(link).status_code)
    assert sorted(statuses) == [303, 410, 410, 410, 410, 410]


def test_an_expired_link_is_refused(site: Site, house: House) -> None:
    link = link_in(site.stranger().post("/open", opening(house)))
    site.clock.move(days=8)
    for refused in (site.stranger().get(link), site.stranger().post(link)):
        assert refused.status_code == 410
        assert "expired" in refused.text


def test_a_new_link_ends_the_old_one(site: Site, house: House) -> None:
    old = link_in(site.stranger().post("/open", opening(house)))

    def renew(work: Work) -> str:
        ticket = work.session.query(Ticket).one()
        assert ticket.customer_id is not None
        return make_link(work, ticket.id, ticket.customer_id, 7)

    new = site.do(renew)
    assert site.stranger().post(old).status_code == 410
    assert site.stranger().post(f"/link/{new}").status_code == 303


@pytest.mark.parametrize("secret", ["nothing", "%00", "%ff%fe", "x" * 3000, "..%2f..%2fetc", "%F0%9F%98%80"])
def test_what_is_no_link_of_ours(site: Site, house: House, secret: str) -> None:
    assert site.stranger().get(f"/link/{secret}").status_code in (404, 410)
    assert site.stranger().post(f"/link/{secret}").status_code in (404, 405, 410)


def test_bad_input_does_not_use_the_link_up(site: Site, house: House) -> None:
    visitor = site.stranger()
    link = link_in(visitor.post("/open", opening(house)))
    assert visitor.post(link, {"case": "2"}).status_code == 422
    assert visitor.post(link, Origin="https://elsewhere.example").status_code == 403
    assert visitor.http.post(link, json={}, headers={"Origin": site.url}).status_code == 415
    assert visitor.post(link).status_code == 303


def test_the_secret_stays_out_of_referrers(site: Site, house: House) -> None:
    visitor = site.stranger()
    link = link_in(visitor.post("/open", opening(house)))
    answers = [visitor.get(link), visitor.post(link), visitor.get(link), site.stranger().get(link)]
    assert {answer.headers["referrer-policy"] for answer in answers} == {"strict-origin"}


def test_the_secret_stays_out_of_the_logs(sqlite_backend: Backend, serve: Callable[..., App]) -> None:
    app = serve(sqlite_backend, env={"SWARM_LOG__LEVEL": "debug"})
    with httpx2.Client(base_url=app.url, headers={"Accept": "text/html", "Origin": app.url}) as browser:
        password = "a long enough password"
        ada = {"name": "Ada", "email": "ada@example.org", "password": password, "again": password}
        assert browser.post("/set-up", data=ada).status_code == 303
        team = re.findall(r'(?:<option|name="team") value="(\d+)"', browser.get("/open").text)[0]
        link = link_in(browser.post("/open", data=opening(House(0, 0, int(team), 0))))
        nothing = {"Content-Type": "application/x-www-form-urlencoded"}
        answers = [browser.get(link), browser.post(link, headers=nothing), browser.get(link + "x")]
    assert [answer.status_code for answer in answers] == [200, 303, 410]
    app.stop()
    assert "swarm is at" in app.output
    for secret in (link.rpartition("/")[2], password):
        assert secret not in app.output


def test_the_browser_forgets_after_the_days_to_follow(site: Site, house: House) -> None:
    visitor, number = enter(site, house)
    site.clock.move(days=59)
    assert visitor.get(f"/case/{number}").status_code == 200
    site.clock.move(days=2)
    gone = visitor.get(f"/case/{number}")
    assert gone.status_code == 401
    assert "Ask the person who looks after your ticket" in gone.text


def test_guessing_is_slowed(backend: Backend) -> None:
    with serve_site(backend, limits__links_per_minute="3") as site:
        furnish(site)
        visitor = site.stranger()
        statuses = [visitor.get(f"/link/guess-{turn}").status_code for turn in range(4)]
        assert statuses == [410, 410, 410, 429]


def test_the_owner_ends_what_links_opened_and_a_new_one_opens_it_again(site: Site, house: House) -> None:
    customer, owner = site.stranger(), site.person(house.mira)
    link = link_in(customer.post("/open", opening(house)))
    case = customer.post(link).headers["location"]
    number = int(case.rpartition("/")[2])
    assert customer.get(case).status_code == 200
    assert customer.post(f"/tickets/{number}/link/end").status_code in (303, 401)
    assert customer.get(case).status_code == 200

    assert owner.post(f"/tickets/{number}/link/end").status_code == 303
    assert customer.get(case).status_code == 404
    assert customer.post(link).status_code == 410
    assert "ended the customer" in owner.get(f"/tickets/{number}").text

    again = owner.post(f"/tickets/{number}/link").text
    path = re.search(r"/link/[\w-]+", again)
    assert path and customer.post(path[0]).status_code == 303
    assert customer.get(case).status_code == 200
