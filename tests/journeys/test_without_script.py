"""Every step of the main job in browsers that run no script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.site import Site
from tests.support.town import Town, build

pytestmark = pytest.mark.journey


@pytest.fixture
def town(site: Site) -> Town:
    return build(site.store)


@pytest.fixture
def plain(site: Site, town: Town, chromium: Browser) -> Iterator[dict[str, Page]]:
    """Pages without script, by name."""
    pages: dict[str, Page] = {}
    contexts: list[BrowserContext] = []
    for name in ("ana", "ina", "quinn", "ada", "cleo", "mona"):
        context = chromium.new_context(base_url=site.url, java_script_enabled=False)
        contexts.append(context)
        if name != "ana":
            secret = site.person(town.people[name]).http.cookies["session"]
            context.add_cookies([{"name": "session", "value": secret, "url": site.url}])
        pages[name] = context.new_page()
    yield pages
    for context in contexts:
        context.close()


def write(page: Page, lane: str, text: str) -> None:
    """Send a message through the plain form."""
    form = page.locator(f'form[data-composer^="{lane}:"]')
    form.locator("textarea").fill(text)
    form.locator("button[type=submit]").click()


def test_a_swarm_works_without_script(town: Town, plain: dict[str, Page]) -> None:
    ana, ina, quinn = plain["ana"], plain["ina"], plain["quinn"]
    ana.goto("/open")
    ana.get_by_label("Your name").fill("Ana Duarte")
    ana.get_by_label("E-mail").fill("ana@example.org")
    ana.get_by_label("What is it about?").select_option(str(town.teams["hive"]))
    ana.get_by_label("Subject").fill("Nothing prints")
    ana.get_by_label("What happened?").fill("Not one page since the morning.")
    ana.get_by_role("button", name="Open the ticket").click()
    ana.get_by_role("button", name="Open my ticket").click()
    number = int(ana.url.rpartition("/")[2])

    ina.goto("/queue")
    ina.locator("[data-row]", has_text="Nothing prints").get_by_role("button", name="Take").click()
    ina.goto(f"/tickets/{number}")
    expect(ina.locator("[id^=log-lane-]")).to_contain_text("Not one page since the morning.")
    write(ina, "lane", "I look into it.")
    expect(ina.locator("[id^=log-lane-]")).to_contain_text("I look into it.")
    ina.locator(".head summary", has_text="Ask for help").click()
    ina.get_by_label("Question").fill("Which driver does this printer want?")
    ina.get_by_label("Quinn").check()
    ina.get_by_role("button", name="Ask", exact=True).click()

    quinn.goto("/asked")
    quinn.locator("[data-row]", has_text="Which driver").get_by_role("button", name="Accept and join").click()
    expect(quinn).to_have_url(f"{quinn.url.partition('/tickets')[0]}/tickets/{number}")
    write(quinn, "room", "The old one, version 4.")
    ina.reload()
    line = ina.locator("[id^=log-room-] .msg", has_text="version 4")
    expect(line).to_be_visible()
    line.get_by_role("button", name="Mark as the answer").click()
    expect(ina.locator(".msg.answer")).to_contain_text("version 4")
    write(ina, "lane", "It prints again.")
    ina.get_by_role("button", name="Resolve").click()
    expect(ina.locator(".head")).to_contain_text("Resolved")

    ana.reload()
    expect(ana.locator("[id^=log-lane-]")).to_contain_text("It prints again.")
    assert "version 4" not in ana.content()
    write(ana, "lane", "No, it stopped.")
    ina.reload()
    expect(ina.locator(".head")).not_to_contain_text("Resolved")


def test_a_ticket_climbs_without_script(town: Town, plain: dict[str, Page]) -> None:
    ada, cleo = plain["ada"], plain["cleo"]
    number = town.open("ladder")
    ada.goto(f"/tickets/{number}")
    ada.get_by_role("button", name="Take").click()
    ada.locator(".head summary", has_text="Escalate").click()
    ada.get_by_label("Reason").fill("Firewall")
    ada.get_by_label("Hand-over note").fill("Other port: the same.")
    ada.locator(".head form[action$=escalation] button[type=submit]").click()
    expect(ada.locator(".head")).to_contain_text("Waits for tier 2")

    cleo.goto(f"/tickets/{number}")
    cleo.get_by_role("button", name="Take").click()
    expect(cleo.locator(".head")).to_contain_text("Owner: Cleo")
    assert town.owners(number) == ["lena", "ada", "cleo"]


def test_a_refused_form_comes_back_with_what_was_typed(town: Town, plain: dict[str, Page]) -> None:
    ada, mona = plain["ada"], plain["mona"]
    number = town.open("ladder")
    ada.goto(f"/tickets/{number}")
    ada.get_by_role("button", name="Take").click()
    ada.locator('form[data-composer^="lane:"] textarea').fill("A long answer, almost finished")
    mona.goto(f"/tickets/{number}")
    mona.get_by_role("button", name="Take over").click()
    ada.locator('form[data-composer^="lane:"] button[type=submit]').click()
    expect(
        ada.get_by_text("Only the owner answers the customer. Mona owns this ticket.").first
    ).to_be_visible()
    expect(ada.get_by_text("A long answer, almost finished")).to_be_visible()
