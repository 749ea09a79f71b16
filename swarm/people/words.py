"""What roles and levels are called."""

from __future__ import annotations

from swarm.text.language import _


def role_word(role: str) -> str:
    """What somebody may do, in a word."""
    return {
        "agent": _("Agent"),
        "specialist": _("Specialist"),
        "manager": _("Manager"),
        "administrator": _("Administrator"),
    }.get(role, role)


def role_hint(role: str) -> str:
    """What somebody may do, in a sentence."""
    return {
        "agent": _("Owns tickets and answers customers, in their teams."),
        "specialist": _("Is asked for help; sees the tickets they were asked about."),
        "manager": _("Steers teams: how they work, who is in them, who knows what."),
        "administrator": _("Like a manager, and gives accounts and takes them away."),
    }[role]


def level_word(level: int) -> str:
    """How well somebody knows something."""
    return {1: _("a little"), 2: _("well"), 3: _("others learn it from them")}[level]
