"""What the hub is given, and what it never knows the inside of."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from swarm.store.log import Entry

Audience = Literal["staff", "customer", "guest"]
Op = Sequence[str]
"""`[verb, target, html?]`, as docs/protocol.md lists them."""
Drawn = Sequence[Op] | None
"""What one event does to a page; None: this audience gets the number and nothing else."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks through a socket."""

    key: str
    """The session."""
    id: str
    """`person:7`, `customer:9` or `guest:3`."""
    name: str
    audience: Audience
    language: str
    stamp: int
    """Moves whenever the viewer's rights do."""
    writes: bool = True
    """Whether it may post and type at all: a program's token may be for reading only."""


@dataclass(frozen=True, slots=True)
class Refused:
    """No socket for these headers; `code` is one of close_codes."""

    code: int
    why: str


class PostRefused(Exception):
    """The action did nothing; `why` is a sentence for the person, `status` as over HTTP.

    Sent again unchanged, it may succeed `after` so many seconds; 0 where it will not by itself.
    """

    def __init__(self, status: int, why: str, after: int = 0) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.after = after


class Log(Protocol):
    """The log of the store; every method is called in a thread and may block."""

    def heads(self, streams: Collection[str]) -> Mapping[str, int]:
        """The last number of each stream, 0 for an empty one."""
        ...

    def after(self, stream: str, seq: int, limit: int) -> Sequence[Entry]:
        """What follows number `seq`, in order."""
        ...

    def epoch(self) -> str:
        """Which life of the database this is."""
        ...

    def changed_outside(self) -> bool:
        """Whether anybody may have written since the last call; True where that is not cheap to tell."""
        ...


class Render(Protocol):
    """Draws events once for everybody of an audience and language; called in a thread."""

    def __call__(self, entries: Sequence[Entry], audience: str, language: str) -> Sequence[Drawn]:
        """One answer per entry."""
        ...


class AtOnce(Protocol):
    """Like `Render`, in the event loop, where it takes microseconds."""

    def __call__(self, entries: Sequence[Entry], audience: str, language: str) -> Sequence[Drawn] | None:
        """None where it would take longer."""
        ...


class Describe(Protocol):
    """The same events as data, for programs; called in a thread."""

    def __call__(self, entries: Sequence[Entry], audience: str, language: str) -> Sequence[Any | None]:
        """One answer per entry, to be encoded; None: this audience gets the number and nothing else."""
        ...


class Doorman(Protocol):
    """Who may look at what; called in a thread."""

    def admit(self, knocks: Sequence[Mapping[str, str]]) -> Sequence[Viewer | Refused]:
        """Whose handshakes these are, by their headers; one query for all, an answer for each."""
        ...

    def allowed(self, asked: Mapping[Viewer, Collection[str]]) -> Mapping[Viewer, set[str]]:
        """Which of the streams each viewer may watch now; all of it on one snapshot."""
        ...

    def may_write(self, viewer: Viewer, stream: str) -> bool:
        """Whether the viewer may write there now: only they are shown as typing."""
        ...

    def standing(self, viewers: Collection[Viewer]) -> Mapping[str, int | None]:
        """Session → the stamp its rights have now, None when it is over; one query for all."""
        ...


class Post(Protocol):
    """The action behind the form, for programs that write through the socket."""

    def __call__(self, viewer: Viewer, stream: str, client_id: str, body: str) -> Awaitable[int]:
        """The message's number, after its commit; the answer raises `PostRefused`."""
        ...


class Ear(Protocol):
    """What a doorbell calls, always in the event loop."""

    def heard(self, stream: str, seq: int, entry: Entry | None) -> None:
        """The stream reached this number, or somebody says so."""
        ...

    def reread(self, streams: Collection[str]) -> None:
        """Something may have been missed on these."""
        ...

    def signal(self, stream: str, message: Mapping[str, Any]) -> None:
        """Another worker says something that needs no memory."""
        ...


class Doorbell(Protocol):
    """A hint between workers: may be lost, doubled or late. Called in the event loop."""

    async def start(self, ear: Ear) -> None:
        """Begin to listen; does not fail when the other side is down."""
        ...

    async def stop(self) -> None:
        """Let the connections go."""
        ...

    def ring(self, entries: Sequence[Entry]) -> None:
        """Tell the other workers; never waits."""
        ...

    def tell(self, stream: str, message: Mapping[str, Any]) -> None:
        """Pass a signal to the other workers; never waits."""
        ...

    async def ensure(self, streams: Collection[str]) -> None:
        """Return once rings for these arrive here, or after a short while when they cannot."""
        ...

    def drop(self, streams: Collection[str]) -> None:
        """Nobody here looks at these any more."""
        ...

    def age(self) -> float:
        """Seconds since the bell was last known to work, through its real path."""
        ...
