"""Setting → storage: another kind is a class beside these and a row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from swarm.files.bucket import Bucket
from swarm.files.disk import Disk
from swarm.files.shelf import Shelf, Storage
from swarm.settings import Files

STORAGES: Mapping[str, Callable[[Files], Storage]] = {
    "disk": lambda files: Disk(Path(files.folder)),
    "s3": Bucket,
}


def shelf_of(files: Files) -> Shelf:
    """The shelf these settings mean."""
    return Shelf(Path(files.folder), STORAGES[files.storage](files))
