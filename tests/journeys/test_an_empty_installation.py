"""From the first start to the first ticket, by what the pages say alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.site import Site

pytestmark = pytest.mark.journey
PASSWORD = "four words in a row"


@pytest.fixture(params=[True, False], ids=["with script", "without script"])
def browsers(request: pytest.FixtureRequest, site: Site, chromium: Browser) -> Iterator[dict[str, Page]]:
    """A page each, nobody signed in."""
    contexts = [
        chromium.new_context(base_url=site.url, java_script_enabled=request.param) for _page in range(3)
    ]
    yield dict(zip(("ada", "nia", "olu"), (context.new_page() for context in contexts), strict=True))
    for context in contexts:
        context.close()


def test_an_administrator_sets_swarm_up_and_the_first_ticket_is_answered(browsers: dict[str, Page]) -> None:
    ada, nia, olu = browsers["ada"], browsers["nia"], browsers["olu"]
    ada.goto("/")
    ada.get_by_label("Your name").fill("Ada Lindqvist")
    ada.get_by_label("E-mail").fill("ada@example.org")
    ada.get_by_label("Password", exact=True).fill(PASSWORD)
    ada.get_by_label("The same password again").fill(PASSWORD)
    ada.get_by_role("button", name="Set up swarm").click()
    expect(ada.get_by_role("heading", name="Four steps to the first ticket")).to_be_visible()

    ada.get_by_role("link", name="See the teams").click()
    ada.get_by_role("link", name="New team").click()
    ada.get_by_label("Name").fill("Warehouse")
    ada.get_by_label("Tier 1").fill("Desk")
    ada.get_by_label("Tier 2").fill("Floor")
    ada.get_by_role("button", name="Make the team").click()
    expect(ada.get_by_role("heading", name="Warehouse")).to_be_visible()

    ada.goto("/mine")
    ada.locator(".first-steps").get_by_role("link", name="New account").click()
    ada.get_by_label("Name").fill("Nia Obi")
    ada.get_by_label("E-mail").fill("nia@example.org")
    ada.get_by_label("Warehouse").select_option(label="Desk")
    ada.get_by_role("button", name="Make the account").click()
    link = ada.locator("#link").inner_text()
    ada.get_by_role("link", name="Go on").click()
    expect(ada.get_by_role("heading", name="Nia Obi")).to_be_visible()

    nia.goto(link)
    nia.get_by_label("Password", exact=True).fill(PASSWORD)
    nia.get_by_label("The same password again").fill(PASSWORD)
    nia.get_by_role("button", name="Save and sign in").click()
    expect(nia).to_have_url(re.compile("/mine$"))

    ada.goto("/skills")
    ada.get_by_label("Another skill").fill("Forklifts")
    ada.get_by_role("button", name="Add", exact=True).click()
    ada.goto("/people")
    ada.get_by_role("link", name="Nia Obi").click()
    ada.get_by_label("Forklifts").select_option(label="well")
    ada.locator("section", has_text="What they know").get_by_role("button", name="Save").click()
    expect(ada.get_by_label("Forklifts")).to_have_value(re.compile(":2$"))

    olu.goto("/open")
    olu.get_by_label("Your name").fill("Olu Bello")
    olu.get_by_label("E-mail").fill("olu@example.org")
    olu.get_by_label("What is it about?").select_option(label="Warehouse")
    olu.get_by_label("Subject").fill("Where is my crate?")
    olu.get_by_label("What happened?").fill("It should have come on Monday.")
    olu.get_by_role("button", name="Open the ticket").click()
    olu.get_by_role("button", name="Open my ticket").click()
    number = int(olu.url.rpartition("/")[2])

    nia.goto("/queue")
    nia.locator("[data-row]", has_text="Where is my crate?").get_by_role("button", name="Take").click()
    nia.goto(f"/tickets/{number}")
    form = nia.locator('form[data-composer^="lane:"]')
    form.locator("textarea").fill("It is on the truck.")
    form.locator("button[type=submit]").click()
    expect(nia.locator("[id^=log-lane-]")).to_contain_text("It is on the truck.")
    olu.reload()
    expect(olu.locator("[id^=log-lane-]")).to_contain_text("It is on the truck.")
    ada.goto("/mine")
    expect(ada.get_by_role("heading", name="Four steps to the first ticket")).to_have_count(0)
