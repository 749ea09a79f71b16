"""The template lint finds what it is for, and nothing in our templates."""

import pytest

from tests.architecture.templates import check, check_all


def test_our_templates_are_clean() -> None:
    assert [str(finding) for finding in check_all()] == []


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("<p>Hello</p>", "text outside _()"),
        ("<p>{{ name }} wrote</p>", "text outside _()"),
        ('<button aria-label="Close">×</button>', "text outside _()"),
        ('{{ button("Save") }}', "text outside _()"),
        ('{% call panel("Nothing here yet") %}{% endcall %}', "text outside _()"),
        ("{% if x %}<p>Yes</p>{% endif %}", "text outside _()"),
        ("{% block title %}All tickets{% endblock %}", "text outside _()"),
        ("{{ body|safe }}", "|safe"),
        ("{% autoescape false %}{{ x }}{% endautoescape %}", "autoescape is not switched"),
        ("<script>go()</script>", "inline <script>"),
        ("<style>p { color: red }</style>", "inline <style>"),
        ('<p style="color: red"></p>', "style attribute"),
        ('<a onclick="go()"></a>', "onclick"),
        ('<a hx-on:click="go()"></a>', "hx-on:click"),
        ("<a hx-vals='js:{a: go()}'></a>", "hx-vals runs a script"),
        ('<a href="javascript:go()"></a>', "href runs a script"),
        ('<form method="post"></form>', "names its action"),
        ('<img src="/a.png">', "without alt"),
        ("{% if %}", "does not parse"),
    ],
)
def test_it_finds(source: str, problem: str) -> None:
    assert [finding for finding in check("x.html", source) if problem in str(finding)]


@pytest.mark.parametrize(
    "source",
    [
        '<p>{{ _("Hello") }}, {{ name }} · 3</p>',
        "<p>{% trans n=count %}{{ n }} ticket{% pluralize %}{{ n }} tickets{% endtrans %}</p>",
        "<b>swarm</b><kbd>Ctrl K</kbd>",
        "{% block pane %}page{% endblock %}",
        '<a class="big {{ kind }}" {% if on %}aria-current="page"{% endif %}></a>',
        '<button aria-label="{{ _("Close") }}">×</button>{{ button(_("Save"), kind="primary big") }}',
        '{% macro at(id) %}aria-invalid="true" aria-describedby="{{ id }}"{% endmacro %}',
        '<form method="post" action="{{ url }}"></form><img src="/a.png" alt="">',
        '{# A remark #}<script src="/a.js" defer></script><script type="application/json">{"a": 1}</script>',
        '{% set kind = "quiet" %}{% for x in y %}{% if x == "Open" %}{{ x }}{% endif %}{% endfor %}',
    ],
)
def test_it_lets_pass(source: str) -> None:
    assert check("x.html", source) == []


def test_it_names_the_line() -> None:
    assert check("x.html", "<p>\n{{ a }}\n{% trans %}\nfine\n{% endtrans %}\nBad</p>")[0].line == 6
