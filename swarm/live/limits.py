"""Bounds and periods of the sockets, in seconds, bytes and counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What main may set; the defaults are those of docs/protocol.md."""

    beat: float = 20.0
    """A page pings this often."""
    resync: int = 300
    """A page further behind than this many events reloads."""
    heads_every: float = 1.0
    """The log's heads are compared with what was sent."""
    rights_every: float = 2.0
    """Everybody's standing is asked for."""
    rights_stale: float = 3.0
    """Nothing is delivered on an older answer about standing."""
    slow_reader: int = 1024 * 1024
    """Bytes a socket may leave unread before it is cut."""
    sockets: int = 20_000
    """Sockets of one worker."""
    sockets_of_one: int = 100
    """Sockets of one session on one worker."""
    frames_per_second: float = 20.0
    frames_at_once: int = 100
    posts_per_second: float = 5.0
    posts_at_once: int = 30
    posts_in_flight: int = 64
    pace: float = 0.003
    """Between two drawings of one stream: what comes faster goes out together."""
    typing_every: float = 3.0
    presence_grace: float = 10.0
    threads: int = 4


class Bucket:
    """Tokens that refill with time."""

    __slots__ = ("at", "left")

    def __init__(self, full: float, now: float) -> None:
        self.left = full
        self.at = now

    def take(self, now: float, rate: float, most: float) -> bool:
        """Whether one more is fine; `rate` tokens a second, at most `most`."""
        self.left = min(most, self.left + (now - self.at) * rate)
        self.at = now
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True
