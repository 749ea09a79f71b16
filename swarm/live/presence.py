"""Who is in a room, as the servers see it: by their sockets, not by what pages claim."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from swarm.live.frames import Batch, encode
from swarm.live.ports import Viewer

LIFE = 90.0
"""Seconds another worker's word is believed."""
REFRESH = 30.0
"""Seconds between two words of ours."""
GRACE = 10.0
"""Seconds a person stays after the last socket went, so that a reconnect is not news."""
TOGETHER = 0.25
"""Seconds in which changes share one frame."""
EACH = 0.005
"""Seconds more for each person there: a frame names all of them to all of them."""
MOST = 200
"""Names in one frame."""

Here = Sequence[tuple[str, str]]
Tell = Callable[[str, Mapping[str, Any]], None]
Changed = Callable[[str, Batch], None]


def has_presence(stream: str) -> bool:
    """People are present, and type, in rooms and customer lanes only."""
    return stream.startswith(("room:", "lane:"))


def hears_of(audience: str, stream: str) -> bool:
    """Whether these are told who is there: a guest in the room only, the lane would name the customer."""
    return audience == "staff" or (audience == "guest" and stream.startswith("room:"))


def presence_frame(stream: str, here: Here) -> bytes:
    """Who is there, as the pages of staff and guests get it."""
    return encode({"t": "presence", "s": stream, "here": [{"id": who, "name": name} for who, name in here]})


@dataclass(slots=True)
class _Person:
    name: str
    sockets: int = 0
    leaving: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class _Room:
    here: dict[str, _Person] = field(default_factory=dict)
    elsewhere: dict[str, tuple[float, dict[str, str]]] = field(default_factory=dict)
    """Worker → until when (loop time), who."""
    told: Here = ()
    told_at: float = float("-inf")
    """Loop time."""
    frame: Batch | None = None
    """Who is there, until that changes."""


class Presence:
    """Local sockets and what the other workers say; used only in the event loop."""

    def __init__(self, tell: Tell, changed: Changed, *, grace: float = GRACE, life: float = LIFE) -> None:
        self._tell = tell
        self._changed = changed
        self._grace = grace
        self._life = life
        self._worker = secrets.token_hex(4)
        self._rooms: dict[str, _Room] = {}
        self._dirty: set[str] = set()
        self._aloud: set[str] = set()
        """Rooms of which the other workers are to be told."""
        self._flush: asyncio.TimerHandle | None = None

    def enter(self, stream: str, viewer: Viewer) -> None:
        """A socket of this person looks at the stream."""
        room = self._rooms.get(stream)
        if room is None:
            room = self._rooms[stream] = _Room()
            self._tell(stream, {"k": "who", "w": self._worker})
        person = room.here.setdefault(viewer.id, _Person(viewer.name))
        person.sockets += 1
        if person.leaving is not None:
            person.leaving.cancel()
            person.leaving = None
        elif person.sockets == 1:
            self._say(stream, room)

    def leave(self, stream: str, viewer: Viewer) -> None:
        """A socket of this person went."""
        room = self._rooms.get(stream)
        person = room.here.get(viewer.id) if room else None
        if person is None:
            return
        person.sockets -= 1
        if person.sockets <= 0 and person.leaving is None:
            loop = asyncio.get_running_loop()
            person.leaving = loop.call_later(self._grace, self._gone, stream, viewer.id)

    def here(self, stream: str) -> Here:
        """Everybody there, by id."""
        room = self._rooms.get(stream)
        if room is None:
            return ()
        now = asyncio.get_running_loop().time()
        people = {who: person.name for who, person in room.here.items()}
        for worker, (until, others) in list(room.elsewhere.items()):
            if until <= now:
                del room.elsewhere[worker]
            else:
                people = others | people
        return tuple(sorted(people.items()))[:MOST]

    def frame(self, stream: str) -> Batch:
        """Everybody there, for one who has just come."""
        room = self._rooms.get(stream)
        if room is None:
            return Batch([presence_frame(stream, ())])
        if room.frame is None:
            room.frame = Batch([presence_frame(stream, self.here(stream))])
        return room.frame

    def hear(self, stream: str, message: Mapping[str, Any]) -> None:
        """Another worker says who is there, or asks."""
        room = self._rooms.get(stream)
        if room is None or message.get("w") == self._worker:
            return
        if message["k"] == "who":
            self._say(stream, room, aloud=True)
            return
        people = dict(message["p"])
        if people:
            until = asyncio.get_running_loop().time() + self._life
            room.elsewhere[str(message["w"])] = (until, people)
        else:
            room.elsewhere.pop(str(message["w"]), None)
        room.frame = None
        self._touch(stream)

    def refresh(self) -> None:
        """Say again who is here, and forget workers that fell silent."""
        for stream, room in list(self._rooms.items()):
            self._say(stream, room, aloud=bool(room.here))
            if not room.here and stream not in self._aloud:
                del self._rooms[stream]

    def stop(self) -> None:
        """This worker goes: its people are no longer its word."""
        if self._flush is not None:
            self._flush.cancel()
        for stream, room in self._rooms.items():
            for person in room.here.values():
                if person.leaving is not None:
                    person.leaving.cancel()
            if room.here:
                self._tell(stream, {"k": "here", "w": self._worker, "p": []})
        self._rooms.clear()

    def _gone(self, stream: str, who: str) -> None:
        room = self._rooms.get(stream)
        person = room.here.get(who) if room else None
        if room is None or person is None or person.sockets > 0:
            return
        del room.here[who]
        self._say(stream, room)

    def _say(self, stream: str, room: _Room, *, aloud: bool = True) -> None:
        if aloud:
            self._aloud.add(stream)
        room.frame = None
        self._touch(stream)

    def _touch(self, stream: str) -> None:
        self._dirty.add(stream)
        self._ask_flush()

    def _ask_flush(self) -> None:
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(TOGETHER, self._flush_now)

    def _flush_now(self) -> None:
        self._flush = None
        dirty, self._dirty = self._dirty, set()
        now = asyncio.get_running_loop().time()
        for stream in dirty:
            room = self._rooms.get(stream)
            if room is None:
                self._aloud.discard(stream)
            elif now < room.told_at + EACH * len(room.told):
                self._dirty.add(stream)
                self._ask_flush()
            else:
                self._flush_room(stream, room, now)

    def _flush_room(self, stream: str, room: _Room, now: float) -> None:
        if stream in self._aloud:
            self._aloud.discard(stream)
            people = [[who, person.name] for who, person in room.here.items()]
            self._tell(stream, {"k": "here", "w": self._worker, "p": people})
        now_here = self.here(stream)
        if now_here != room.told:
            room.told, room.told_at, room.frame = now_here, now, None
            self._changed(stream, self.frame(stream))
