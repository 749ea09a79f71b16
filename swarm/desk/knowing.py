"""Forms that set many levels at once: `12:2` for each skill or team somebody has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from swarm.people.models import LEVELS, PersonSkill
from swarm.people.queries import skills
from swarm.people.words import level_word
from swarm.text.language import _
from swarm.web.errors import Invalid

MOST_PAIRS = 300


@dataclass(frozen=True, slots=True)
class Known:
    """A skill, and how well somebody knows it: pairs of value and words, the first for not at all."""

    skill_id: int
    name: str
    options: Sequence[tuple[str, str]]
    chosen: str


def known(session: Session, person_id: int, chosen: Sequence[str] | None = None) -> list[Known]:
    """Every skill, with how well somebody knows it, or as was `chosen` on a form that was refused."""
    if chosen is None:
        rows = select(PersonSkill.skill_id, PersonSkill.level).where(PersonSkill.person_id == person_id)
        chosen = [f"{skill}:{level}" for skill, level in session.execute(rows)]
    found = []
    for skill in skills(session):
        options = [("", _("no")), *((f"{skill.id}:{level}", level_word(level)) for level in LEVELS)]
        here = next((value for value, _words in options if value and value in chosen), "")
        found.append(Known(skill.id, skill.name, options, here))
    return found


def pairs(sent: Iterable[str], field: str) -> Mapping[int, int]:
    """`12:2` of each choice as {12: 2}; an empty choice is none. Raises `Invalid`."""
    found: dict[int, int] = {}
    for one in sent:
        if not one:
            continue
        key, _colon, value = one.partition(":")
        if not (_digits(key) and _digits(value)) or int(key) in found:
            raise Invalid({field: _("Choose one of the offered.")})
        found[int(key)] = int(value)
    return found


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15
