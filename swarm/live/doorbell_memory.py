"""The doorbell of a single worker: nobody else to tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from swarm.live.ports import Ear
from swarm.store.log import Entry


class MemoryDoorbell:
    """Commits of this process reach the hub by themselves."""

    async def start(self, ear: Ear) -> None:
        """Nothing to listen to."""

    async def stop(self) -> None:
        """Nothing to let go."""

    def ring(self, entries: Sequence[Entry]) -> None:
        """Nobody else to tell."""

    def tell(self, stream: str, message: Mapping[str, Any]) -> None:
        """Nobody else to tell."""

    async def ensure(self, streams: Collection[str]) -> None:
        """Always there."""

    def drop(self, streams: Collection[str]) -> None:
        """Nothing was held."""

    def age(self) -> float:
        """Always works."""
        return 0.0
