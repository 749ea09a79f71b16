"""Markdown to safe HTML: never an image, never a script, never slow."""

import html
import re
from collections.abc import Sequence
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup, escape

LONGEST = 20_000
"""Characters; what is longer is shown as plain text."""
_LINES = 2_000
_DEPTH = 24
# A long honest message takes some hundred steps, 20,000 brackets tens of millions.
_STEPS = 20_000

_ADDRESS = re.compile(r"https?://[^\s<>\"'`\\^{|}\x00-\x20]{1,2000}", re.IGNORECASE)
_ALLOWED_LINK = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)
_TRAILING = ".,:;!?*_~'\""


class _TooHard(Exception):
    """The text would take too long or is nested deeper than anybody writes."""


class _Inline(ParserInline):
    def skipToken(self, state: StateInline) -> None:
        state.env["steps"] = steps = state.env.get("steps", 0) + 1
        # markdown-it stops at its nesting limit without a word and drops the rest of the text.
        if steps > _STEPS or state.level > _DEPTH:
            raise _TooHard
        super().skipToken(state)


class _Markdown(MarkdownIt):
    def __init__(self) -> None:
        super().__init__("js-default", {"breaks": True})
        self.inline = _Inline()
        self.disable(["table", "image", "reference"])
        self.block.ruler.before("code", "depth", _refuse_depth)
        self.core.ruler.after("inline", "addresses", _link_addresses)
        self.core.ruler.after("inline", "headings", _lower_headings)

    def validateLink(self, url: str) -> bool:
        return _ALLOWED_LINK.match(url) is not None


def _refuse_depth(state: StateBlock, _start: int, _end: int, _silent: bool) -> bool:
    if state.level > _DEPTH:
        raise _TooHard
    return False


def _lower_headings(state: StateCore) -> None:
    """`#` becomes h3: the page's own headings stand above a message's."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"


def _link_addresses(state: StateCore) -> None:
    for block in state.tokens:
        if block.type == "inline" and block.children and "://" in block.content:
            block.children = _with_addresses(state, block.children)


def _with_addresses(state: StateCore, tokens: Sequence[Token]) -> list[Token]:
    result: list[Token] = []
    links = 0
    for token in tokens:
        links += (token.type == "link_open") - (token.type == "link_close")
        if token.type == "text" and not links:
            result.extend(_split_addresses(state, token))
        else:
            result.append(token)
    return result


def _split_addresses(state: StateCore, token: Token) -> list[Token]:
    result: list[Token] = []
    done = 0
    for match in _ADDRESS.finditer(token.content):
        address = _without_trailing(match.group())
        href = state.md.normalizeLink(address)
        if match.start() < done or not state.md.validateLink(href):
            continue
        start = Token("link_open", "a", 1, attrs={"href": href}, level=token.level)
        inner = Token("text", "", 0, content=address, level=token.level + 1)
        result += [_text(token, token.content[done : match.start()]), start, inner]
        result.append(Token("link_close", "a", -1, level=token.level))
        done = match.start() + len(address)
    result.append(_text(token, token.content[done:]))
    return result


def _text(token: Token, content: str) -> Token:
    return Token("text", "", 0, content=content, level=token.level)


def _without_trailing(address: str) -> str:
    """The address without the sentence's own full stop or closing bracket."""
    while True:
        shorter = address.rstrip(_TRAILING)
        for opening, closing in ("()", "[]"):
            if shorter.endswith(closing) and shorter.count(opening) < shorter.count(closing):
                shorter = shorter[:-1]
        if shorter == address:
            return address
        address = shorter


_parser = _Markdown()
_cleaner = nh3.Cleaner(
    tags={
        *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote"),
        *("ul", "ol", "li", "a", "h3", "h4", "h5", "h6"),
    },
    clean_content_tags={"script", "style"},
    attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener nofollow",
)
_text_only = nh3.Cleaner(tags=set(), link_rel=None)


# One line of words with nothing in it that markdown could mean: most of what people say to each other.
_WORDS = re.compile(r"(?!\d+[.)])\w(?:[\w ,.;:?!()%+=-]*[\w,.;:?!()%+=-])?")


@lru_cache(maxsize=1024)
def to_html(body: str) -> Markup:
    """Sanitised HTML of a message; plain paragraphs where markdown would be too long, deep or slow."""
    return rendered(body) if (words := only_words(body)) is None else words


def only_words(body: str) -> Markup | None:
    """The same where there is nothing to render, which takes microseconds; none where there is."""
    if "_" not in body and len(body) <= LONGEST and _WORDS.fullmatch(body):
        return Markup(f"<p>{body}</p>")  # noqa: S704 (words alone)
    return None


def rendered(body: str) -> Markup:
    """`to_html` through the parser, whatever is in it."""
    if len(body) > LONGEST or body.count("\n") > _LINES:
        return _plain_html(body)
    try:
        rendered = _parser.render(body, {})
    except _TooHard:
        return _plain_html(body)
    return Markup(_cleaner.clean(rendered).strip())  # noqa: S704 (just sanitised)


def _plain_html(body: str) -> Markup:
    return Markup("<p>{}</p>").format(Markup("<br>\n").join(escape(line) for line in body.split("\n")))


@lru_cache(maxsize=1024)
def plain(body: str, limit: int = 140) -> str:
    """The beginning of a message as one line of plain text, at most `limit` characters."""
    start = body[: limit * 4]
    spaced = re.sub(r"<br>|</(?:p|li|h\d|pre|blockquote)>", r" \g<0>", str(to_html(start)))
    words = " ".join(html.unescape(_text_only.clean(spaced)).split())
    if len(words) <= limit and len(start) == len(body):
        return words
    return words[: limit - 1].rstrip() + "…"
