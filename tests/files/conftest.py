"""A small house whose customers and colleagues send files."""

from __future__ import annotations

import io
import os
import secrets
import struct
import time
import zlib
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from PIL import Image

from tests.portal.house import House, furnish
from tests.support.site import Site, Visitor

File = tuple[str, bytes]


@pytest.fixture
def house(site: Site) -> House:
    return furnish(site)


def send(
    visitor: Visitor, path: str, form: dict[str, Any], *files: File, face: str = "application/json"
) -> httpx2.Response:
    """A form with files, as a browser sends it."""
    parts = [("files", (name, data, "image/png")) for name, data in files]
    headers = {"Accept": face, "Origin": visitor.site.url}
    return visitor.http.post(path, data=form, files=parts, headers=headers)


def message(body: str = "See here.", client_id: str = "") -> dict[str, str]:
    """A message's form."""
    return {"body": body, "client_id": client_id or secrets.token_hex(8)}


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 20), **saved: Any) -> bytes:
    """A real one."""
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, kind, **saved)
    return out.getvalue()


def bomb(side: int = 50_000) -> bytes:
    """A PNG of a few hundred kilobytes that unpacks to gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = b"\0" * (side // 8 + 2)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def until(there: Callable[[], object]) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + 10
    while not there():
        assert time.monotonic() < end
        os.sched_yield()
