"""What happened in a run, counted and measured where simulated people saw it."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from functools import partial

from rich.console import Group
from rich.table import Table

from swarm.text.language import _

PARTS = (50, 90, 99)


class Figures:
    """Counts by name, seconds by name; what went wrong stands apart from what a limit slowed."""

    def __init__(self, keeps: int | None = None) -> None:
        """`keeps`: so many of each measurement, the last ones; all without it."""
        self.counts: Counter[str] = Counter()
        self.seconds: defaultdict[str, deque[float]] = defaultdict(partial(deque, maxlen=keeps))
        self.doors: defaultdict[str, deque[float]] = defaultdict(partial(deque, maxlen=keeps))
        self.errors: Counter[str] = Counter()
        self.limits: Counter[str] = Counter()
        self.limited_seconds = 0.0
        self.closing = False
        """Nothing new is sent: what is under way is waited for, so that it is counted."""
        self.under_way = 0
        self._keeps = keeps
        self._posted: dict[str, tuple[float, str]] = {}

    def posting(self, client_id: str, author: str, at: float) -> None:
        """Somebody sends a message now."""
        if self._keeps is not None and len(self._posted) > self._keeps:
            self._posted.clear()
        self._posted.setdefault(client_id, (at, author))

    def shown(self, client_id: str, viewer: str, at: float) -> None:
        """Somebody's window shows it; the author's own is not counted as a delivery to another."""
        posted = self._posted.get(client_id)
        if posted is not None and posted[1] != viewer:
            self.seconds["delivery"].append(at - posted[0])

    def tables(self) -> Group:
        """Everything, to print."""
        happened = Table(title=_("What happened"), title_justify="left", show_header=False, box=None)
        for name, words in _happenings():
            happened.add_row(words, f"{self.counts[name]:,}")
        waits = _measured(_("Waits"), {words: self.seconds[name] for name, words in _waits()})
        doors = _measured(_("Answers over HTTP"), dict(sorted(self.doors.items())))
        return Group(happened, waits, doors, *self._troubles())

    def _troubles(self) -> list[Table]:
        found = []
        for title, counts in ((_("Limits met, and waited for"), self.limits), (_("Errors"), self.errors)):
            table = Table(title=title, title_justify="left", show_header=False, box=None)
            for name, count in sorted(counts.items()):
                table.add_row(name, f"{count:,}")
            if not counts:
                table.add_row(_("none"))
            found.append(table)
        return found


def _measured(title: str, rows: Mapping[str, Collection[float]]) -> Table:
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("")
    for name in (_("count"), *(f"p{part}" for part in PARTS), _("max")):
        table.add_column(name, justify="right")
    for name, seconds in rows.items():
        table.add_row(name, f"{len(seconds):,}", *(_time(value) for value in _parts(seconds)))
    return table


def _parts(seconds: Collection[float]) -> Sequence[float | None]:
    if not seconds:
        return [None] * (len(PARTS) + 1)
    ordered = sorted(seconds)
    return [ordered[min(len(ordered) * part // 100, len(ordered) - 1)] for part in PARTS] + [ordered[-1]]


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _happenings() -> list[tuple[str, str]]:
    return [
        ("customers", _("people: customers")),
        ("colleagues", _("people: colleagues who act")),
        ("readers", _("people: colleagues who read along")),
        ("not_come", _("customers who did not get to open a ticket in time")),
        ("opened", _("tickets opened")),
        ("taken", _("tickets taken from the queue")),
        ("resolved_tiered", _("tickets resolved, tiered")),
        ("resolved_tierless", _("tickets resolved, tierless")),
        ("tidied", _("tickets resolved only to tidy up at the end")),
        ("left_open", _("tickets left open")),
        ("asks", _("asks")),
        ("accepted", _("asks accepted")),
        ("declined", _("asks declined")),
        ("unanswered", _("asks left to time out")),
        ("escalated", _("escalations")),
        ("handoffs", _("handoffs (escalated tickets taken)")),
        ("messages", _("messages written")),
        ("second", _("came second: somebody else was faster")),
        ("frames", _("events delivered over sockets")),
        ("comebacks", _("sockets that came back")),
    ]


def _waits() -> list[tuple[str, str]]:
    return [
        ("accepted", _("asked → accepted")),
        ("first_answer", _("opened → first answer")),
        ("delivery", _("posted → shown to another")),
        ("lag", _("this program's own lag")),
    ]
