"""What the hub did since it started; for metrics."""

from __future__ import annotations

from dataclasses import dataclass


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
