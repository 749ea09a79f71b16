"""Six languages, complete: chosen by person, offered by browser, and the ticket's for its customer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from swarm.people.actions import set_profile
from swarm.text import language, times
from swarm.text.language import LANGUAGES, _
from swarm.tickets.words import language_word
from swarm.web.render import number
from tests.portal.house import enter, furnish
from tests.support.site import Site
from tools import catalogue

OTHERS = LANGUAGES[1:]


def test_every_text_is_translated_into_every_language_with_its_places_whole() -> None:
    assert {path.parts[-3] for path, _texts in catalogue.translations()} == set(OTHERS)
    assert list(catalogue.problems(catalogue.collected())) == []


@pytest.mark.parametrize("tag", OTHERS)
def test_little_is_left_as_it_is_in_english(tag: str) -> None:
    """A file filled with the English texts would be complete, too."""
    texts = next(texts for path, texts in catalogue.translations() if path.parts[-3] == tag)
    sentences = [one for one in texts if isinstance(one.id, str) and one.id.count(" ") > 4]
    assert len(sentences) > 500
    assert [one.id for one in sentences if one.string == one.id] == []


@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_browser_is_offered_its_language(site: Site, tag: str) -> None:
    page = site.stranger().get("/open", **{"Accept-Language": f"{tag}-XX, en;q=0.5"}).text
    assert f'<html lang="{tag}">' in page
    with language.use(tag):
        assert _("Open a ticket") in page


def test_who_is_nobody_in_particular_chooses_in_the_browser(site: Site) -> None:
    furnish(site)
    stranger = site.stranger()
    assert '<html lang="en">' in stranger.get("/").text
    answer = stranger.post("/language", {"language": "de", "next": "/open"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/open")
    for header in ("fr", "en"):
        assert '<html lang="de">' in stranger.get("/sign-in", **{"Accept-Language": header}).text


@pytest.mark.parametrize(
    "next_page", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1"]
)
def test_choosing_a_language_leads_nowhere_else(site: Site, next_page: str) -> None:
    answer = site.stranger().post("/language", {"language": "fr", "next": next_page})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_language_we_do_not_speak_is_refused(site: Site) -> None:
    furnish(site)
    stranger = site.stranger()
    assert stranger.post("/language", {"language": "xx", "next": "/"}).status_code == 422
    stranger.http.cookies.set("language", "../../etc/passwd")
    assert '<html lang="en">' in stranger.get("/").text


def test_a_colleague_reads_their_own_language_on_every_browser(site: Site) -> None:
    house = furnish(site)
    mira = site.person(house.mira)
    assert '<html lang="en">' in mira.get("/mine", **{"Accept-Language": "de"}).text
    profile = {"name": "Mira Jansen", "language": "fr", "timezone": "Europe/Paris"}
    assert mira.post("/me/profile", profile).status_code == 303
    page = mira.get("/mine", **{"Accept-Language": "de"}).text
    assert '<html lang="fr">' in page and "Mes tickets" in page
    # What is wrong with a form is said before anybody looks who asks: the browser remembers the language.
    wrong = mira.post("/me/profile", {**profile, "name": ""}, **{"Accept-Language": "de"})
    assert '<html lang="fr">' in wrong.text
    with language.use("fr"):
        assert _("This is needed.") in wrong.text
    another = site.person(house.mira)
    assert '<html lang="fr">' in another.get("/mine").text


def test_a_language_that_is_not_offered_cannot_be_chosen_in_a_profile(site: Site) -> None:
    mira = site.person(furnish(site).mira)
    answer = mira.post("/me/profile", {"name": "Mira", "language": "tlh", "timezone": "UTC"})
    assert answer.status_code == 422


@pytest.mark.parametrize("tag", ["de", "pt"])
def test_a_customer_reads_the_case_in_the_tickets_language(site: Site, tag: str) -> None:
    customer, number = enter(site, furnish(site), language=tag)
    page = customer.get(f"/case/{number}", **{"Accept-Language": "nl"}).text
    assert f'<html lang="{tag}">' in page
    with language.use(tag):
        assert _("Our team reads this") in page
    wrong = customer.post(f"/case/{number}/messages", {"body": "", "client_id": "12345678"})
    assert wrong.status_code == 422 and f'<html lang="{tag}">' in wrong.text


def test_what_happens_reaches_each_open_page_in_its_language(site: Site) -> None:
    house = furnish(site)
    site.do(lambda work: set_profile(work, house.mira, name="Mira", language="es", timezone="UTC"))
    customer, number = enter(site, house, language="de")
    mira = site.person(house.mira)
    stream = f"lane:{number}"
    with mira.socket({stream: 1}) as desk, customer.socket({stream: 1}, "/live/case") as case:
        assert mira.post(f"/tickets/{number}/resolution").status_code == 303
        for wire, tag in ((desk, "es"), (case, "de")):
            with language.use(tag):
                wire.until(tells(_("%(actor)s resolved the ticket", actor="Mira")))


def tells(words: str) -> Callable[[dict[str, Any]], bool]:
    return lambda frame: words in unescape(str(frame))


def test_times_and_numbers_are_written_as_the_reader_writes_them() -> None:
    now = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    at = now - timedelta(minutes=5)
    short, days = {}, {}
    for tag in LANGUAGES:
        with language.use(tag):
            short[tag] = times.short(at, now)
            days[tag] = times.short(now - timedelta(days=20), now)
    assert short["de"] == "vor 5 Min." and short["fr"] == "il y a 5\xa0min" and short["en"] == "5 min. ago"
    assert days["en"] == "3 Nov" and days["de"] == "3. Nov." and days["es"] == "3 nov"
    with language.use("de"):
        assert number(12345.5) == "12.345,5"
        assert language_word("fr") == "Französisch"
    assert language.own_name("fr") == "Français"


def test_the_zone_is_the_readers_whatever_the_language() -> None:
    now = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    with language.use("pt"), times.use_zone("America/Sao_Paulo"):
        assert times.short(now - timedelta(hours=3), now) == "09:00"
