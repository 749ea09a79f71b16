"""How a rule answers, and how an action says no: always with a sentence for the person."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowed:
    """Go ahead."""

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Refused:
    """No, and why, in words for the person who asked."""

    sentence: str

    def __bool__(self) -> bool:
        return False


Verdict = Allowed | Refused
ALLOWED = Allowed()


class No(Exception):
    """An action did nothing; `sentence` says why to the person."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NotAllowed(No):
    """A rule refused."""


class Unknown(No):
    """It is not there, or not for this person to see: both look the same."""


class Stale(No):
    """Somebody was faster: nothing was changed, the sentence says who and what."""


class Unfit(No):
    """What was sent cannot be; `field` names where, empty for the whole."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def ensure(verdict: Verdict) -> None:
    """Raise `NotAllowed` where the rule refused."""
    if isinstance(verdict, Refused):
        raise NotAllowed(verdict.sentence)
