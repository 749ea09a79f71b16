"""Addresses of our own pages."""

import re
from urllib.parse import urlsplit

# Browsers drop tabs and newlines inside an address and read "\" as "/".
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\\\ud800-\udfff]")


def origin(url: str) -> str:
    """`https://desk.example.com` of any address below it; raises ValueError for other than http and https."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not an http address: {url!r}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    port = f":{parts.port}" if parts.port and parts.port != usual else ""
    return f"{parts.scheme}://{host}{port}"


class Links:
    """Absolute addresses, from the configured base alone: a Host header can be anything."""

    def __init__(self, base_url: str) -> None:
        self.base = origin(base_url) + urlsplit(base_url).path.rstrip("/")

    def absolute(self, path: str) -> str:
        """The address of `path` (starting with `/`) as a mail may carry it; raises ValueError."""
        if local_path(path, default="") != path:
            raise ValueError(f"not a local path: {path!r}")
        return self.base + path


def local_path(target: str | None, default: str = "/") -> str:
    """`target` when it is a path on this site, otherwise `default`: for `next=` and redirects."""
    if not target or len(target) > 2000 or _UNSAFE.search(target):
        return default
    if not target.startswith("/") or target.startswith("//"):
        return default
    return target
