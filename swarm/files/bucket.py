"""A storage that speaks S3: a private bucket, asked by us alone; nobody is ever sent there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from swarm.files.shelf import Away
from swarm.settings import Files

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

CHUNK = 2 * 1024 * 1024
"""Read in pieces: whoever downloads slowly holds neither a connection to the storage nor much memory."""
PART = 8 * 1024 * 1024
"""Larger files are put in such parts, two at a time."""


class Bucket:
    """Named as in a folder, so that one can be copied into the other as it is."""

    def __init__(self, files: Files) -> None:
        config: S3Config = {"bucket": files.bucket, "region": files.region}
        if files.endpoint:
            config["endpoint"] = files.endpoint
        if files.access_key:
            config |= {"access_key_id": files.access_key, "secret_access_key": files.secret_key}
        patience = timedelta(seconds=files.storage_seconds)
        client: ClientConfig = {
            "timeout": patience,
            "connect_timeout": patience,
            "allow_http": files.endpoint.startswith("http://"),
        }
        # Refusals are soon repeated; whoever said nothing for so long is not asked again.
        retry: RetryConfig = {"max_retries": 2, "retry_timeout": patience / 2}
        prefix = files.prefix.strip("/") or None
        self._store = S3Store(config=config, prefix=prefix, client_options=client, retry_config=retry)

    def put(self, name: str, arrived: Path) -> None:
        """It is there when the storage says so."""
        with _asking():
            obstore.put(self._store, _place(name), arrived, chunk_size=PART, max_concurrency=2)

    def read(self, name: str) -> Iterator[bytes]:
        """Its bytes. Raises `FileNotFoundError`."""
        place = _place(name)
        with _asking():
            first = obstore.get(self._store, place, options={"range": (0, CHUNK)})
            size, chunk = first.meta["size"], bytes(first.bytes())
        yield chunk
        for start in range(CHUNK, size, CHUNK):
            with _asking():
                end = min(start + CHUNK, size)
                chunk = bytes(obstore.get_range(self._store, place, start=start, end=end))
            yield chunk

    def forget(self, name: str) -> None:
        """Gone, whether it was there or not."""
        with suppress(FileNotFoundError), _asking():
            obstore.delete(self._store, _place(name))


def _place(name: str) -> str:
    return f"{name[:2]}/{name}"


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as missing:
        if "NoSuchBucket" in str(missing):
            raise Away("there is no such bucket") from None
        raise FileNotFoundError("not in the bucket") from None
    except (BaseError, OSError) as failure:
        raise Away(_said(failure)) from None


def _said(failure: Exception) -> str:
    """What went wrong, without what the storage repeats of the request."""
    lines = str(failure).partition("<")[0].splitlines()
    return " ".join((lines[0] if lines else type(failure).__name__).split()).rstrip(": ")
