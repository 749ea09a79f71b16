"""What people type is kept in one form, without characters that trick or break."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.text.clean import Unclean, many_lines, one_line, scrub


def test_a_line_is_trimmed_and_keeps_one_space_between_words():
    assert one_line("  Export \t stops\r\nhere ") == "Export stops here"


def test_carriage_returns_never_survive_so_no_header_can_be_injected():
    assert one_line("Hello\r\nBcc: eve@example.com") == "Hello Bcc: eve@example.com"
    assert many_lines("a\r\nb\rc\u2028d\u0085e") == "a\nb\nc\nd\ne"


def test_letters_are_kept_in_one_unicode_form():
    assert one_line("Ine\u0300s") == "In\u00e8s"


def test_joined_emoji_and_right_to_left_marks_are_kept():
    family = "\U0001f469\u200d\U0001f467 \u200f\u05e9\u05dc\u05d5\u05dd"
    assert one_line(family) == family


@pytest.mark.parametrize("bad", ["\0", "\x07", "\x1b[31m", "\x7f", "\x9b", "\ud800", "\udfff"])
def test_control_characters_and_half_characters_are_refused(bad):
    with pytest.raises(Unclean):
        one_line(f"a{bad}b")
    with pytest.raises(Unclean):
        many_lines(f"a{bad}b")


@pytest.mark.parametrize("turn", ["\u202e", "\u202a", "\u2066", "\u2069"])
def test_direction_overrides_are_refused_in_one_line(turn):
    with pytest.raises(Unclean):
        one_line(f"invoice{turn}fdp.exe")


@given(st.text() | st.text(alphabet=st.characters(min_codepoint=0, max_codepoint=0xFFFF)))
def test_scrubbed_text_is_always_clean_and_stays_as_it_is(text):
    line, lines = scrub(text), scrub(text, lines=True)
    assert one_line(line) == line
    assert many_lines(lines) == lines
    (line + lines).encode()
