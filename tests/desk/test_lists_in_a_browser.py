"""Lists go on by themselves, and nothing jumps under the person's hands."""

from playwright.sync_api import Browser, Page, expect

from swarm.tickets import actions
from tests.support.site import Site
from tests.support.town import Town


def page_of(chromium: Browser, site: Site, town: Town, name: str, path: str) -> Page:
    visitor = site.person(town.people[name])
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    for cookie in visitor.http.cookies.jar:
        context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": site.url}])
    page = context.new_page()
    page.goto(site.url + path)
    return page


def test_a_taken_ticket_leaves_every_queue_and_focus_stays(chromium: Browser, site: Site, town: Town) -> None:
    first, second = town.open("hive"), town.open("hive")
    page = page_of(chromium, site, town, "ina", "/queue")
    expect(page.locator("#count-queue")).to_have_text("2")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(f"#row-{second} .row-link")).to_be_focused()
    town.do("hugo", lambda work: actions.take(work, first))
    expect(page.locator(f"#row-{first}")).to_have_count(0)
    expect(page.locator("#count-queue")).to_have_text("1")
    expect(page.locator("#list-count")).to_have_text("1 waiting")
    expect(page.locator(f"#row-{second} .row-link")).to_be_focused()
    page.context.close()


def test_the_menu_changes_availability_without_leaving_the_page(
    chromium: Browser, site: Site, town: Town
) -> None:
    page = page_of(chromium, site, town, "ina", "/mine")
    other = page_of(chromium, site, town, "ina", "/queue")
    page.locator(".rail details summary").click()
    page.get_by_role("button", name="Busy").click()
    for each in (page, other):
        expect(each.locator("#me-availability")).to_have_text("Busy")
    assert page.url.endswith("/mine")
    page.context.close()
    other.context.close()
