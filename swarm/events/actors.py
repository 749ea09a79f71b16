"""Who is acting: a colleague, a customer, a guest of a room, the system, or nobody known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["agent", "specialist", "manager", "administrator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Everything the rules need to know of whoever acts; loaded once a request."""

    key: str
    """`person:7`, `customer:9`, `guest:3`, `system` or `nobody`: what the log keeps."""
    name: str = ""
    language: str = "en"
    timezone: str = "UTC"
    session: str = ""
    stamp: int = 0
    """Moves whenever the actor's rights do."""
    person_id: int | None = None
    customer_id: int | None = None
    role: Role | None = None
    rungs: Mapping[int, int] = field(default_factory=dict)
    """Team id → the tier this person works in there."""
    skills: frozenset[int] = frozenset()
    cases: frozenset[int] = frozenset()
    """Tickets this customer's cookie was exchanged for."""
    guest_id: int | None = None
    guest_of: int | None = None
    """The one ticket a guest was invited to."""

    @property
    def is_staff(self) -> bool:
        """Works here."""
        return self.person_id is not None

    @property
    def manages(self) -> bool:
        """May steer teams and step in anywhere, openly."""
        return self.role in ("manager", "administrator")


SYSTEM = Actor(key="system")
NOBODY = Actor(key="nobody")
