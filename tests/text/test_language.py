"""Texts speak the reader's language, and times their zone."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from swarm.text import language, times
from swarm.text.language import _, ngettext

NOW = datetime(2026, 11, 3, 13, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "header", ["", "en-GB,en;q=0.8", "xx", "de;q=nonsense, en;q=0.1", "*", "en;q=inf", "," * 100_000]
)
def test_a_header_never_chooses_what_we_do_not_speak(header):
    assert language.best(header) == "en"


def test_an_unknown_language_or_zone_changes_nothing():
    with language.use("klingon"), times.use_zone("Mars/Olympus"), times.use_zone("../../etc/passwd"):
        assert language.current() == "en"
        assert str(times.zone()) == "UTC"


def test_places_in_a_text_are_filled_and_a_lone_percent_sign_is_kept():
    assert _("Hello %(name)s", name="100 %") == "Hello 100 %"
    assert _("50 % of it") == "50 % of it"
    assert ngettext("%(num)s person", "%(num)s people", 3) == "3 people"


def test_a_choice_ends_with_its_block_and_is_not_seen_by_another_thread():
    seen = []
    with times.use_zone("Europe/Paris"):
        other = threading.Thread(target=lambda: seen.append(str(times.zone())))
        other.start()
        other.join()
        assert str(times.zone()) == "Europe/Paris"
    assert seen == ["UTC"]
    assert str(times.zone()) == "UTC"


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(0), "now"),
        (timedelta(minutes=12), "12 min. ago"),
        (timedelta(minutes=12, days=-1), "4 Nov"),
        (timedelta(days=3), "31 Oct"),
        (timedelta(days=400), "29 Sep 2025"),
    ],
)
def test_a_list_tells_times_in_few_words(ago, words):
    assert times.short(NOW - ago, NOW) == words


def test_the_exact_time_is_told_in_the_readers_zone():
    with times.use_zone("Europe/Paris"):
        assert "2:05" in times.exact(NOW)
        assert "Central European" in times.exact(NOW)
    assert times.stamp(NOW) == "2026-11-03T13:05:00Z"
