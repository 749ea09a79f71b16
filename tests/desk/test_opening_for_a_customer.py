"""A colleague writes down a customer's case, once."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from swarm.people.models import Customer
from swarm.tickets.models import Message, Ticket
from swarm.tickets.queries import tags_of
from tests.support.site import Site
from tests.support.town import Town


def form(town: Town, **other: object) -> dict[str, object]:
    return {
        "team": town.teams["hive"],
        "name": "Bo Chen",
        "email": "Bo@Example.org",
        "company": "Chen & Sons",
        "language": "nl",
        "subject": "The phone is dead",
        "body": "It never rings.",
        "priority": 2,
        "category": "phones",
        "tags": "Phone, hardware, phone",
        "client_id": "0123456789abcdef",
        **other,
    }


def count(site: Site, table: type) -> int:
    return site.look(lambda work: work.session.scalar(select(func.count()).select_from(table)) or 0)


def test_the_ticket_has_everything_and_an_owner_at_once(site: Site, town: Town) -> None:
    ina = site.person(town.people["ina"])
    assert "Open the ticket" in ina.get("/tickets/new").text
    answer = ina.post("/tickets", form(town))
    assert answer.status_code == 303
    number = int(answer.headers["location"].rpartition("/")[2])
    assert ina.get(f"/tickets/{number}").status_code == 200

    def look(work):
        ticket = work.session.get_one(Ticket, number)
        customer = work.session.get_one(Customer, ticket.customer_id)
        first = work.session.scalars(select(Message).where(Message.ticket_id == number)).one()
        return ticket, customer, first, tags_of(work.session, [number])[number]

    ticket, customer, first, tags = site.look(look)
    assert (ticket.subject, ticket.language, ticket.priority, ticket.category) == (
        "The phone is dead",
        "nl",
        2,
        "phones",
    )
    assert (ticket.owner_id, ticket.queued_for, ticket.imported) == (town.people["hugo"], 0, False)
    assert (customer.name, customer.email, customer.company) == ("Bo Chen", "bo@example.org", "Chen & Sons")
    assert (first.lane, first.body, first.author) == ("lane", "It never rings.", f"customer:{customer.id}")
    assert tags == ["hardware", "phone"]


def test_sending_twice_lands_on_the_same_ticket_even_at_once(site: Site, town: Town) -> None:
    before = count(site, Customer)
    tabs = [site.person(town.people["ina"]) for _number in range(4)]
    with ThreadPoolExecutor(4) as together:
        answers = list(together.map(lambda tab: tab.post("/tickets", form(town)), tabs))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert count(site, Ticket) == 1
    assert count(site, Customer) == before + 1


def test_another_case_under_the_same_form_is_refused_and_kept(site: Site, town: Town) -> None:
    ina = site.person(town.people["ina"])
    ina.post("/tickets", form(town))
    answer = ina.post("/tickets", form(town, subject="Another thing"))
    assert answer.status_code == 409
    assert "Another thing" in answer.text
    assert "0123456789abcdef" not in answer.text
    assert count(site, Ticket) == 1


def test_what_is_wrong_stands_at_its_field_and_the_rest_is_kept(site: Site, town: Town) -> None:
    ina = site.person(town.people["ina"])
    for wrong, words in (
        ({"subject": ""}, "This is needed."),
        ({"email": "nobody"}, "This is no e-mail address"),
        ({"tags": ",".join(map(str, range(21)))}, "at most 20 tags"),
        ({"language": "xx"}, "Choose one of the offered."),
    ):
        answer = ina.post("/tickets", form(town, **wrong))
        assert answer.status_code == 422
        assert words in answer.text
        assert "It never rings." in answer.text
    assert count(site, Ticket) == 0


def test_only_in_a_team_of_ones_own(site: Site, town: Town) -> None:
    ina, mona = site.person(town.people["ina"]), site.person(town.people["mona"])
    refused = ina.post("/tickets", form(town, team=town.teams["ladder"]))
    assert refused.status_code == 403
    assert "It never rings." in refused.text
    assert mona.post("/tickets", form(town, team=town.teams["ladder"])).status_code == 303
    assert ina.post("/tickets", form(town, team=999_999)).status_code in (403, 404)
    assert "You are in no team" in site.person(town.people["paul"]).get("/tickets/new").text
