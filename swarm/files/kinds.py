"""What a file is, by its first bytes and never by what the sender calls it."""

from __future__ import annotations

from collections.abc import Sequence

HEAD = 512
"""Bytes that are looked at."""
UNKNOWN = "application/octet-stream"
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""What a safe copy is tried of."""

_BEGINNINGS: Sequence[tuple[bytes, str]] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"MZ", "program/windows"),
    (b"\x7fELF", "program/linux"),
    (b"\xcf\xfa\xed\xfe", "program/macos"),
    (b"\xca\xfe\xba\xbe", "program/macos"),
    (b"#!", "program/script"),
)
_ACTIVE = (b"<!doctype html", b"<html", b"<script", b"<svg", b"<head", b"<body", b"<iframe", b"<?xml")


def kind_of(head: bytes) -> str:
    """A media type, `program/…` for what a machine runs, `UNKNOWN` for the rest."""
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return "video/mp4"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(_ACTIVE):
        return "text/markup"
    return "text/plain" if _is_text(head) else UNKNOWN


def served_as(kind: str) -> str:
    """The type a download is given: none that a browser would run or show."""
    harmless = (*PICTURES, "application/pdf", "application/zip", "text/plain")
    return kind if kind in harmless else UNKNOWN


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The last character may be cut.
        return error.start >= len(head) - 3 and len(head) >= HEAD
    return True
