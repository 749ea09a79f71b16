"""What a run did and saw, and what is wrong with it; knows no network."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["ok", "fail", "info"]
"""Certainly done, certainly not done, nobody can say: a timeout is never a `fail`."""


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
    received: list[str] = field(default_factory=list)


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


def findings(history: History) -> list[str]:
    """Everything that should not be, in words; empty for a run that kept every promise."""
    return [
        *_calls(history),
        *_log(history),
        *_order(history),
        *_nodes(history),
        *(finding for watcher in history.watchers for finding in _watcher(history, watcher)),
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


def _nodes(history: History) -> Iterator[str]:
    stands = _stands(history)
    for node, streams in history.nodes.items():
        for stream, shown in streams.items():
            if list(shown) != stands[stream][-len(shown) :] or (stands[stream] and not shown):
                yield f"{node} does not agree on {stream}: {list(shown)[-5:]} beside {stands[stream][-5:]}"


def _watcher(history: History, watcher: Watcher) -> Iterator[str]:
    yield from (f"{watcher.name}: {fault}" for fault in watcher.faults)
    seqs = [seq for seq, _id in watcher.shown]
    for seq, count in Counter(seqs).items():
        if count > 1:
            yield f"{watcher.name} shows {watcher.stream} {seq} {count} times"
    if seqs != sorted(seqs):
        yield f"{watcher.name} shows {watcher.stream} out of order"
    wanted = [one for one in _stands(history)[watcher.stream] if one[0] > watcher.since]
    shown = set(watcher.shown)
    if holes := [one for one in wanted if one not in shown]:
        yield f"{watcher.name} does not show {watcher.stream} {holes[:5]}"
    if phantoms := shown - set(_stands(history)[watcher.stream]):
        yield f"{watcher.name} shows what is not stored in {watcher.stream}: {sorted(phantoms)[:5]}"


def _outsiders(history: History) -> Iterator[str]:
    for watcher in history.outsiders:
        yield from (f"{watcher.name}: {fault}" for fault in watcher.faults)
        everything = "\n".join(watcher.received)
        for word in history.inside:
            if word in everything:
                yield f"{watcher.name} was sent {word!r}"


def _stands(history: History) -> defaultdict[str, list[tuple[int, str]]]:
    stands: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in sorted(history.rows, key=lambda row: row.seq):
        stands[row.stream].append((row.seq, row.client_id))
    return stands
