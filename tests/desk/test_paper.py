"""A ticket on paper: every line of it, and the room only for whoever says so and may read it."""

from playwright.sync_api import Browser

from swarm.lanes.queries import PAGE
from swarm.tickets.actions import take
from swarm.tickets.posting import post
from tests.support.site import Site, text_of
from tests.support.town import Town


def spoken(town: Town) -> int:
    ticket = town.open("hive")
    town.act("ina", take, ticket)
    for number in range(PAGE + 5):
        town.act("ina", post, ticket, "lane", f"Answer {number:03}", f"client-{number:04}")
    town.act("ina", post, ticket, "room", "Between us", "client-room")
    return ticket


def test_all_that_the_customer_sees_and_nothing_else(site: Site, town: Town) -> None:
    ticket = spoken(town)
    said = text_of(site.person(town.people["ina"]).get(f"/tickets/{ticket}/paper").text)
    assert "Answer 000" in said and f"Answer {PAGE + 4:03}" in said
    assert "Between us" not in said


def test_the_room_too_for_whoever_says_so(site: Site, town: Town) -> None:
    ticket = spoken(town)
    ina = site.person(town.people["ina"])
    assert f'href="/tickets/{ticket}/paper?room=yes"' in ina.get(f"/tickets/{ticket}/paper").text
    said = text_of(ina.get(f"/tickets/{ticket}/paper?room=yes").text)
    assert "Between us" in said and "never sees this" in said
    assert ina.get(f"/tickets/{ticket}/paper?room=all").status_code == 422
    assert site.person(town.people["hugo"]).get(f"/tickets/{town.open('ladder')}/paper").status_code == 404


def test_what_one_clicks_is_not_printed(chromium: Browser, site: Site, town: Town) -> None:
    ticket = spoken(town)
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    for cookie in site.person(town.people["ina"]).http.cookies.jar:
        context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": site.url}])
    page = context.new_page()
    for path in (f"/tickets/{ticket}/paper?room=yes", f"/tickets/{ticket}"):
        page.goto(site.url + path)
        page.emulate_media(media="print")
        assert page.get_by_role("button").and_(page.locator(":visible")).count() == 0
        assert page.get_by_role("navigation").and_(page.locator(":visible")).count() == 0
        assert page.get_by_text(f"Answer {PAGE + 4:03}", exact=True).is_visible()
        height = page.evaluate("document.documentElement.scrollHeight")
        assert height > 3000, "everything is laid out, nothing scrolls in a box"
        page.emulate_media(media="screen")
    context.close()
