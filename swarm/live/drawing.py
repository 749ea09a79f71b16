"""From log to bytes, once for everybody of a group; runs in threads unless it is quick, touches no socket."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from swarm.live.frames import described, drawn
from swarm.live.ports import AtOnce, Describe, Doorman, Log, Render, Viewer
from swarm.live.stream import Group, without_holes
from swarm.store.log import Entry

Pieces = Mapping[Group, Sequence[bytes]]
"""Group → one payload per entry."""
TAKE = 100
"""Entries of one stream drawn in one go."""
STREAMS_AT_ONCE = 1000

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Job:
    """What one stream needs to go on."""

    key: str
    after: int
    entries: Sequence[Entry]
    """What the rings carried; empty: read the log."""
    groups: Sequence[Group]
    pieces: dict[Group, Sequence[bytes]] = field(default_factory=dict)
    undrawn: list[Group] = field(default_factory=list)
    """Groups whose drawing failed."""
    failed: bool = False
    """The log could not be read."""


@dataclass(slots=True)
class Wish:
    """Somebody wants a stream from a number on."""

    viewer: Viewer
    group: Group
    stream: str
    shown: int
    allowed: bool = False


@dataclass(slots=True)
class Past:
    """What a stream says to those who were away."""

    head: int
    after: int = 0
    """The pieces begin after this number."""
    pieces: dict[Group, Sequence[bytes]] = field(default_factory=dict)
    """A group that is missing could not be drawn."""
    count: int = 0


class Drawing:
    """The blocking half of the hub."""

    def __init__(
        self,
        log: Log,
        render: Render,
        doorman: Doorman,
        describe: Describe | None = None,
        at_once: AtOnce | None = None,
    ) -> None:
        self.log = log
        self.doorman = doorman
        self._render = render
        self._at_once = at_once
        self._describe = describe

    def draw(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Fill each job's entries and pieces; trouble with one is no trouble for the others."""
        for job in jobs:
            try:
                if not job.entries:
                    job.entries = self.log.after(job.key, job.after, TAKE)
                job.entries = without_holes(job.entries, job.after)
            except Exception:
                _log.exception("log_unreadable", stream=job.key)
                job.failed = True
                continue
            if not job.entries:
                continue
            for group in job.groups:
                try:
                    job.pieces[group] = self._payloads(job.entries, group)
                except Exception:
                    _log.exception("drawing_failed", stream=job.key, after=job.after)
                    job.undrawn.append(group)
        return jobs

    def at_once(self, job: Job) -> bool:
        """Whether the job was done here and now, in the event loop; else it waits for `draw`."""
        if self._at_once is None or not job.entries or len(job.entries) > TAKE:
            return False
        try:
            for audience, language, form in job.groups:
                ops = self._at_once(job.entries, audience, language) if form == "html" else None
                if ops is None:
                    return False
                job.pieces[audience, language, form] = [
                    drawn(entry, its) for entry, its in zip(job.entries, ops, strict=True)
                ]
        except Exception:
            _log.exception("drawing_failed", stream=job.key, after=job.after)
            return False
        return True

    def past(self, wishes: Sequence[Wish], limit: int) -> Mapping[str, Past]:
        """Ask who may, where each stream stands, and draw what those behind have missed."""
        asked: dict[Viewer, set[str]] = {}
        for wish in wishes:
            asked.setdefault(wish.viewer, set()).add(wish.stream)
        allowed = self.doorman.allowed(asked)
        for wish in wishes:
            wish.allowed = wish.stream in allowed[wish.viewer]
        wanted = sorted({wish.stream for wish in wishes if wish.allowed})
        found = {key: Past(head) for key, head in self.heads(wanted).items()}
        behind: dict[str, list[Wish]] = {}
        for wish in wishes:
            if wish.allowed and 0 < found[wish.stream].head - wish.shown <= limit:
                behind.setdefault(wish.stream, []).append(wish)
        for key, late in behind.items():
            past = found[key]
            past.after = min(wish.shown for wish in late)
            entries = without_holes(self.log.after(key, past.after, past.head - past.after), past.after)
            past.count = len(entries)
            for group in {wish.group for wish in late}:
                try:
                    past.pieces[group] = self._payloads(entries, group)
                except Exception:
                    _log.exception("drawing_failed", stream=key, after=past.after)
        return found

    def heads(self, streams: Collection[str]) -> dict[str, int]:
        """The heads of any number of streams."""
        keys = list(streams)
        heads = dict.fromkeys(keys, 0)
        for start in range(0, len(keys), STREAMS_AT_ONCE):
            heads.update(self.log.heads(keys[start : start + STREAMS_AT_ONCE]))
        return heads

    def _payloads(self, entries: Sequence[Entry], group: Group) -> Sequence[bytes]:
        audience, language, form = group
        if form == "html":
            pieces = self._render(entries, audience, language)
            return [drawn(entry, ops) for entry, ops in zip(entries, pieces, strict=True)]
        assert self._describe is not None
        data = self._describe(entries, audience, language)
        return [described(entry, one) for entry, one in zip(entries, data, strict=True)]
