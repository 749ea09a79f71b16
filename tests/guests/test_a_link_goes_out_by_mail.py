"""By mail the link goes to the guest, and nobody at the desk sees it; the address goes with the access."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from swarm.outbound.models import Mail
from swarm.people.models import Guest
from swarm.tickets.actions import take
from tests.guests.conftest import Desk, link_in
from tests.support.backends import Backend
from tests.support.site import serve_site
from tests.support.smtp import Mailbox, mail_server
from tests.support.town import build


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as made:
        yield made


@pytest.fixture
def desk(backend: Backend, mailbox: Mailbox) -> Iterator[Desk]:
    settings = {"server": "127.0.0.1", "port": str(mailbox.port), "security": "none", "customers": "false"}
    mail = {f"mail__{name}": value for name, value in {**settings, "sender": "desk@example.org"}.items()}
    with serve_site(backend, **mail) as site:
        town = build(site.store)
        ticket = town.open("hive")
        town.act("ina", take, ticket)
        yield Desk(site, town, ticket, site.person(town.people["ina"]))


def test_the_letter_holds_the_link_and_nothing_of_the_ticket(desk: Desk, mailbox: Mailbox) -> None:
    form = {"name": "Rui", "email": "rui@elsewhere.example"}
    answer = desk.ina.post(f"/tickets/{desk.ticket}/guests", form)
    assert answer.status_code == 200 and "goes to rui@elsewhere.example" in answer.text
    assert "/join/" not in answer.text
    [letter] = mailbox.wait(letters=1)
    assert letter["To"] == "Rui <rui@elsewhere.example>"
    assert letter["Subject"] == "Ina asks for your help"
    part = letter.get_body(("plain",))
    assert part is not None
    words = str(part.get_content())
    assert "printer" not in words and f"SW-{desk.ticket}" not in words
    link = re.search(rf"{re.escape(desk.site.url)}(/join/[\w-]{{43}})", words)
    assert link is not None
    rui = desk.site.stranger()
    assert rui.get(link[1]).status_code == 200
    page = rui.post(link[1]).headers["location"]
    assert desk.row(page).email == "rui@elsewhere.example"
    desk.withdraw(page)
    assert desk.row(page).email is None
    assert rui.get(page).status_code == 404


def test_who_has_no_address_gets_the_link_from_the_owner(desk: Desk, mailbox: Mailbox) -> None:
    answer = desk.ina.post(f"/tickets/{desk.ticket}/guests", {"name": "Rui", "email": ""})
    assert desk.site.stranger().post(link_in(answer)).status_code == 303
    assert mailbox.letters == []
    refused = desk.ina.post(f"/tickets/{desk.ticket}/guests", {"name": "Rui", "email": "nobody"})
    assert refused.status_code == 422 and "does not look like an e-mail address" in refused.text


def test_a_letter_that_still_waits_goes_with_the_access(desk: Desk, mailbox: Mailbox) -> None:
    mailbox.behaviour = "451 4.3.0 Later"
    form = {"name": "Rui", "email": "rui@elsewhere.example"}
    assert desk.ina.post(f"/tickets/{desk.ticket}/guests", form).status_code == 200
    mailbox.wait(tried=1)
    guest = desk.site.look(lambda work: work.session.scalars(select(Guest.id)).one())
    assert desk.withdraw(f"/guest/{guest}").status_code == 303
    kept = desk.site.look(lambda work: work.session.scalars(select(Mail)).one())
    assert (kept.state, kept.letter) == ("dropped", None)
    assert "elsewhere" not in repr((kept.data, kept.about, kept.problem))
