"""A link lets one browser in, once; looking at it costs nothing, and each refusal says whom to ask."""

from __future__ import annotations

import pytest

from swarm.people.models import Guest
from tests.guests.conftest import Desk, say
from tests.portal.house import at_once
from tests.support.backends import Backend
from tests.support.site import Site, serve_site


def test_looking_does_not_use_the_link_up_and_tells_nothing_of_the_ticket(desk: Desk) -> None:
    link = desk.invite()
    scanner = desk.site.stranger()
    for _ in range(3):
        looked = scanner.get(link)
        assert looked.status_code == 200
        assert "Ina asks for your help" in looked.text and "Hello Rui" in looked.text
        assert "printer" not in looked.text and f"SW-{desk.ticket}" not in looked.text
        assert "set-cookie" not in looked.headers
        assert looked.headers["referrer-policy"] == "strict-origin"
    assert scanner.http.head(link).status_code == 200
    assert scanner.post(link, {"guest": "1"}).status_code == 422
    assert scanner.post(link, Origin="https://elsewhere.example").status_code == 403
    assert desk.site.stranger().post(link).status_code == 303


def test_a_used_link_opens_nothing_elsewhere_and_says_whom_to_ask(desk: Desk) -> None:
    link = desk.invite()
    rui = desk.site.stranger()
    came = rui.post(link)
    cookie = came.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie
    assert rui.get(came.headers["location"]).status_code == 200
    for refused in (rui.get(link), rui.post(link), desk.site.stranger().get(link)):
        assert refused.status_code == 410
        assert "used before" in refused.text and "Ask Ina" in refused.text
        assert "printer" not in refused.text
    assert desk.site.stranger().get(came.headers["location"]).status_code == 404


def test_of_six_browsers_at_once_one_comes_in(desk: Desk) -> None:
    link = desk.invite()
    statuses = at_once(6, lambda: desk.site.stranger().post(link).status_code)
    assert sorted(statuses) == [303, 410, 410, 410, 410, 410]


def test_a_link_expires_and_so_does_what_it_opened(desk: Desk) -> None:
    late = desk.invite("Late")
    rui, page = desk.guest()
    desk.site.clock.move(hours=49)
    refused = desk.site.stranger().post(late)
    assert refused.status_code == 410 and "expired" in refused.text and "Ask Ina" in refused.text
    assert rui.get(page).status_code == 200
    desk.site.clock.move(days=7)
    assert rui.get(page).status_code == 404
    assert say(rui, page, "Am I still here?").status_code == 404


def test_a_link_that_was_taken_back_opens_nothing(desk: Desk) -> None:
    link = desk.invite()
    page = f"/guest/{desk.site.look(lambda work: work.session.query(Guest).one().id)}"
    assert desk.withdraw(page).status_code == 303
    refused = desk.site.stranger().post(link)
    assert refused.status_code == 410 and "invitation is over" in refused.text and "Ina" in refused.text


@pytest.mark.parametrize("secret", ["nothing", "%00", "%ff%fe", "x" * 3000, "..%2f..%2fetc", "%F0%9F%98%80"])
def test_what_is_no_link_of_ours(desk: Desk, secret: str) -> None:
    assert desk.site.stranger().get(f"/join/{secret}").status_code in (404, 410)
    assert desk.site.stranger().post(f"/join/{secret}").status_code in (404, 405, 410)


def test_guessing_is_slowed(backend: Backend) -> None:
    with serve_site(backend, limits__links_per_minute="3") as site:
        visitor = site.stranger()
        statuses = [visitor.get(f"/join/guess-{turn}").status_code for turn in range(4)]
        assert statuses == [410, 410, 410, 429]


def test_only_hashes_of_secrets_are_kept(desk: Desk) -> None:
    link = desk.invite().rpartition("/")[2]
    rui, page = desk.guest("Ria")
    cookies = [cookie.value for cookie in rui.http.cookies.jar]
    rows = desk.site.look(
        lambda work: [
            (one.link, one.session, one.name, one.email)
            for one in work.session.query(Guest).order_by(Guest.id)
        ]
    )
    assert link not in repr(rows) and cookies[0] and cookies[0] not in repr(rows)
    assert len(rows) == 2 and page


def test_one_browser_is_a_guest_of_two_tickets_and_each_ends_by_itself(desk: Desk) -> None:
    rui, first = desk.guest()
    second = rui.post(desk.invite("Rui again")).headers["location"]
    assert rui.get(first).status_code == rui.get(second).status_code == 200
    assert rui.post(f"{first}/leaving").status_code == 200
    assert rui.get(first).status_code == 404
    assert rui.get(second).status_code == 200


class TestWhoInvites:
    """The mode says; the same rule decides the button and the action."""

    def test_nobody_but_the_owner_of_a_tierless_ticket(self, desk: Desk) -> None:
        form = {"name": "Rui"}
        for who, status in (("hugo", 403), ("mona", 403), ("paul", 404)):
            assert desk.person(who).post(f"/tickets/{desk.ticket}/guests", form).status_code == status
        page = desk.person("mona").get(f"/tickets/{desk.ticket}").text
        assert "Invite a guest" not in page
        assert "Invite a guest" in desk.ina.get(f"/tickets/{desk.ticket}").text
        mona = desk.person("mona")
        assert mona.post(f"/tickets/{desk.ticket}/owner", {"seen": 2}).status_code == 303
        assert mona.post(f"/tickets/{desk.ticket}/guests", form).status_code == 200
        assert desk.ina.post(f"/tickets/{desk.ticket}/guests", form).status_code == 403

    def test_on_a_tiered_ticket_the_refusal_says_where_to_escalate(self, site: Site, desk: Desk) -> None:
        climbing = desk.town.open("ladder")
        ben = desk.person("ben")
        assert ben.post(f"/tickets/{climbing}/owner", {"seen": 1}).status_code == 303
        refused = ben.post(f"/tickets/{climbing}/guests", {"name": "Rui"}, Accept="application/json")
        assert refused.status_code == 403
        assert "Escalate it to tier 2" in refused.json()["detail"]

    def test_a_name_is_needed_and_what_was_typed_comes_back(self, desk: Desk) -> None:
        refused = desk.ina.post(f"/tickets/{desk.ticket}/guests", {"name": "", "email": "rui@example.org"})
        assert refused.status_code == 422 and "rui@example.org" in refused.text

    def test_without_a_mail_server_no_address_is_taken(self, desk: Desk) -> None:
        form = {"name": "Rui", "email": "rui@example.org"}
        refused = desk.ina.post(f"/tickets/{desk.ticket}/guests", form)
        assert refused.status_code == 422 and "No mail leaves this house" in refused.text
        assert desk.site.look(lambda work: work.session.query(Guest).count()) == 0

    def test_a_ticket_has_a_limited_number_of_guests(self, desk: Desk) -> None:
        for number in range(10):
            desk.invite(f"Guest {number}")
        refused = desk.ina.post(f"/tickets/{desk.ticket}/guests", {"name": "One more"})
        assert refused.status_code == 422 and "at most 10 guests" in refused.text
