"""Everything about the case: who asks, what they asked before, what colleagues note."""

from __future__ import annotations

from urllib.parse import quote_plus

from tests.customers.conftest import Desk
from tests.support.site import text_of


def record(desk: Desk, customer: int, **other: object) -> dict[str, object]:
    row = desk.record(customer)
    return {
        "version": row.version,
        "name": row.name,
        "email": row.email or "",
        "company": row.company,
        "phone": row.phone,
        "language": row.language,
        "timezone": row.timezone,
        **other,
    }


def test_the_owner_changes_it_and_everybody_on_the_ticket_sees_it(desk: Desk) -> None:
    ana = desk.customer("Ana Duarte", "ana@duarte.example")
    ticket = desk.ticket(ana, owner="ina")
    ina = desk.person("ina")
    answer = ina.post(
        f"/customers/{ana}",
        record(desk, ana, company="Duarte Lda", phone="+351 21 555", timezone="Europe/Lisbon", language="pt"),
    )
    assert answer.status_code == 303
    noted = ina.post(
        f"/customers/{ana}/notes", {"version": 2, "notes": "Calls on\nMondays.", "ticket": ticket}
    )
    assert (noted.status_code, noted.headers["location"]) == (303, f"/tickets/{ticket}")
    beside = desk.person("hugo").get(f"/tickets/{ticket}/side").text
    for words in ("Duarte Lda", "+351 21 555", "Calls on\nMondays.", "with them"):
        assert words in beside
    page = text_of(desk.person("hugo").get(f"/customers/{ana}").text)
    assert "Ina changed the company, the phone number, the language, the time zone" in page
    assert "Ina changed the notes" in page


def test_who_sees_a_ticket_sees_the_customer_and_for_others_there_is_none(desk: Desk) -> None:
    ana = desk.customer("Ana Duarte", "ana@duarte.example")
    desk.ticket(ana, "hive", owner="ina")
    elsewhere = desk.ticket(ana, "ladder", subject="Only for the ladder")
    for address in (f"/customers/{ana}", f"/customers/{ana}/about"):
        assert desk.person("hugo").get(address).status_code == 200
        assert desk.person("mona").get(address).status_code == 200
        hidden, unknown = desk.person("paul").get(address), desk.person("paul").get("/customers/99999")
        assert hidden.status_code == unknown.status_code == 404
    assert "Only for the ladder" not in desk.person("hugo").get(f"/customers/{ana}").text
    assert f"/tickets/{elsewhere}" in desk.person("mona").get(f"/customers/{ana}").text
    assert "Ana Duarte" not in desk.person("paul").get("/customers?q=ana").text
    assert (
        desk.person("paul").post(f"/customers/{ana}/notes", {"version": 1, "notes": "x"}).status_code == 404
    )


def test_who_owns_none_of_their_tickets_reads_and_does_not_change(desk: Desk) -> None:
    ana = desk.customer("Ana Duarte")
    ticket = desk.ticket(ana, owner="ina")
    hugo = desk.person("hugo")
    refused = hugo.post(f"/customers/{ana}/notes", {"version": 1, "notes": "Mine"})
    assert refused.status_code == 403
    assert "Who owns a ticket of this customer" in text_of(refused.text)
    assert "Save the notes" not in hugo.get(f"/tickets/{ticket}/side").text
    assert (
        desk.person("mona").post(f"/customers/{ana}/notes", {"version": 1, "notes": "Yes"}).status_code == 303
    )


def test_of_two_who_write_at_once_the_second_is_told_and_keeps_their_words(desk: Desk) -> None:
    ana = desk.customer("Ana Duarte")
    desk.ticket(ana, owner="ina")
    ina, mona = desk.person("ina"), desk.person("mona")
    assert mona.post(f"/customers/{ana}/notes", {"version": 1, "notes": "From Mona"}).status_code == 303
    second = ina.post(f"/customers/{ana}/notes", {"version": 1, "notes": "From Ina"})
    assert second.status_code == 409
    assert "From Ina" in second.text
    assert "From Mona" in second.text
    assert desk.record(ana).notes == "From Mona"
    again = ina.post(f"/customers/{ana}/notes", {"version": 2, "notes": "From Mona and Ina"})
    assert again.status_code == 303
    assert desk.record(ana).notes == "From Mona and Ina"


def test_a_customer_is_found_by_the_beginning_of_any_word_whatever_its_accents(desk: Desk) -> None:
    for name, email, company in (
        ("José Peña", "jose@oficina.example", "Oficina Ñandú"),
        ("Zoë Öberg", "z.oberg@nord.example", ""),
    ):
        desk.ticket(desk.customer(name, email, company), owner="ina")
    ina = desk.person("ina")
    for words in ("jose", "PENA", "pen jos", "oficina.ex", "nandu", "jose@ofi", "José Peña"):
        found = ina.get(f"/customers?q={quote_plus(words)}")
        assert "José Peña" in found.text, words
        assert "Zoë" not in found.text, words
    assert "Zoë" in ina.get("/customers?q=oberg").text
    assert "Nobody" in ina.get("/customers?q=nobody+knows").text


def test_the_list_and_their_tickets_go_on_page_by_page(desk: Desk) -> None:
    ana = desk.customer("Ana Duarte")
    numbers = [desk.ticket(ana, subject=f"Case {number}") for number in range(22)]
    mona = desk.person("mona")
    first = mona.get(f"/customers/{ana}").text
    older = first.partition('href="/customers/')[2]
    assert f"/tickets/{numbers[-1]}" in first
    assert f'href="/tickets/{numbers[0]}"' not in first
    cursor = first.rpartition("?cursor=")[2].partition('"')[0]
    assert older and f'href="/tickets/{numbers[0]}"' in mona.get(f"/customers/{ana}?cursor={cursor}").text
    assert mona.get(f"/customers/{ana}?cursor=nonsense").status_code == 400


def test_no_word_of_the_notes_reaches_the_customer(desk: Desk) -> None:
    ana = desk.customer("Ana Duarte", "ana@duarte.example")
    ticket = desk.ticket(ana, owner="ina")
    customer = desk.site.customer(ticket)
    with customer.socket({f"lane:{ticket}": 0}, "/live/case") as wire:
        ina = desk.person("ina")
        ina.post(f"/customers/{ana}/notes", {"version": 1, "notes": "secret-4711"})
        assert ina.say(ticket, "lane", "Hello there").status_code == 303
        wire.until(lambda frame: "Hello there" in str(frame))
        assert "secret-4711" not in str(wire.frames)
    for address in (f"/case/{ticket}", f"/case/{ticket}/head", f"/case/{ticket}/foot", "/open"):
        assert "secret-4711" not in customer.get(address).text


def test_what_colleagues_wrote_down_is_not_put_into_a_customers_form(desk: Desk) -> None:
    ana = desk.customer("Ana Duarte", "ana@duarte.example")
    ticket = desk.ticket(ana, owner="ina")
    customer = desk.site.customer(ticket)
    assert "ana@duarte.example" in customer.get("/open").text
    desk.person("ina").post(f"/customers/{ana}", record(desk, ana, company="Found out by Ina"))
    assert "Found out by Ina" not in customer.get("/open").text


def test_screens_that_show_it_are_drawn_anew(desk: Desk) -> None:
    ana = desk.customer("Ana Duarte")
    desk.ticket(ana, owner="ina")
    hugo, paul = desk.person("hugo"), desk.person("paul")
    with hugo.socket({f"customer:{ana}": 0}) as seen, paul.socket({f"customer:{ana}": 0}) as hidden:
        assert (
            hidden.until(lambda frame: frame["t"] in ("refused", "gone", "closed", "caught_up"))["t"]
            != "caught_up"
        )
        desk.person("ina").post(f"/customers/{ana}/notes", {"version": 1, "notes": "Something"})
        frame = seen.event("customer.changed", f"customer:{ana}")
    assert frame["do"] == [["refresh", f".customer-{ana}"]]
