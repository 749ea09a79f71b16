"""What this worker did and how it is, as Prometheus reads it.

The hub and the store count in plain numbers; `publish` carries what changed since into the metrics, when they
are read, and every few seconds where several workers stand behind one port. No ticket or person is named.

Several workers: whoever starts them sets PROMETHEUS_MULTIPROC_DIR to a folder of their own before any of them
imports this module, and empties it before each start of all. Then every worker keeps its numbers in files
there, and any of them answers for all. A worker that died is left out of what is true only of the living
(`forget_the_dead`, at each reading); what it counted stays, so that totals only grow.
"""

from __future__ import annotations

import os
import resource
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from swarm.live.counts import BOUNDS, Timing
from swarm.live.hub import Hub
from swarm.settings import METRICS_FOLDER
from swarm.store import Store

PUBLISH_SECONDS = 2.0
"""So old may be what one worker says of another."""
HTTP_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
HUB_TOTALS = {
    "deliveries": ("deliveries", "Events given to a socket each."),
    "writes": ("socket_writes", "Writes to sockets; one carries all that a turn has for it."),
    "turns": ("turns", "Times events were drawn."),
    "slow_cut": ("slow_readers_cut", "Sockets cut because their peer left too much unread."),
    "silent_cut": ("silent_cut", "Sockets dropped because their peer gave no sign of life."),
    "reloads": ("reloads", "Pages told to fetch a stream anew."),
    "found_by_heads": ("found_by_heads", "Streams in which the log was ahead of what the doorbell had told."),
}


class Metrics:
    """Everything of one worker."""

    def __init__(self, hub: Hub, store: Store) -> None:
        self._hub = hub
        self._store = store
        self._before: defaultdict[str, float] = defaultdict(float)
        self._doors: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.folder = os.environ.get(METRICS_FOLDER, "")
        self._registry = CollectorRegistry()
        self._totals = {key: self._counter(name, what) for key, (name, what) in HUB_TOTALS.items()}
        self._workers = self._gauge("workers", "Workers that run.")
        self._sockets = self._gauge("sockets", "Open sockets.")
        self._streams = self._gauge("streams", "Streams somebody watches.")
        self._draining = self._gauge("draining_workers", "Workers that send their sockets away.")
        self._read_only = self._gauge("read_only", "1 while the database takes no writes.", "livemax")
        self._bell_age = self._gauge(
            "doorbell_age_seconds", "Since the doorbell was last known to work.", "livemax"
        )
        self._bell = self._counter("doorbell_troubles", "What went wrong with the doorbell.", ("what",))
        self._pool = self._gauge(
            "database_connections_in_use", "Connections lent to somebody now.", labels=("pool",)
        )
        self._lag = self._histogram(
            "delivery_lag_seconds", "From an event's time to handing it to sockets: the oldest of a turn."
        )
        self._post = self._histogram("socket_post_seconds", "From a post frame to its answer.")
        self._requests = self._counter("http_requests", "Requests answered.", ("method", "route", "status"))
        self._seconds = self._histogram(
            "http_request_seconds",
            "From a request to the end of its answer.",
            ("method", "route"),
            HTTP_BOUNDS,
        )
        self._cpu = self._counter("process_cpu_seconds", "CPU time of the workers.")
        # Worker by worker, each under its process number where there are several.
        self._memory = self._gauge("process_resident_bytes", "Memory in use.", "liveall")
        self._files = self._gauge("process_open_files", "Open files and sockets.", "liveall")

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """An HTTP request was answered; `route` is its pattern, never its path."""
        method = method if method in METHODS else "other"
        known = self._doors.get((method, route, status))
        if known is None:
            known = self._requests.labels(method, route, status), self._seconds.labels(method, route)
            self._doors[method, route, status] = known
        known[0].inc()
        known[1].observe(seconds)

    def publish(self) -> None:
        """Carry what changed into the metrics; call in the event loop."""
        now = self._hub.figures()
        for key, total in self._totals.items():
            total.inc(self._since(key, now[key]))
        for key, count in getattr(self._hub.doorbell, "counts", {}).items():
            self._bell.labels(key).inc(self._since(f"bell {key}", count))
        self._workers.set(1)
        self._sockets.set(now["sockets"])
        self._streams.set(now["streams"])
        self._draining.set(now["draining"])
        self._bell_age.set(now["doorbell_age"])
        self._read_only.set(self._store.writing.refused is not None)
        for pool, lent in self._store.connections_in_use().items():
            self._pool.labels(pool).set(lent)
        self._timing("lag", self._hub.timings["lag"], self._lag)
        self._timing("post", self._hub.timings["post"], self._post)
        self._cpu.inc(self._since("cpu", time.process_time()))
        self._memory.set(_resident())
        self._files.set(_open_files())

    def text(self) -> bytes:
        """The page Prometheus reads, of all workers where they share a folder; blocks for a moment."""
        if not self.folder:
            return generate_latest(self._registry)
        forget_the_dead(Path(self.folder))
        together = CollectorRegistry()
        MultiProcessCollector(together, path=self.folder)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def _since(self, key: str, total: float) -> float:
        more = total - self._before[key]
        self._before[key] = total
        return max(0.0, more)

    def _timing(self, key: str, timing: Timing, histogram: Histogram) -> None:
        # The library observes one by one; these were counted where it mattered not to.
        kept: Any = histogram
        for place, count in enumerate(timing.counts):
            if more := self._since(f"{key} {place}", count):
                kept._buckets[place].inc(more)
        kept._sum.inc(self._since(f"{key} sum", timing.total))

    def _counter(self, name: str, what: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(f"swarm_{name}", what, labels, registry=self._registry)

    def _gauge(self, name: str, what: str, workers: Any = "livesum", labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"swarm_{name}", what, labels, registry=self._registry, multiprocess_mode=workers)

    def _histogram(
        self, name: str, what: str, labels: tuple[str, ...] = (), bounds: tuple[float, ...] = BOUNDS
    ) -> Histogram:
        return Histogram(f"swarm_{name}", what, labels, registry=self._registry, buckets=bounds)


def forget_the_dead(folder: Path) -> None:
    """Leave out what is only true of the living for workers that were killed before they could say so."""
    for pid in {path.stem.rpartition("_")[2] for path in folder.glob("gauge_live*_*.db")}:
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]


def _resident() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        # Elsewhere only the most it ever was is cheap to know.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * os.sysconf("SC_PAGE_SIZE")


def _open_files() -> float:
    for folder in ("/proc/self/fd", "/dev/fd"):
        if Path(folder).is_dir():
            return sum(1 for _file in Path(folder).iterdir())
    return 0
