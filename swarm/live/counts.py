"""What the hub did since it started; for metrics."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds up to which each bucket of a `Timing` counts; the last has no bound."""


@dataclass(slots=True)
class Counts:
    """Totals of one worker."""

    deliveries: int = 0
    writes: int = 0
    turns: int = 0
    slow_cut: int = 0
    silent_cut: int = 0
    reloads: int = 0
    found_by_heads: int = 0


class Timing:
    """How long something took, how often."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Once more; what a moved clock makes negative took no time."""
        seconds = max(0.0, seconds)
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds
