"""What a run did and saw, and what is wrong with it; knows no network."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["ok", "fail", "info"]
"""Certainly done, certainly not done, nobody can say: a timeout is never a `fail`."""


Stands = list[tuple[int, str]]
"""Number and client id of every message of a stream, in order."""


@dataclass(frozen=True, slots=True)
class Call:
    """One message somebody tried to write, however often it was sent."""

    stream: str
    client_id: str
    began: float
    """Seconds of the run's one clock."""
    ended: float
    outcome: Outcome
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A stored message."""

    stream: str
    seq: int
    client_id: str


@dataclass(slots=True)
class Watcher:
    """What one page was sent and shows."""

    name: str
    stream: str
    faults: list[str] = field(default_factory=list)
    """Promises of the protocol that were broken on the way."""
    shown: list[tuple[int, str]] = field(default_factory=list)
    """Number and client id of each message, as it stands on the page."""
    since: int = 0
    """The number after which the page shows everything."""
    until: int | None = None
    """The number at which the page was closed; it shows nothing after it."""
    received: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault, and when it was, on the clock of the calls."""

    name: str
    began: float
    ended: float


@dataclass(slots=True)
class History:
    """Everything of one run."""

    calls: list[Call] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    heads: Mapping[str, int] = field(default_factory=dict)
    numbers: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Every number the log holds, by stream."""
    nodes: Mapping[str, Mapping[str, Sequence[tuple[int, str]]]] = field(default_factory=dict)
    """Node → stream → the messages at the end of its page."""
    watchers: list[Watcher] = field(default_factory=list)
    outsiders: list[Watcher] = field(default_factory=list)
    inside: Sequence[str] = ()
    """Words that no outsider may receive."""
    struck: list[Struck] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Promises that were seen to be broken while it went on."""


def findings(history: History) -> list[str]:
    """Everything that should not be, in words; empty for a run that kept every promise."""
    stands = _stands(history)
    return [
        *history.broken,
        *_calls(history),
        *_log(history),
        *_order(history),
        *_nodes(history, stands),
        *(finding for watcher in history.watchers for finding in _watcher(watcher, stands[watcher.stream])),
        *_outsiders(history),
    ]


def _calls(history: History) -> Iterator[str]:
    stored: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in history.rows:
        stored[row.stream, row.client_id].append(row.seq)
    asked = {(call.stream, call.client_id): call for call in history.calls}
    for key, seqs in stored.items():
        if len(seqs) > 1:
            yield f"stored twice: {key} as {seqs}"
        if key not in asked:
            yield f"phantom: {key} was never sent"
    for key, call in asked.items():
        seqs = stored.get(key, [])
        if call.outcome == "ok" and not seqs:
            yield f"lost: {key} was acknowledged as {call.seq}"
        elif call.outcome == "ok" and call.seq not in seqs:
            yield f"wrong number: {key} was acknowledged as {call.seq} and stands as {seqs}"
        elif call.outcome == "fail" and seqs:
            yield f"failed but stored: {key} as {seqs}"


def _log(history: History) -> Iterator[str]:
    for stream, numbers in history.numbers.items():
        if list(numbers) != list(range(1, len(numbers) + 1)):
            missing = sorted(set(range(1, max(numbers, default=0) + 1)) - set(numbers))
            yield f"gap in {stream}: {missing or 'out of order'}"
        head, last = history.heads.get(stream, 0), max(numbers, default=0)
        if head != last:
            yield f"the head of {stream} is {head}, its log ends at {last}"


def _order(history: History) -> Iterator[str]:
    """What was acknowledged before another was begun stands before it."""
    by_stream: dict[str, list[Call]] = defaultdict(list)
    for call in history.calls:
        if call.outcome == "ok" and call.seq is not None:
            by_stream[call.stream].append(call)
    for stream, calls in by_stream.items():
        highest, ended = 0, sorted(calls, key=lambda call: call.ended)
        place = 0
        for call in sorted(calls, key=lambda one: one.began):
            while place < len(ended) and ended[place].ended < call.began:
                highest = max(highest, ended[place].seq or 0)
                place += 1
            if (call.seq or 0) < highest:
                yield f"order in {stream}: {call.client_id} is {call.seq}; {highest} had ended when it began"


def _nodes(history: History, stands: Mapping[str, Stands]) -> Iterator[str]:
    for node, streams in history.nodes.items():
        for stream, shown in streams.items():
            rows = stands.get(stream, [])
            if list(shown) != rows[-len(shown) :] or (rows and not shown):
                yield f"{node} does not agree on {stream}: {list(shown)[-5:]} beside {rows[-5:]}"


def _watcher(watcher: Watcher, stands: Stands) -> Iterator[str]:
    yield from (f"{watcher.name}: {fault}" for fault in watcher.faults)
    seqs = [seq for seq, _id in watcher.shown]
    for seq, count in Counter(seqs).items():
        if count > 1:
            yield f"{watcher.name} shows {watcher.stream} {seq} {count} times"
    if seqs != sorted(seqs):
        yield f"{watcher.name} shows {watcher.stream} out of order"
    last = math.inf if watcher.until is None else watcher.until
    wanted = [one for one in stands if watcher.since < one[0] <= last]
    shown = set(watcher.shown)
    if holes := [one for one in wanted if one not in shown]:
        yield f"{watcher.name} does not show {watcher.stream} {holes[:5]}"
    if phantoms := shown - set(stands):
        yield f"{watcher.name} shows what is not stored in {watcher.stream}: {sorted(phantoms)[:5]}"


def _outsiders(history: History) -> Iterator[str]:
    for watcher in history.outsiders:
        yield from (f"{watcher.name}: {fault}" for fault in watcher.faults)
        everything = "\n".join(watcher.received)
        for word in history.inside:
            if word in everything:
                yield f"{watcher.name} was sent {word!r}"


def _stands(history: History) -> defaultdict[str, Stands]:
    stands: defaultdict[str, Stands] = defaultdict(list)
    for row in sorted(history.rows, key=lambda row: row.seq):
        stands[row.stream].append((row.seq, row.client_id))
    return stands
