"""What this worker did and how it is, as Prometheus reads it.

The hub and the store count in plain numbers; `publish` carries what changed since into the metrics, when they
are read, and every few seconds where several workers stand behind one port. No ticket or person is named.

Several workers share a folder (swarm.figures), in which each of them keeps its figures every few seconds, and
any of them answers for all.
"""

from __future__ import annotations

import os
import resource
import secrets
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from swarm import figures
from swarm.figures import Figures
from swarm.live.counts import BOUNDS, Timing
from swarm.live.hub import Hub
from swarm.outbound.courier import Courier
from swarm.outbound.postman import Postman
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

_log = structlog.get_logger(__name__)
_Together = Literal["sum", "max", "each"]
"""What becomes of a figure of several workers."""


class Metrics:
    """Everything of one worker."""

    def __init__(self, hub: Hub, store: Store, folder: Path | None = None) -> None:
        """`folder`: where several workers keep their figures, when this is one of them."""
        self._hub = hub
        self._store = store
        self._before: defaultdict[str, float] = defaultdict(float)
        self._doors: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.folder = folder
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._keeping = threading.Lock()
        self._kept = True
        self._together: dict[str, _Together] = {}
        self._registry = CollectorRegistry()
        self._totals = {key: self._counter(name, what) for key, (name, what) in HUB_TOTALS.items()}
        self.post: Postman | None = None
        """Who carries letters out here, where mail is set up."""
        self.courier: Courier | None = None
        self._deliveries = self._gauge("webhooks_waiting", "Deliveries that wait for an address.", "max")
        self._oldest_delivery = self._gauge(
            "webhooks_age_seconds", "Since the oldest delivery that waits was put in.", "max"
        )
        self._letters = self._gauge("letters_waiting", "Letters nobody has taken yet.", "max")
        self._outbox = self._gauge(
            "outbox_age_seconds", "Since the oldest letter that waits was put in.", "max"
        )
        self._workers = self._gauge("workers", "Workers that run.")
        self._sockets = self._gauge("sockets", "Open sockets.")
        self._streams = self._gauge("streams", "Streams somebody watches.")
        self._draining = self._gauge("draining_workers", "Workers that send their sockets away.")
        self._read_only = self._gauge("read_only", "1 while the database takes no writes.", "max")
        self._bell_age = self._gauge(
            "doorbell_age_seconds", "Since the doorbell was last known to work.", "max"
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
        self._memory = self._gauge("process_resident_bytes", "Memory in use.", "each")
        self._files = self._gauge("process_open_files", "Open files and sockets.", "each")

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
        if self.post is not None:
            self._letters.set(self.post.waiting)
            self._outbox.set(self.post.age)
        if self.courier is not None:
            self._deliveries.set(self.courier.waiting)
            self._oldest_delivery.set(self.courier.age)
        self._read_only.set(self._store.writing.refused is not None)
        for pool, lent in self._store.connections_in_use().items():
            self._pool.labels(pool).set(lent)
        self._timing("lag", self._hub.timings["lag"], self._lag)
        self._timing("post", self._hub.timings["post"], self._post)
        self._cpu.inc(self._since("cpu", time.process_time()))
        self._memory.set(_resident())
        self._files.set(_open_files())

    def share(self) -> None:
        """Keep what was published where the other workers read it; blocks for a moment."""
        if self.folder is None:
            return
        with self._keeping:
            try:
                figures.keep(self.folder, self._name, self._own())
            except OSError as failure:
                if self._kept:
                    _log.warning("figures_not_kept", failure=str(failure))
                self._kept = False
            else:
                self._kept = True

    def text(self) -> bytes:
        """The page Prometheus reads, of all workers where they share a folder; blocks for a moment."""
        if self.folder is None:
            return generate_latest(self._registry)
        # What is told once is never taken back, whoever answers next.
        self.share()
        everybody = figures.read(self.folder) | {self._name: self._own()}
        together = CollectorRegistry()
        together.register(_Families(list(self._of_all(everybody))))
        return generate_latest(together)

    def _own(self) -> Figures:
        totals: dict[str, list[figures.Sample]] = {}
        now: dict[str, list[figures.Sample]] = {}
        for family in self._registry.collect():
            kind = now if family.type == "gauge" else totals
            kind[family.name] = [
                (sample.name, dict(sample.labels), sample.value)
                for sample in family.samples
                if not sample.name.endswith("_created")
            ]
        return Figures(totals, now)

    def _of_all(self, everybody: dict[str, Figures]) -> Iterator[Metric]:
        totals = figures.added(*(one.totals for one in everybody.values()))
        sums = figures.added(*(one.now for one in everybody.values()))
        for family in self._registry.collect():
            made = Metric(family.name, family.documentation, family.type)
            how = self._together.get(family.name, "sum")
            if how == "each":
                for worker, one in everybody.items():
                    for name, labels, value in one.now.get(family.name, ()):
                        made.add_sample(name, labels | {"pid": worker.partition("-")[0]}, value)
            elif how == "max":
                its = [sample for one in everybody.values() for sample in one.now.get(family.name, ())]
                made.add_sample(family.name, {}, max(value for _name, _labels, value in its))
            else:
                for name, labels, value in (sums if family.type == "gauge" else totals)[family.name]:
                    made.add_sample(name, labels, value)
            yield made

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

    def _gauge(
        self, name: str, what: str, together: _Together = "sum", labels: tuple[str, ...] = ()
    ) -> Gauge:
        self._together[f"swarm_{name}"] = together
        return Gauge(f"swarm_{name}", what, labels, registry=self._registry)

    def _histogram(
        self, name: str, what: str, labels: tuple[str, ...] = (), bounds: tuple[float, ...] = BOUNDS
    ) -> Histogram:
        return Histogram(f"swarm_{name}", what, labels, registry=self._registry, buckets=bounds)


class _Families(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def _resident() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        # Elsewhere only the most it ever was is cheap to know.
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")


def _open_files() -> float:
    for folder in ("/proc/self/fd", "/dev/fd"):
        if Path(folder).is_dir():
            return sum(1 for _file in Path(folder).iterdir())
    return 0
