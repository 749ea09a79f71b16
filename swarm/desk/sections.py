"""Ways between the pages about teams, people and what they know."""

from __future__ import annotations

from typing import Any

from swarm.desk.frame import frame
from swarm.events import Actor
from swarm.people.rules import may_manage_accounts, may_steer
from swarm.store import Work
from swarm.text.language import _


def page(work: Work, tab: str) -> dict[str, Any]:
    """The context that these pages share; `tab` names where one is."""
    return frame(work, "teams") | {"tabs": _tabs(work.actor), "tab": tab}


def _tabs(actor: Actor) -> list[tuple[str, str, str]]:
    if not may_steer(actor):
        return []
    return [
        ("teams", _("Teams"), "/teams"),
        ("people", _("People"), "/people"),
        ("skills", _("Skills"), "/skills"),
        *([("webhooks", _("Webhooks"), "/webhooks")] if may_manage_accounts(actor) else []),
        *([("audit", _("Audit log"), "/audit")] if may_manage_accounts(actor) else []),
    ]
