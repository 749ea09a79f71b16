"""The table of the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from swarm.store.tables import Table


class Audited(Table):
    """One fact about people, rights or rules, never changed."""

    __tablename__ = "audit"
    __table_args__ = (
        Index(None, "actor", "id"),
        Index(None, "about", "id"),
        Index(None, "kind", "id"),
        Index(None, "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    kind: Mapped[str]
    about: Mapped[str]
    """`person:7`, `team:2`, `ticket:41`, `customer:9`; empty for the house."""
    data: Mapped[dict[str, Any]]
