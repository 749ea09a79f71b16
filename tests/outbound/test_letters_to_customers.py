"""Customers hear of their case by mail: once, together, in a thread that holds, and never of the room."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

import pytest

from swarm.people.models import Customer
from swarm.store import Work
from swarm.tickets.actions import reopen, resolve, take
from swarm.tickets.models import Ticket
from swarm.tickets.posting import post
from tests.outbound.conftest import Serve
from tests.outbound.rows import body, mails, until
from tests.portal.house import House, enter, furnish, opening, staff_says
from tests.support.site import Site, Visitor, text_of
from tests.support.smtp import Mailbox
from tests.support.town import Town, build

LINK = re.compile(r"/link/[\w-]{43}")


@pytest.fixture
def house(site: Site) -> House:
    return furnish(site)


@pytest.fixture
def gathering(serve_with_mail: Serve) -> Iterator[Site]:
    """A swarm that gathers what it has to say for a minute."""
    with serve_with_mail(mail__gather_seconds="60") as site:
        yield site


def taken(town: Town) -> int:
    """A ticket that Ina owns."""
    ticket = town.open("hive")
    town.act("ina", take, ticket)
    return ticket


def answer(town: Town, ticket: int, text: str) -> None:
    town.act("ina", post, ticket, "lane", text, secrets.token_hex(8))


def settled(site: Site, count: int) -> list[str]:
    """The states of so many letters, once none waits."""
    rows = until(site, lambda rows: len(rows) == count and all(row.state != "waiting" for row in rows))
    return [row.state for row in rows]


def test_who_opens_a_case_gets_a_letter_with_a_link_that_works(
    site: Site, house: House, mailbox: Mailbox
) -> None:
    opened = site.stranger().post("/open", opening(house, subject="Buy cheap pills", name="Win a prize"))
    [letter] = mailbox.wait(letters=1)
    assert letter["To"] == "laura@kemp.example.org"
    assert letter["Subject"] == "[SW-1] We received your request"
    words = str(letter)
    assert "pills" not in words and "prize" not in words, "anybody can type anybody's address"
    link = LINK.search(body(letter, "plain"))
    assert link is not None and link[0] in body(letter, "html")
    visitor = site.stranger()
    assert visitor.get(link[0]).status_code == 200
    assert visitor.post(link[0]).headers["location"] == "/case/1"
    shown = LINK.search(opened.text)
    assert shown is not None and site.stranger().get(shown[0]).status_code == 200, (
        "the page's own still works"
    )


def test_one_address_is_not_flooded_by_whoever_types_it(site: Site, house: House, mailbox: Mailbox) -> None:
    for _each in range(7):
        assert site.stranger().post("/open", opening(house)).status_code == 201
    states = settled(site, 7)
    assert len(mailbox.letters) == states.count("sent") <= 5


def test_a_case_opened_by_a_colleague_is_told_of_by_name(site: Site, town: Town, mailbox: Mailbox) -> None:
    form = {
        "team": town.teams["hive"],
        "name": "Ana Duarte",
        "email": "ana@example.org",
        "subject": "Phone is dead",
        "body": "Customer called",
        "client_id": secrets.token_hex(8),
    }
    assert site.person(town.people["ina"]).post("/tickets", form).status_code == 303
    [letter] = mailbox.wait(letters=1)
    assert letter["To"] == "Ana Duarte <ana@example.org>"
    assert letter["Subject"].endswith("Phone is dead")


def test_an_answer_arrives_with_its_text_and_its_author(site: Site, town: Town, mailbox: Mailbox) -> None:
    ticket = taken(town)
    mailbox.wait(letters=1)
    answer(town, ticket, "Press **here**.\n\n<script>alert(1)</script>")
    letter = mailbox.wait(letters=2)[1]
    assert letter["Subject"] == f"[SW-{ticket}] The printer is on fire"
    assert "Ina wrote:" in body(letter, "plain") and "| Press **here**." in body(letter, "plain")
    html = body(letter, "html")
    assert "<strong>here</strong>" in html and "<script" not in html
    assert len({one["References"] for one in mailbox.letters}) == 1, "they stay together"
    assert letter["In-Reply-To"] == letter["References"] != letter["Message-ID"]
    assert letter["Auto-Submitted"] == "auto-generated"


def test_several_answers_within_a_minute_are_one_letter(gathering: Site, mailbox: Mailbox) -> None:
    town = build(gathering.store)
    ticket = taken(town)
    mailbox.wait(letters=1)
    for text in ("First", "Second", "Third"):
        answer(town, ticket, text)
    town.act("ina", resolve, ticket)
    gathering.clock.move(seconds=61)
    letter = mailbox.wait(letters=2)[1]
    words = body(letter, "plain")
    assert words.index("| First") < words.index("| Second") < words.index("| Third")
    assert words.count("Ina wrote:") == 3 and "hold it for resolved" in words
    assert settled(gathering, 2) == ["sent", "sent"]
    answer(town, ticket, "Fourth")
    gathering.clock.move(seconds=61)
    assert "First" not in body(mailbox.wait(letters=3)[2], "plain")


def test_what_the_customer_has_read_by_then_is_not_sent(gathering: Site, mailbox: Mailbox) -> None:
    town = build(gathering.store)
    ticket = taken(town)
    mailbox.wait(letters=1)
    answer(town, ticket, "Seen")
    customer = gathering.customer(ticket)
    page = customer.get(f"/case/{ticket}").text
    assert f'data-read-url="/case/{ticket}/read"' in page
    seen = max(int(seq) for seq in re.findall(r'data-seq="(\d+)"', page))
    assert customer.post(f"/case/{ticket}/read", {"lane": "lane", "seq": seen}).status_code == 303
    gathering.clock.move(seconds=61)
    assert settled(gathering, 2) == ["sent", "dropped"]
    answer(town, ticket, "Unseen")
    gathering.clock.move(seconds=61)
    words = body(mailbox.wait(letters=2)[1], "plain")
    assert "Unseen" in words and "| Seen" not in words


def test_who_turns_letters_off_gets_none_until_they_turn_them_on(
    site: Site, house: House, mailbox: Mailbox
) -> None:
    laura, ticket = enter(site, house)
    mailbox.wait(letters=1)
    assert "reach you by mail" in text_of(laura.get(f"/case/{ticket}").text)
    assert laura.post(f"/case/{ticket}/letters", {"letters": "off"}).status_code == 303
    page = text_of(laura.get(f"/case/{ticket}").text)
    assert "No letters about this case" in page and "Laura Kemp wants no more letters" in page
    staff_says(site, house.mira, ticket, "lane", "Unheard")
    assert len(mails(site)) == 1
    laura.post(f"/case/{ticket}/letters", {"letters": "on"})
    staff_says(site, house.mira, ticket, "lane", "Heard")
    assert "Unheard" not in body(mailbox.wait(letters=2)[1], "plain")


def test_what_was_on_its_way_when_letters_were_turned_off_stays(gathering: Site, mailbox: Mailbox) -> None:
    town = build(gathering.store)
    ticket = taken(town)
    mailbox.wait(letters=1)
    answer(town, ticket, "Too late")
    gathering.customer(ticket).post(f"/case/{ticket}/letters", {"letters": "off"})
    gathering.clock.move(seconds=61)
    assert settled(gathering, 2) == ["sent", "dropped"]


def test_resolved_and_opened_again_are_told_and_what_the_customer_did_is_not(
    site: Site, house: House, mailbox: Mailbox
) -> None:
    laura, ticket = enter(site, house)
    mailbox.wait(letters=1)
    town = Town(site.store, {"mira": house.mira}, {}, {}, 0)
    town.act("mira", take, ticket)
    town.act("mira", resolve, ticket)
    assert "hold it for resolved" in body(mailbox.wait(letters=2)[1], "plain")
    town.act("mira", reopen, ticket)
    assert "open again" in body(mailbox.wait(letters=3)[2], "plain")
    town.act("mira", resolve, ticket)
    mailbox.wait(letters=4)
    form = {"body": "It is not solved", "client_id": secrets.token_hex(8)}
    assert laura.post(f"/case/{ticket}/messages", form).status_code == 303
    assert settled(site, 4) == ["sent"] * 4, "they know that they wrote"


def test_who_has_no_address_or_an_impossible_one_holds_up_nobody(
    site: Site, town: Town, mailbox: Mailbox
) -> None:
    silent, odd, good = taken(town), taken(town), taken(town)
    mailbox.wait(letters=3)

    def spoil(work: Work) -> None:
        for ticket, email in ((silent, None), (odd, "a@b\r\nBcc: x@example.org")):
            made = Customer(name="X\r\nBcc: y@example.org", email=email, created_at=work.now)
            work.session.add(made)
            work.session.flush()
            work.session.get_one(Ticket, ticket).customer_id = made.id

    site.do(spoil)
    for ticket in (silent, odd, good):
        answer(town, ticket, "An answer")
    rows = until(site, lambda rows: len(rows) == 5 and all(row.state != "waiting" for row in rows))
    assert [row.state for row in rows[3:]] == ["parked", "sent"]
    assert all(one["Bcc"] is None for one in mailbox.letters)


def test_a_house_that_does_not_write_to_customers_keeps_nothing_for_later(
    serve_with_mail: Serve, mailbox: Mailbox
) -> None:
    with serve_with_mail(mail__customers="false") as site:
        town = build(site.store)
        answer(town, taken(town), "Hello")
        page = site.customer(1).get("/case/1").text
        assert mails(site) == [] and "by mail" not in page
    with serve_with_mail() as later:
        answer(town.through(later.store), 1, "From now on")
        [letter] = mailbox.wait(letters=1)
        assert "Hello" not in body(letter, "plain").replace("Hello Ana", "")


def test_only_the_case_s_own_customer_says_how_they_follow(site: Site, house: House) -> None:
    _laura, ticket = enter(site, house)
    other, _other = enter(site, house, email="olu@example.org")
    mira: Visitor = site.person(house.mira)
    for visitor, status in ((other, 404), (site.stranger(), 401), (mira, 401)):
        for path, form in (("letters", {"letters": "off"}), ("read", {"seq": 1})):
            assert (
                visitor.post(f"/case/{ticket}/{path}", form, Accept="application/json").status_code == status
            )
    assert site.customer(ticket).post(f"/case/{ticket}/letters", {"letters": "maybe"}).status_code == 422


def test_two_workers_write_each_letter_once(serve_with_mail: Serve, mailbox: Mailbox) -> None:
    with serve_with_mail() as site, serve_with_mail() as other:
        town = build(site.store)
        tickets = [taken(town) for _each in range(5)]
        for number in range(3):
            for ticket in tickets:
                answer(town.through((site, other)[number % 2].store), ticket, f"answer {number}")
        until(site, lambda rows: len(rows) >= 10 and all(row.state == "sent" for row in rows))
        words = "".join(body(one, "plain") for one in mailbox.letters)
        assert [words.count(f"| answer {number}") for number in range(3)] == [5, 5, 5], "each once"
        ids = [one["Message-ID"] for one in mailbox.letters]
        assert len(ids) == len(set(ids))
