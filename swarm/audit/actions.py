"""Writes of the audit log."""

from __future__ import annotations

from swarm.audit.models import Audited
from swarm.events import Event
from swarm.store import Work


def note(work: Work, event: Event) -> None:
    """Keep the fact in the audit log, in the transaction that made it one."""
    data = event.data()
    work.session.add(
        Audited(at=work.now, actor=work.actor.key, kind=event.kind, about=_about(data), data=data)
    )


def _about(data: dict[str, object]) -> str:
    for field in ("ticket_id", "team_id", "person_id", "webhook_id", "customer_id"):
        if data.get(field):
            return f"{field.removesuffix('_id')}:{data[field]}"
    return ""
