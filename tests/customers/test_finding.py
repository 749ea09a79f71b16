"""Found while somebody types: customers where a ticket is opened, tickets and customers from anywhere."""

from __future__ import annotations

from typing import Any

from tests.customers.conftest import Desk


def form(desk: Desk, **other: object) -> dict[str, object]:
    return {
        "team": desk.town.teams["hive"],
        "name": "Ana",
        "email": "ANA@duarte.example",
        "subject": "The phone is dead",
        "body": "It never rings.",
        "client_id": "0123456789abcdef",
        **other,
    }


def found(desk: Desk, who: str, words: str) -> list[dict[str, Any]]:
    answer = desk.person(who).get(f"/find?q={words}")
    assert answer.status_code == 200
    listed: list[dict[str, Any]] = answer.json()["found"]
    return listed


def test_whoever_is_there_already_is_offered_before_a_second_record_is_made(desk: Desk) -> None:
    ana = desk.customer("Ana Duarte", "ana@duarte.example", "Duarte Lda")
    desk.ticket(ana, owner="ina")
    ina = desk.person("ina")
    offered = ina.get("/customers/known?email=ana@duarte.example")
    assert f'value="{ana}"' in offered.text
    assert "Duarte Lda" in offered.text
    asked = ina.post("/tickets", form(desk))
    assert asked.status_code == 422
    assert "There is a customer of this address already" in asked.text
    assert "It never rings." in asked.text
    opened = ina.post("/tickets", form(desk, customer=ana))
    assert opened.status_code == 303
    page = desk.person("hugo").get(f"/customers/{ana}").text
    assert "The phone is dead" in page
    other = ina.post("/tickets", form(desk, customer="new", client_id="fedcba9876543210"))
    assert other.status_code == 303
    assert "Likely the same person" in desk.person("mona").get(f"/customers/{ana}").text


def test_a_customer_who_is_not_for_me_to_see_is_neither_offered_nor_taken(desk: Desk) -> None:
    ana = desk.customer("Ana Duarte", "ana@duarte.example")
    desk.ticket(ana, "ladder")
    ina = desk.person("ina")
    assert str(ana) not in ina.get("/customers/known?email=ana@duarte.example").text.replace("known", "")
    assert ina.post("/tickets", form(desk, customer=ana)).status_code == 404
    assert ina.post("/tickets", form(desk)).status_code == 303


def test_tickets_and_customers_are_found_from_anywhere_by_who_may_see_them(desk: Desk) -> None:
    ana = desk.customer("Ana Duarte", "ana@duarte.example")
    printer = desk.ticket(ana, "hive", subject="The prínter is on fire")
    ladder = desk.ticket(ana, "ladder", subject="Another printer")
    hrefs = [one["href"] for one in found(desk, "ina", "printer")]
    assert hrefs == [f"/tickets/{printer}"]
    assert {one["href"] for one in found(desk, "mona", "printer")} == {
        f"/tickets/{printer}",
        f"/tickets/{ladder}",
    }
    assert found(desk, "ina", f"{printer}")[0]["href"] == f"/tickets/{printer}"
    assert found(desk, "ina", f"{ladder}") == []
    assert [one["href"] for one in found(desk, "ina", "duart")] == [f"/customers/{ana}"]
    assert found(desk, "paul", "duart") == []
    assert found(desk, "ina", "d") == []


def test_searching_has_a_limit(site: Any, desk: Desk) -> None:
    ina = desk.person("ina")
    often = site.settings.limits.searches_per_minute
    assert {ina.get("/find?q=x").status_code for _time in range(often)} == {200}
    assert ina.get("/find?q=x").status_code == 429
