"""A letter as people see it: text for some programs, HTML for others."""

from __future__ import annotations

from swarm.outbound.letters import Letter
from swarm.text.language import _
from swarm.web.house import House


def drawn(house: House, letter: Letter) -> tuple[str, str]:
    """As text and as HTML, in the language that is in use."""
    href = house.links.absolute(letter.path) if letter.path else ""
    said = [_("%(name)s wrote:", name=one.who) + f"\n\n{_quoted(one.body)}" for one in letter.said]
    link = [f"{letter.label}:\n{href}"] if href else []
    text = "\n\n".join([*letter.paragraphs, *said, *link, *letter.closing])
    return f"{text}\n", house.render.piece("mail/letter.html", {"letter": letter, "href": href})


def _quoted(body: str) -> str:
    """Set apart from our own words, as text can be."""
    return "\n".join(f"| {line}".rstrip() for line in body.splitlines())
