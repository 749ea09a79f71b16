"""Templates escape everything, miss nothing and speak the reader's language."""

from datetime import UTC, datetime, timedelta

import pytest
from jinja2 import UndefinedError

from swarm.text import times
from swarm.web.errors import Typed
from swarm.web.render import Render, initials

NOW = datetime(2026, 11, 3, 13, 5, tzinfo=UTC)
EVIL = "<script>alert('x')</script>\"onload=\""


def show(render: Render, source: str, **context: object) -> str:
    return render.environment.from_string(source).render(context)


def test_what_people_typed_is_escaped_everywhere(render):
    for source in (
        "{{ x }}",
        '<a title="{{ x }}">',
        '{{ _("Hello %(name)s", name=x) }}',
        "{% trans name=x %}Hello {{ name }}{% endtrans %}",
        '{{ ngettext("%(num)s %(name)s", "%(num)s %(name)ss", 2, name=x) }}',
        "{{ x | initials }}",
        "{{ x | plain }}",
    ):
        shown = show(render, source, x=EVIL)
        assert "<script" not in shown
        assert '"onload' not in shown
    assert "<script" not in show(render, "{{ x | markdown }}", x=EVIL)


def test_a_forgotten_value_fails_instead_of_showing_nothing(render):
    with pytest.raises(UndefinedError):
        show(render, "{{ nothing }}")


def test_a_time_has_its_exact_moment_for_the_page_and_the_pointer(render):
    with times.use_zone("Europe/Paris"):
        shown = show(render, "{{ at | when }}", at=NOW - timedelta(hours=2))
    assert shown.startswith('<time datetime="2026-11-03T11:05:00Z" title="')
    assert "Central European" in shown
    assert "12:05" in shown


def test_faces_have_two_letters_and_a_lasting_hue():
    assert [initials(name) for name in ("Ana Duarte", "mira", "Ines Maria Roux", "(Jun) Sato", "", "<>")] == [
        *("AD", "MI", "IR", "JS", "?", "?")
    ]


def test_numbers_are_written_as_the_reader_writes_them(render):
    assert show(render, "{{ 12345 | number }}") == "12,345"


def test_a_form_is_shown_again_with_what_was_typed(render):
    form = Typed({"subject": EVIL}, {"skills": ("3",)}, {"subject": "Too long."})
    shown = show(
        render,
        '{{ form.value("subject") }}|{{ form.problem("subject") }}|{{ form.has("skills", 3) }}'
        '|{{ form.value("body", "none") }}|{{ form.problem("body") }}',
        form=form,
    )
    assert "<script" not in shown
    assert shown.endswith("|Too long.|True|none|")


def test_the_base_page_has_no_inline_script_or_style(render):
    shown = render.environment.get_template("web/base.html").render(me="person:7", epoch="e1")
    assert 'data-me="person:7"' in shown
    assert "<style" not in shown
    assert "style=" not in shown
    assert all("src=" in tag for tag in shown.split("<script")[1:])
