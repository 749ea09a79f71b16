"""What a demo says of itself to those who simulate its people."""

from __future__ import annotations

import msgspec

ADDRESSES = "@simulated.example"
"""Of simulated customers; nobody can own such an address (RFC 2606)."""


class Stage(msgspec.Struct, frozen=True):
    """Whether they may work, whether anybody looks, and whom of the demo's people visitors are."""

    on: bool
    visited: bool
    taken: tuple[int, ...] = ()
