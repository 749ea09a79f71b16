"""What programs send to each door when all is well."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from tests.access.people import World


def body(world: World, path: str, ticket: str) -> Mapping[str, Any]:
    """The JSON object for the door at `path`, below the version."""
    people, new = world.people, {"client_id": secrets.token_hex(16)}
    colleague = {"climbing": "ladder_one", "swarming": "swarm"}.get(ticket, "hive_one")
    words = {"reason": "Because", "version": world.versions[ticket]}
    last = path.rpartition("/")[2]
    bodies: dict[str, Mapping[str, Any]] = {
        "messages": {"body": "A line", **new},
        "pace": {"pace": "on_hold"},
        "answer": {"message": world.notes[ticket]},
        "details": {"priority": "high", "category": "network", "language": "fr", "tags": ["one", "two"]},
        "owner": {"version": world.versions[ticket]},
        "handover": {**words, "to": people[colleague]},
        "escalation": {**words, "note": "Tried it all"},
        "return": words,
        "mode": {"reason": "Because"},
        "asks": {"question": "Why?", "tried": "x", "people": [people["outsider"]], **new},
        "dismissal": {"person": people["swarm"]},
        "refusal": {"why": "No time"},
        "tickets": {
            "team": world.teams["ladder"],
            "name": "Ana",
            "subject": "Help",
            "body": "It broke.",
            **new,
        },
        "policy": {"policy": "tierless", "share": 0, "note": "Try it", "version": world.policy},
        "availability": {"availability": "busy"},
        "people": {"name": "New", "email": "new@staff.example.org", "role": "agent", "language": "en"},
        "account": {"name": "Outsider", "email": "other@staff.example.org", "role": "agent"},
        "skills": {"skill": world.skill, "level": 2},
        "members": {"person": people["outsider"], "tier": 1},
        "removal": {"person": people["outsider"]},
    }
    return bodies.get(last, {})
