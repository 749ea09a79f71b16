"""One transaction, the log and what they stand on."""

from swarm.store.log import Entry
from swarm.store.store import Store, nobody_could
from swarm.store.work import Work
from swarm.store.writable import ReadOnly

__all__ = ["Entry", "ReadOnly", "Store", "Work", "nobody_could"]
