"""One stream as this worker knows it: how far it was told, what is waiting, who looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from swarm.live.frames import Form
from swarm.store.log import Entry

if TYPE_CHECKING:
    from swarm.live.socket import Socket

Group = tuple[str, str, Form]
"""Audience, language, form: everybody in it gets the same bytes."""
MOST_CARRIED = 256
"""Entries kept from rings; what is beyond is read from the log."""

MOST_RECENT = 1000
"""Events kept for those who are joining."""


class Stream:
    """The tail of a stream; used only in the event loop."""

    __slots__ = (
        "ahead",
        "busy",
        "carried",
        "drawn_at",
        "failures",
        "groups",
        "key",
        "known",
        "recent",
        "sent",
        "waiting",
    )

    def __init__(self, key: str) -> None:
        self.key = key
        self.sent: int | None = None
        """The last number live watchers got; None until the log was asked."""
        self.known = 0
        """The highest number anybody spoke of."""
        self.carried: dict[int, Entry] = {}
        self.groups: dict[Group, set[Socket]] = {}
        self.ahead: dict[Socket, int] = {}
        """Watchers whose page already shows more than `sent`."""
        self.waiting: dict[Group, int] = {}
        """How many of each group are joining."""
        self.recent: dict[Group, dict[int, bytes]] = {}
        """What live watchers got while others were joining."""
        self.busy = False
        self.drawn_at = float("-inf")
        """Loop time at which it was last drawn."""
        self.failures = 0

    def hear(self, seq: int, entry: Entry | None) -> None:
        """Note a number; keep its entry while it may be the next one."""
        if entry is not None and (self.sent is None or seq > self.sent) and len(self.carried) < MOST_CARRIED:
            self.carried[seq] = entry
        if seq > self.known:
            self.known = seq

    def carried_next(self) -> list[Entry]:
        """The entries that follow `sent` without a hole, from what the rings carried."""
        entries: list[Entry] = []
        if self.sent is not None:
            seq = self.sent + 1
            while (entry := self.carried.get(seq)) is not None:
                entries.append(entry)
                seq += 1
        return entries

    def told(self, seq: int) -> None:
        """Live watchers have got everything up to here."""
        self.sent = seq
        self.known = max(self.known, seq)
        if self.carried:
            self.carried = {n: entry for n, entry in self.carried.items() if n > seq}
        if self.ahead:
            self.ahead = {socket: n for socket, n in self.ahead.items() if n > seq}

    @property
    def wanted(self) -> set[Group]:
        """The groups to draw for."""
        return self.groups.keys() | self.waiting.keys()

    def awaited(self, group: Group) -> None:
        """Somebody of this group begins to join."""
        self.waiting[group] = self.waiting.get(group, 0) + 1

    def settled(self, group: Group) -> None:
        """Somebody of this group has joined, or not."""
        self.waiting[group] -= 1
        if not self.waiting[group]:
            del self.waiting[group]
            self.recent.pop(group, None)

    def keep(self, group: Group, after: int, payloads: Sequence[bytes]) -> None:
        """Buffer for those of the group who are joining."""
        if group in self.waiting:
            kept = self.recent.setdefault(group, {})
            if len(kept) < MOST_RECENT:
                kept.update(enumerate(payloads, after + 1))

    def kept(self, group: Group, after: int) -> list[bytes] | None:
        """What follows `after` up to `sent`; None when not all of it was kept."""
        kept = self.recent.get(group, {})
        payloads = [kept.get(seq) for seq in range(after + 1, (self.sent or 0) + 1)]
        return None if None in payloads else [payload for payload in payloads if payload is not None]

    def add(self, socket: Socket, shown: int) -> None:
        """Make a watcher live, whose page shows `shown`, not less than `sent`."""
        self.groups.setdefault(socket.group, set()).add(socket)
        if self.sent is not None and shown > self.sent:
            self.ahead[socket] = shown

    def remove(self, socket: Socket) -> None:
        """Let a watcher go."""
        self.ahead.pop(socket, None)
        members = self.groups.get(socket.group)
        if members is not None:
            members.discard(socket)
            if not members:
                del self.groups[socket.group]

    def sockets(self) -> list[Socket]:
        """Everybody who is live on it."""
        return [socket for group in self.groups.values() for socket in group]

    @property
    def unused(self) -> bool:
        """Nobody looks, nobody is about to."""
        return not self.groups and not self.waiting and not self.busy


def without_holes(entries: Sequence[Entry], after: int) -> Sequence[Entry]:
    """The part of `entries` that follows number `after` one by one."""
    for place, entry in enumerate(entries):
        if entry.seq != after + 1 + place:
            return entries[:place]
    return entries
