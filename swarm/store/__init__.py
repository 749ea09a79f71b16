"""One transaction, the log and what they stand on."""

from swarm.store.log import Entry
from swarm.store.store import Store
from swarm.store.work import Work

__all__ = ["Entry", "Store", "Work"]
