"""A customer opens a ticket: once, whole, or not at all and with everything kept."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from swarm.accounts.models import Link
from swarm.people.models import Customer
from swarm.tickets.models import Message, Ticket
from tests.portal.house import (
    House,
    at_once,
    bodies,
    enter,
    field_in,
    furnish,
    link_in,
    opening,
    tickets,
)
from tests.support.backends import Backend
from tests.support.site import Site, serve_site, text_of


def test_an_opened_ticket_has_an_owner_a_mode_and_the_customers_words(site: Site, house: House) -> None:
    answer = site.stranger().post("/open", opening(house))
    assert answer.status_code == 201
    ticket = site.look(lambda work: work.session.scalars(select(Ticket)).one())
    customer = site.look(lambda work: work.session.scalars(select(Customer)).one())
    assert (ticket.owner_id, ticket.mode, ticket.status, ticket.priority) == (
        house.mira,
        "tierless",
        "open",
        1,
    )
    assert (ticket.language, ticket.subject, ticket.imported) == ("en", "The export stops", False)
    assert (customer.name, customer.email, customer.company) == (
        "Laura Kemp",
        "laura@kemp.example.org",
        "Kemp Flowers",
    )
    assert bodies(site, ticket.id) == ["It stops at **40 %**."]
    assert f"Your ticket SW-{ticket.id}" in answer.text
    assert link_in(answer).startswith("/link/")
    assert "mail" not in text_of(answer.text).lower()


def test_the_link_is_kept_as_a_hash_only(site: Site, house: House) -> None:
    form = opening(house)
    secret = link_in(site.stranger().post("/open", form)).rpartition("/")[2]
    kept = site.look(lambda work: work.session.scalars(select(Link)).one())
    ticket = site.look(lambda work: work.session.scalars(select(Ticket)).one())
    for value in (kept.key, ticket.external_id, ticket.digest):
        assert value is not None
        assert secret not in value
        assert form["client_id"] not in value


def test_a_double_submit_opens_one_ticket_and_shows_the_same_link(site: Site, house: House) -> None:
    form, visitor = opening(house), site.stranger()
    first, second = visitor.post("/open", form), visitor.post("/open", form)
    assert (first.status_code, second.status_code) == (201, 201)
    assert link_in(first) == link_in(second)
    assert tickets(site) == 1
    assert visitor.post(link_in(second)).status_code == 303


def test_the_same_form_six_times_at_the_same_moment(site: Site, house: House) -> None:
    form = opening(house)
    answers = at_once(6, lambda: site.stranger().post("/open", form))
    assert [answer.status_code for answer in answers] == [201] * 6
    assert len({link_in(answer) for answer in answers}) == 1
    assert tickets(site) == 1


def test_the_same_form_with_another_text_is_refused_once_and_keeps_it(site: Site, house: House) -> None:
    form, visitor = opening(house), site.stranger()
    visitor.post("/open", form)
    again = visitor.post("/open", {**form, "body": "Something else altogether."})
    assert again.status_code == 409
    assert field_in(again, "body") == "Something else altogether."
    assert field_in(again, "client_id") != form["client_id"]
    assert tickets(site) == 1
    second = {**form, "body": "Something else altogether.", "client_id": field_in(again, "client_id")}
    assert visitor.post("/open", second).status_code == 201
    assert tickets(site) == 2


def test_one_team_needs_no_choice_and_several_do(site: Site, house: House) -> None:
    refused = site.stranger().post("/open", opening(house, team=""))
    assert refused.status_code == 422
    assert "Choose what it is about." in refused.text


def test_a_browser_that_follows_a_ticket_follows_the_next_one_too(site: Site, house: House) -> None:
    visitor, first = enter(site, house)
    assert field_in(visitor.get("/open"), "email") == "laura@kemp.example.org"
    _, second = enter(site, house, visitor, subject="Another thing")
    assert second != first
    assert visitor.get(f"/case/{first}").status_code == 200
    assert visitor.get(f"/case/{second}").status_code == 200
    home = text_of(visitor.get("/").text)
    assert "The export stops" in home
    assert "Another thing" in home


def test_another_address_in_the_same_browser_is_another_customer_and_both_are_followed(
    site: Site, house: House
) -> None:
    visitor, first = enter(site, house)
    _, second = enter(site, house, visitor, email="somebody@else.example.org")
    for number in (first, second):
        visitor.post(f"/case/{number}/messages", {"body": "Still so", "client_id": f"still-so-{number}"})
    writers = site.look(
        lambda work: [
            (message.author, work.session.get_one(Ticket, message.ticket_id).customer_id)
            for message in work.session.scalars(select(Message).where(Message.body == "Still so"))
        ]
    )
    assert len({author for author, _customer in writers}) == 2
    assert all(author == f"customer:{customer}" for author, customer in writers)


BAD: dict[str, tuple[dict[str, Any], int]] = {
    "unknown field": ({"priority": "3"}, 422),
    "owner by hand": ({"owner_id": "1"}, 422),
    "no name": ({"name": None}, 422),
    "only spaces": ({"subject": "   "}, 422),
    "no address": ({"email": "laura"}, 422),
    "two addresses": ({"email": "a@b.example, c@d.example"}, 422),
    "line break in a name": ({"name": "Laura\x00Kemp"}, 422),
    "turned writing": ({"subject": "abc\u202edef"}, 422),
    "long subject": ({"subject": "x" * 201}, 422),
    "long text": ({"body": "x" * 20_001}, 422),
    "language nobody speaks": ({"language": "xx"}, 422),
    "no such team": ({"team": "999999"}, 422),
    "no number": ({"team": "billing"}, 422),
    "enormous number": ({"team": "9" * 30}, 422),
    "short form id": ({"client_id": "1"}, 422),
    "no form id": ({"client_id": None}, 422),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_opens_nothing_and_keeps_what_was_typed(site: Site, house: House, name: str) -> None:
    wrong, status = BAD[name]
    form = opening(house, **wrong)
    answer = site.stranger().post("/open", form)
    assert answer.status_code == status
    assert tickets(site) == 0
    for field in ("name", "email", "subject", "body"):
        if field in form and "\x00" not in form[field]:
            assert field_in(answer, field) == form[field]
    assert len(field_in(answer, "client_id")) >= 32


def test_what_no_browser_sends(site: Site, house: House) -> None:
    visitor, form = site.stranger(), opening(house)
    own = {"Origin": site.url}
    kinds = {"Content-Type": "application/x-www-form-urlencoded"}
    assert visitor.http.post("/open", json=form, headers=own).status_code == 415
    assert (
        visitor.http.post("/open", content=b"a", headers={**own, "Content-Type": "text/plain"}).status_code
        == 415
    )
    assert visitor.http.post("/open", content=b"name=%ED%A0%80", headers={**own, **kinds}).status_code == 400
    assert visitor.http.post("/open", content=b"name=\xff", headers={**own, **kinds}).status_code == 400
    assert (
        visitor.http.post("/open", content=b"&".join([b"a=1"] * 500), headers={**own, **kinds}).status_code
        == 400
    )
    assert visitor.http.post("/open", content=b"a" * 2_000_000, headers={**own, **kinds}).status_code == 413
    assert visitor.http.put("/open", headers=own).status_code == 405
    assert visitor.post("/open", form, Origin="https://elsewhere.example").status_code == 403
    assert visitor.http.get("/open", params=form).status_code == 200
    assert tickets(site) == 0


def test_words_that_would_be_markup_stay_words(site: Site, house: House) -> None:
    answer = site.stranger().post("/open", opening(house, email="x", subject="<script>alert(1)</script>"))
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    visitor, number = enter(
        site, house, subject="<script>alert(1)</script>", name='"><img src=x onerror=alert(1)>'
    )
    page = visitor.get(f"/case/{number}").text
    assert "<script>alert" not in page
    assert "<img" not in page


def test_too_many_from_one_address_keep_their_text(backend: Backend) -> None:
    with serve_site(backend, limits__opening_per_minute="2") as site:
        house, visitor = furnish(site), site.stranger()
        assert [visitor.post("/open", opening(house)).status_code for _ in range(2)] == [201, 201]
        third = visitor.post("/open", opening(house, body="Please, this too."))
        assert third.status_code == 429
        assert int(third.headers["retry-after"]) > 0
        assert field_in(third, "body") == "Please, this too."
        assert tickets(site) == 2


def test_nobody_to_write_to_is_said(site: Site) -> None:
    page = site.stranger().get("/open")
    assert page.status_code == 200
    assert "Nobody takes tickets here yet" in page.text
