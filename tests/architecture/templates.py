"""Template lint; `python -m tests.architecture.templates` prints what is wrong, one finding a line."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from jinja2 import Environment, TemplateSyntaxError, nodes

from swarm.settings import resources

TRANSLATING = {"_", "gettext", "ngettext", "N_"}
TEXT_ATTRIBUTES = {"title", "alt", "placeholder", "aria-label", "aria-description", "aria-roledescription"}
URL_ATTRIBUTES = {"href", "src", "action", "formaction"}
NO_TEXT = {"swarm", "ctrl", "k", "⌘"}
"""The brand, and the names of keys."""
DATA_SCRIPTS = {"application/json", "application/ld+json", "importmap"}
WORD = re.compile(r"[^\W\d_]+")
SENTENCE = re.compile(r"^\s*[A-Z][a-z’']+([ .,:?…]|$)")
ATTRIBUTE = re.compile(r"([a-z][a-z-]*)=\"([^\"<>]*)\"")
"""Attributes that a macro writes for a tag elsewhere."""
GAP = "\ue000"
"""Stands where the template puts a value."""


@dataclass(frozen=True, order=True)
class Finding:
    template: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"templates/{self.template}:{self.line}: {self.problem}"


def environment() -> Environment:
    return Environment(extensions=["jinja2.ext.i18n"], autoescape=True)


def check(name: str, source: str) -> list[Finding]:
    """Everything wrong with one template."""
    try:
        tree = environment().parse(source, name)
    except TemplateSyntaxError as error:
        return [Finding(name, error.lineno, f"does not parse: {error.message}")]
    page = _Page(name)
    page.feed(_markup(source))
    page.close()
    return sorted({*page.findings, *_expressions(name, tree)})


def check_all() -> list[Finding]:
    folder = resources("templates")
    found = []
    for path in sorted(folder.rglob("*.html")):
        found += check(path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8"))
    return found


def _markup(source: str) -> str:
    """The template's own HTML on its own lines, a gap for each value, nothing for translated texts.

    A block of one lower-case word, as in `{% block pane %}page{% endblock %}`, fills a class in the frame.
    """
    out: list[str] = []
    block: list[str] = []
    translating = False
    for _, kind, text in environment().lexer.tokeniter(source, None):
        newlines = "\n" * text.count("\n")
        if kind == "block_begin":
            block = []
        elif kind == "block_end":
            word = block[0] if block else ""
            translating = word == "trans" or (translating and word != "endtrans")
            out.append(newlines)
        elif kind == "data":
            word_of_markup = block[:1] == ["block"] and re.fullmatch("[a-z-]+", text)
            out.append(newlines if translating or word_of_markup else text)
        elif kind == "variable_begin":
            out.append(GAP)
        else:
            if kind == "name":
                block.append(text)
            out.append(newlines)
    return "".join(out)


def _expressions(name: str, tree: nodes.Template) -> Iterator[Finding]:
    for filtered in tree.find_all(nodes.Filter):
        if filtered.name == "safe":
            yield Finding(name, filtered.lineno, "|safe: let the view give Markup")
    for option in tree.find_all(nodes.ScopedEvalContextModifier):
        if any(keyword.key == "autoescape" for keyword in option.options):
            yield Finding(name, option.lineno, "autoescape is not switched in a template")
    translated = {
        id(text)
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in TRANSLATING
        for text in call.find_all(nodes.Const)
    }
    for place in tree.find_all((nodes.Output, nodes.Assign, nodes.CallBlock)):
        for text in place.find_all(nodes.Const):
            if id(text) in translated or not isinstance(text.value, str) or not SENTENCE.match(text.value):
                continue
            if text.value.strip().lower() not in NO_TEXT:
                yield Finding(name, text.lineno, f'text outside _(): "{text.value.strip()[:40]}"')


@dataclass
class _Page(HTMLParser):
    name: str
    findings: list[Finding] = field(default_factory=list)
    inside: str = ""

    @property
    def is_mail(self) -> bool:
        """Programs that read mail know no stylesheets of ours."""
        return "/mail/" in f"/{self.name}"

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def say(self, problem: str, below: int = 0) -> None:
        self.findings.append(Finding(self.name, self.getpos()[0] + below, problem))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        for key, value in given.items():
            self._attribute(key, value)
        if tag == "style" and not self.is_mail:
            self.say("inline <style>: styles live in static/css")
        if tag == "script" and "src" not in given and given.get("type") not in DATA_SCRIPTS:
            self.say("inline <script>: scripts live in static/js")
        if tag == "form" and given.get("method", "").lower() == "post" and "action" not in given:
            self.say("a form that posts names its action, so that it works without script")
        if tag == "img" and "alt" not in given:
            self.say("<img> without alt")
        self.inside = tag if tag in {"script", "style"} else ""

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def _attribute(self, key: str, value: str) -> None:
        if key == "style" and not self.is_mail:
            self.say("style attribute: styles live in static/css")
        if re.match(r"on[a-z]+$|hx-on", key):
            self.say(f"{key}: listeners live in static/js")
        if key in URL_ATTRIBUTES and value.strip().lower().startswith("javascript:"):
            self.say(f"{key} runs a script")
        if key.startswith("hx-") and value.strip().startswith(("js:", "javascript:")):
            self.say(f"{key} runs a script")
        if key in TEXT_ATTRIBUTES:
            self._text(value, f"{key}=")

    def handle_data(self, data: str) -> None:
        if self.inside:
            return
        for key, value in ATTRIBUTE.findall(data):
            self._attribute(key, value)
        self._text(ATTRIBUTE.sub("", data), "")

    def _text(self, text: str, where: str) -> None:
        for word in WORD.finditer(text):
            if word[0].lower() not in NO_TEXT:
                shown = " ".join(text[word.start() :].replace(GAP, "…").split())[:60]
                self.say(f'text outside _(): {where}"{shown}"', text.count("\n", 0, word.start()))
                return


if __name__ == "__main__":
    everything = check_all()
    sys.exit("\n".join(map(str, everything)) if everything else 0)
