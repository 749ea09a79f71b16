"""Files are sent in both lanes by whoever may, and fetched by exactly those who may, really downloaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from swarm.events import SYSTEM
from swarm.people.actions import add_customer
from swarm.rooms.actions import accept
from swarm.rooms.models import Invitation
from swarm.routing.matching import ask_for_help
from swarm.store import Work
from swarm.tickets.actions import take
from swarm.tickets.opening import NewTicket, open_ticket
from tests.journeys.test_a_guest_helps import browser, invited, shot
from tests.journeys.test_the_main_job import WITHIN, live
from tests.support.site import Site
from tests.support.town import Town, build

pytestmark = pytest.mark.journey

DOORS = {"staff": "", "customer": "/case/{number}", "guest": "/guest/of/{number}"}
SENT = {
    # name of the file: who sends it, into which lane
    "customer.txt": ("customer", "lane"),
    "answer.txt": ("ina", "lane"),
    "note.txt": ("ina", "room"),
    "helper.txt": ("quinn", "room"),
    "guest.txt": ("guest", "room"),
}
SEES_BOTH = ("ina", "hugo", "quinn", "mona", "guest")
MAY: Mapping[str, tuple[str, ...]] = {"lane": (*SEES_BOTH, "customer"), "room": SEES_BOTH}
"""Owner, duty lead, swarm, manager and guest read both lanes; the customer their own."""
NEVER = ("ben", "paul", "other_customer", "other_guest", "ended_guest", "nobody")
"""Of another team; with the skill, but not asked; of another ticket; once; without a cookie."""


@pytest.fixture
def town(site: Site) -> Town:
    return build(site.store)


def send(page: Page, lane: str, name: str, folder: Path) -> None:
    """Choose a file and send it with a line."""
    (folder / name).write_text(f"the words of {name}")
    form = page.locator(f'form[data-composer^="{lane}:"]')
    form.locator("input[type=file]").set_input_files(folder / name)
    expect(form.locator("[data-chips] [name=files]")).to_have_count(1)
    form.locator("textarea").fill(f"Look at {name}")
    form.locator("button[type=submit]").click()
    expect(page.locator(f'[id^="log-{lane}-"] .file', has_text=name)).to_be_visible(timeout=WITHIN)


def fetched(page: Page, name: str) -> str:
    """What is saved by a click on a file that the page shows, live as it came."""
    link = page.locator(".msg .file", has_text=name)
    expect(link).to_be_visible(timeout=WITHIN)
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == name
    return Path(download.value.path()).read_text()


def statuses(context: BrowserContext, site: Site, number: int, token: str, name: str) -> set[int]:
    """The answers at every door to somebody who has the token."""
    found = set()
    for door in DOORS.values():
        address = f"{site.url}{door.format(number=number)}/files/{token}/{name}"
        found.add(context.request.get(address, max_redirects=0).status)
    return found


def swarm_with_quinn(town: Town, number: int) -> None:
    """Asked by name, from outside the team."""
    ask = town.act(
        "ina",
        ask_for_help,
        number,
        question="Why?",
        tried="",
        skill_ids=[],
        person_ids=[town.people["quinn"]],
        client_id="ask-for-quinn",
    )
    asked = select(Invitation.id).where(Invitation.ask_id == ask.id)
    town.do("quinn", lambda work: accept(work, work.session.scalars(asked).one()))


def another_ticket(site: Site, town: Town) -> int:
    """Of another customer, in the same team, with the same owner."""

    def do(work: Work) -> int:
        other = add_customer(work, name="Olu", email="olu@example.org")
        new = NewTicket(
            team_id=town.teams["hive"],
            subject="Another",
            body="Elsewhere.",
            customer=other,
            language="en",
            client_id="another-one",
        )
        return open_ticket(work, new).id

    number = site.do(do, SYSTEM)
    town.act("ina", take, number)
    return number


def test_everybody_fetches_what_they_may_and_nobody_else_does(
    site: Site, town: Town, chromium: Browser, tmp_path: Path
) -> None:
    number, other = town.open("hive"), another_ticket(site, town)
    town.act("ina", take, number)
    swarm_with_quinn(town, number)
    with ExitStack() as stack:
        everybody = (*SEES_BOTH, "customer", *NEVER)
        contexts = {name: stack.enter_context(browser(site, chromium)) for name in everybody}
        for name in contexts:
            if name in town.people:
                secret = site.person(town.people[name]).http.cookies["session"]
                contexts[name].add_cookies([{"name": "session", "value": secret, "url": site.url}])
        for name, ticket in {"customer": number, "other_customer": other}.items():
            cookie = site.customer(ticket).http.cookies["case"]
            contexts[name].add_cookies([{"name": "case", "value": cookie, "url": site.url}])
        pages = {name: context.new_page() for name, context in contexts.items()}
        ina = pages["ina"]
        visits = {}
        for name, ticket in {"guest": number, "ended_guest": number, "other_guest": other}.items():
            pages[name].goto(invited(ina, ticket))
            pages[name].get_by_role("button", name="Come in").click()
            pages[name].wait_for_url(re.compile(r"/guest/\d+$"))
            visits[name] = pages[name].url
        for name, path in {
            **dict.fromkeys(("ina", "hugo", "quinn", "mona"), f"/tickets/{number}"),
            "customer": f"/case/{number}",
        }.items():
            pages[name].goto(path)
        for name in (*SEES_BOTH, "customer"):
            live(pages[name])

        for file, (who, lane) in SENT.items():
            send(pages[who], lane, file, tmp_path)
        tokens = {}
        for file, (_who, lane) in SENT.items():
            for name in MAY[lane]:
                assert fetched(pages[name], file) == f"the words of {file}", (name, file)
            href = ina.locator(".msg a.file", has_text=file).get_attribute("href")
            assert href is not None
            tokens[file] = href.split("/")[-2]
        shot(pages["guest"], "files-guest")

        expect(pages["customer"].locator(".msg .file")).to_have_count(2)
        content = pages["customer"].content()
        assert not [name for name in ("note.txt", "helper.txt", "guest.txt") if name in content]

        ended = visits["ended_guest"].rpartition("/")[2]
        ina.goto(f"/tickets/{number}")
        ends = ina.locator(f'form:has(input[name=guest][value="{ended}"])')
        ends.get_by_role("button", name="End access").click()
        expect(pages["ended_guest"].get_by_text("You are no longer in this room").first).to_be_visible()
        wrong = []
        for file, (_who, lane) in SENT.items():
            for name, context in contexts.items():
                got = statuses(context, site, number, tokens[file], file)
                if (200 in got) != (name in MAY[lane]):
                    wrong.append(f"{name}, {file}: {got}")
        assert not wrong, "\n".join(wrong)
