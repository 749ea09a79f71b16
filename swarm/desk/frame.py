"""What every staff page shares: who I am, what waits, and which streams the page watches."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from swarm.events import Actor
from swarm.people.models import Person, Team
from swarm.people.queries import Face
from swarm.rooms.queries import count_asked_of
from swarm.store import Work, log
from swarm.text.language import _
from swarm.tickets.lists import COUNT_UP_TO, ListName, count_of
from swarm.tickets.words import availability_word

AVAILABILITIES = ("available", "busy", "away")


@dataclass(frozen=True, slots=True)
class RailItem:
    """A place to go, with how much waits there."""

    key: str
    label: str
    href: str
    icon: str
    count: str = ""
    calls: bool = False


def frame(work: Work, here: str = "mine", streams: Collection[str] = ()) -> dict[str, Any]:
    """The context of `desk/frame.html` from this snapshot; `streams` are watched as well."""
    actor, session = work.actor, work.session
    person = session.get_one(Person, actor.person_id)
    epoch = log.epoch(session)
    watched = [
        "house:1",
        f"person:{person.id}",
        *(f"team:{id_}" for id_ in _teams_of(session, actor)),
        *streams,
    ]
    return {
        "me": actor.key,
        "my_name": person.name,
        "my_hue": Face(actor.key, person.name).hue,
        "my_availability": person.availability,
        "my_availability_word": availability_word(person.availability),
        "availabilities": [(key, availability_word(key)) for key in AVAILABILITIES],
        "here": here,
        "rail": _rail(session, actor),
        "epoch": epoch,
        "live": live_meta(epoch, log.heads(session, watched)),
    }


def live_meta(epoch: str, streams: dict[str, int]) -> str:
    """What the page knows already, as the live script reads it from the meta tag."""
    return json.dumps({"epoch": epoch, "streams": streams}, separators=(",", ":"))


def count_word(count: int) -> str:
    """A count for a person; counting stops at 100."""
    return _("%(most)s+", most=COUNT_UP_TO) if count > COUNT_UP_TO else str(count)


def _rail(session: Session, actor: Actor) -> list[RailItem]:
    def waiting(name: ListName) -> str:
        return count_word(count_of(session, actor, name))

    asked = count_word(count_asked_of(session, actor))
    return [
        RailItem("mine", _("Mine"), "/mine", "inbox", waiting("mine")),
        RailItem("asked", _("Asked of me"), "/asked", "hand", asked, calls=True),
        RailItem("rooms", _("Rooms"), "/rooms", "message-square", waiting("rooms")),
        RailItem("queue", _("Team queue"), "/queue", "list-todo", waiting("queue")),
        RailItem("all", _("All"), "/tickets", "rows-3"),
        RailItem("customers", _("Customers"), "/customers", "user-round"),
        RailItem("teams", _("Teams"), "/teams", "users-round"),
    ]


def _teams_of(session: Session, actor: Actor) -> Collection[int]:
    return session.scalars(select(Team.id)).all() if actor.manages else sorted(actor.rungs)
