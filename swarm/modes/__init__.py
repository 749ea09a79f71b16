"""The two ways to work a ticket, and a team's policy between them.

Nobody outside this folder compares with a mode's name: they ask the mode a question.
"""

from swarm.modes.case import Case
from swarm.modes.questions import Mode
from swarm.modes.tiered import TIERED
from swarm.modes.tierless import TIERLESS

MODES: dict[str, Mode] = {mode.key: mode for mode in (TIERED, TIERLESS)}


def mode_of(key: str) -> Mode:
    """The mode by its stored name. Raises `KeyError`."""
    return MODES[key]


def other_than(key: str) -> Mode:
    """The mode a ticket could be moved to."""
    return next(mode for mode in MODES.values() if mode.key != key)


__all__ = ["MODES", "TIERED", "TIERLESS", "Case", "Mode", "mode_of", "other_than"]
