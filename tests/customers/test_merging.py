"""Two records of one person become one, in one step, whatever happens at the same time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from sqlalchemy import func, select, text

from swarm.accounts.actions import make_link
from swarm.customers import actions
from swarm.events import SYSTEM
from swarm.people.models import Customer
from swarm.people.queries import person_actor
from swarm.store import Work
from swarm.tickets.models import Message, Ticket
from tests.customers.conftest import Desk, open_for
from tests.support.site import PATIENCE, Visitor, text_of


def owners_of(desk: Desk) -> dict[int, int | None]:
    """Ticket → customer."""

    def look(work) -> dict[int, int | None]:
        return dict(work.session.execute(select(Ticket.id, Ticket.customer_id)).all())

    return desk.site.look(look)


def notes(desk: Desk, who: Visitor, customer: int, words: str) -> None:
    version = desk.record(customer).version
    assert who.post(f"/customers/{customer}/notes", {"version": version, "notes": words}).status_code == 303


def test_likely_the_same_are_shown_side_by_side_and_become_one(desk: Desk) -> None:
    ana = desk.customer("Ana Duarte", "ana@duarte.example")
    twin = desk.customer("A. Duarte", "ANA@duarte.example", "Duarte Lda")
    namesake = desk.customer("Ána  duarte", "other@example.org", "duarte lda")
    mona = desk.person("mona")
    here, there = desk.ticket(ana, owner="ina"), desk.ticket(twin, "ladder", subject="Second")
    desk.ticket(namesake)
    notes(desk, mona, ana, "Likes tea.")
    notes(desk, mona, twin, "Calls on Mondays.")
    assert f"/customers/{ana}/merge?other={twin}" in mona.get(f"/customers/{ana}").text
    both = text_of(mona.get(f"/customers/{ana}/merge?other={twin}").text)
    assert "This cannot be undone" in both
    assert "Likes tea. Calls on Mondays." in both
    assert desk.merge(mona, ana, twin) == 303

    kept = desk.record(ana)
    assert (kept.company, kept.notes) == ("Duarte Lda", "Likes tea.\n\nCalls on Mondays.")
    assert owners_of(desk)[here] == owners_of(desk)[there] == ana
    page = text_of(mona.get(f"/customers/{ana}").text)
    assert "Also known as: A. Duarte" in page
    assert f"Mona merged record {twin} into this one" in page
    # With its company it is now likely the same as a third.
    assert f"/customers/{ana}/merge?other={namesake}" in mona.get(f"/customers/{ana}").text
    for address in (f"/customers/{twin}", f"/customers/{twin}/merge"):
        assert mona.get(address).headers["location"].startswith(f"/customers/{ana}")
    timeline = text_of(mona.get(f"/tickets/{there}/timeline").text)
    assert f"Mona merged two records of this customer, {twin} into {ana}" in timeline
    assert "Ana Duarte" in mona.get("/customers?q=a.+duarte").text
    assert "A. Duarte" not in mona.get("/customers?q=duarte").text
    audit = text_of(desk.person("root").get("/audit?what=customers").text)
    assert f"Mona merged record {twin} into this one" in audit


def test_only_managers_merge_and_only_what_is_as_they_saw_it(desk: Desk) -> None:
    ana, twin = desk.customer("Ana Duarte", "ana@d.example"), desk.customer("Ana D.", "ana@d.example")
    desk.ticket(ana, owner="ina")
    desk.ticket(twin, owner="ina")
    ina, mona, paul = desk.person("ina"), desk.person("mona"), desk.person("paul")
    assert desk.merge(ina, ana, twin) == 403
    assert ina.get(f"/customers/{ana}/merge").status_code == 403
    assert "Only managers merge records" in text_of(ina.get(f"/customers/{ana}").text)
    assert paul.get(f"/customers/{ana}/merge").status_code == 404
    stale = {"other": twin, "version": 1, "other_version": 1}
    notes(desk, ina, twin, "New")
    answer = mona.post(f"/customers/{ana}/merge", stale)
    assert answer.status_code == 409
    assert "was changed meanwhile" in answer.text
    assert mona.post(f"/customers/{ana}/merge", stale | {"other": ana}).status_code == 422
    assert mona.post(f"/customers/{ana}/merge", stale | {"other": 99999}).status_code == 404
    assert desk.record(twin).merged_into_id is None


def test_a_link_made_before_opens_its_own_ticket_and_no_other(desk: Desk) -> None:
    ana, twin = desk.customer("Ana Duarte", "ana@d.example"), desk.customer("Twin", "ana@d.example")
    hers, theirs = desk.ticket(ana, owner="ina"), desk.ticket(twin, owner="ina")
    browser, unused = desk.site.customer(theirs), desk.site.do(lambda work: make_link(work, theirs, twin, 7))
    sent = {"body": "Still broken", "client_id": "abcdefgh1234"}
    assert browser.post(f"/case/{theirs}/messages", sent).status_code == 303
    notes(desk, desk.person("mona"), ana, "secret-4711")
    assert desk.merge(desk.person("mona"), ana, twin) == 303

    # The message was sent once more after the merge: it is the same one.
    assert browser.post(f"/case/{theirs}/messages", sent).status_code == 303
    said = desk.site.look(
        lambda work: work.session.scalars(select(Message.author).where(Message.body == "Still broken")).all()
    )
    assert said == [f"customer:{ana}"]
    other = desk.site.stranger()
    assert other.post(f"/link/{unused}").status_code == 303
    for who in (browser, other):
        assert who.get(f"/case/{theirs}").status_code == 200
        assert who.get(f"/case/{hers}").status_code == 404
        form = who.get("/open").text
        assert "secret-4711" not in form
        assert "Ana Duarte" not in form


def test_who_opens_another_ticket_from_the_merged_record_is_in_the_kept_one(desk: Desk) -> None:
    ana, twin = desk.customer("Ana Duarte", "ana@d.example"), desk.customer("Twin", "ana@d.example")
    desk.ticket(ana)
    theirs = desk.ticket(twin)
    browser = desk.site.customer(theirs)
    assert desk.merge(desk.person("mona"), ana, twin) == 303
    form = {
        "name": "Twin",
        "email": "ana@d.example",
        "team": desk.town.teams["hive"],
        "subject": "One more",
        "body": "It broke again.",
        "client_id": "x" * 40,
    }
    assert browser.post("/open", form).status_code == 201
    newest = max(owners_of(desk))
    assert owners_of(desk)[newest] == ana
    assert desk.site.look(lambda work: work.session.scalar(select(func.count()).select_from(Customer))) == 3


def test_a_chain_of_merges_leads_to_the_last(desk: Desk) -> None:
    first, second, third = (desk.customer(f"Ana {number}") for number in range(3))
    ticket = desk.ticket(first)
    mona = desk.person("mona")
    assert desk.merge(mona, second, first) == 303
    assert desk.merge(mona, third, second) == 303
    assert owners_of(desk)[ticket] == third
    assert mona.get(f"/customers/{first}").headers["location"] == f"/customers/{third}"
    # A screen that has watched the first record since before hears of changes to the third.
    with mona.socket({f"customer:{first}": 0}) as wire:
        notes(desk, mona, third, "Heard")
        drawn = [["refresh", f".customer-{third}"]]
        wire.until(lambda frame: frame.get("k") == "customer.touched" and frame["do"] == drawn)


def test_both_ways_at_once_one_wins_and_nothing_is_lost(desk: Desk) -> None:
    for _time in range(4):
        one, two = desk.customer("One"), desk.customer("Two")
        tickets = [desk.ticket(one), desk.ticket(two)]
        tabs = [desk.person("mona"), desk.person("max")]
        ways = [(tabs[0], one, two), (tabs[1], two, one)]
        with ThreadPoolExecutor(2) as together:
            answers = sorted(together.map(lambda way: desk.merge(*way), ways))
        assert answers == [303, 409]
        [id_] = {owners_of(desk)[ticket] for ticket in tickets}
        assert id_ is not None
        rows = {id_: desk.record(id_) for id_ in (one, two)}
        assert rows[id_].merged_into_id is None
        assert [row.merged_into_id for row in rows.values() if row.id != id_] == [id_]


def test_a_ticket_that_is_being_opened_while_its_customer_is_merged_is_in_the_kept_record(desk: Desk) -> None:
    mona, (keep, other) = desk.person("mona"), (desk.customer("Keep"), desk.customer("Other"))
    opened, go = Event(), Event()

    def slowly(work: Work) -> int:
        ticket = open_for(work, desk.town.teams["hive"], other)
        opened.set()
        assert go.wait(PATIENCE)
        return ticket

    with ThreadPoolExecutor(2) as together:
        opening = together.submit(desk.site.store.write_now, SYSTEM, slowly)
        assert opened.wait(PATIENCE)
        merging = together.submit(desk.merge, mona, keep, other)
        waits_for_a_lock(desk)
        go.set()
        assert merging.result() == 303
    assert owners_of(desk) == {opening.result(): keep}


def test_a_ticket_that_comes_while_its_customer_is_being_merged_is_in_the_kept_record(desk: Desk) -> None:
    keep, other = desk.customer("Keep"), desk.customer("Other")
    merged, go = Event(), Event()

    def slowly(work: Work) -> None:
        work.actor = person_actor(work.session, desk.town.people["mona"])
        actions.merge(work, keep, other, (1, 1))
        merged.set()
        assert go.wait(PATIENCE)

    with ThreadPoolExecutor(2) as together:
        merging = together.submit(desk.site.store.write_now, SYSTEM, slowly)
        assert merged.wait(PATIENCE)
        opening = together.submit(desk.ticket, other)
        waits_for_a_lock(desk)
        go.set()
        merging.result()
    assert owners_of(desk) == {opening.result(): keep}


def waits_for_a_lock(desk: Desk) -> None:
    """Returns when somebody does; SQLite has one writer, for whom the others wait in any case."""
    if desk.site.store.is_sqlite:
        return
    waiting, until = text("SELECT count(*) FROM pg_locks WHERE NOT granted"), time.monotonic() + PATIENCE
    while not desk.site.look(lambda work: work.session.scalar(waiting)):
        assert time.monotonic() < until, "nobody waits"
