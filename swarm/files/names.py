"""Names of files, cleaned on the way in: a name is shown and offered, and never part of a path of ours."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

LONGEST = 120
"""Characters; with four bytes each, still a name that every file system takes."""
_PATH = re.compile(r"[\\/]+")
_FORBIDDEN = re.compile(r'[<>:"|?*%]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
"""Devices on Windows, whatever their ending."""
_PLAIN = re.compile(r"[^A-Za-z0-9._ -]")


def clean(sent: str) -> str:
    """What is left of a name when everything is gone that could deceive or escape."""
    name = _PATH.split(unicodedata.normalize("NFC", sent))[-1]
    # Categories C: controls, and what reverses the direction of reading; Zl, Zp: line breaks.
    name = "".join(one for one in name if unicodedata.category(one)[0] != "C" or one == "\u200d")
    name = "".join(" " if unicodedata.category(one)[0] == "Z" else one for one in name)
    name = _FORBIDDEN.sub("_", re.sub(r" +", " ", name)).strip(" .\u200d")
    if not name:
        return "file"
    if _RESERVED.fullmatch(name.partition(".")[0].strip()):
        name = f"_{name}"
    if len(name) > LONGEST:
        stem, dot, ending = name.rpartition(".")
        kept = f"{dot}{ending}" if stem and len(ending) <= 12 else ""
        name = name[: LONGEST - len(kept)].rstrip(" .") + kept
    return name


def endings(name: str) -> frozenset[str]:
    """Every ending of a name, in small letters: `a.exe.png` has two."""
    return frozenset(part.strip().lower() for part in name.split(".")[1:])


def disposition(name: str) -> str:
    """The header that makes a browser keep it instead of showing it (RFC 6266, RFC 8187)."""
    plain = _PLAIN.sub("_", unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode())
    return f"attachment; filename=\"{plain.strip(' .') or 'file'}\"; filename*=UTF-8''{quote(name, safe='')}"
