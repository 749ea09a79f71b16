"""Our own files, under an address that changes with their content."""

import gzip
import hashlib
import logging
import mimetypes
import os
import time
from collections.abc import Iterable
from pathlib import Path

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

_logger = logging.getLogger(__name__)

# The machine's own table may lack or distort these, and nosniff then stops a script.
for _kind, _ending in (
    ("text/javascript", ".js"),
    ("text/javascript", ".mjs"),
    ("text/css", ".css"),
    ("image/svg+xml", ".svg"),
    ("font/woff2", ".woff2"),
    ("application/json", ".map"),
    ("application/manifest+json", ".webmanifest"),
):
    mimetypes.add_type(_kind, _ending)

COMPRESSED = {".js", ".mjs", ".css", ".svg", ".json", ".map", ".webmanifest"}
"""What gzip makes smaller; pages are left as they are, for they mix secrets with what strangers wrote."""


class Static:
    """One hash for the whole folder, so that a module's relative imports carry it too."""

    def __init__(self, directory: Path, at: str = "/static") -> None:
        self.directory = directory
        self.at = at
        self._looked = 0.0
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._hash = ""
        self._missing: set[str] = set()
        self._packed: dict[tuple[str, int, int], bytes] = {}

    @property
    def hash(self) -> str:
        """Of every file's name and content; looks for changes at most once a second."""
        if not self._hash or time.monotonic() - self._looked > 1:
            seen = tuple(
                (str(path.relative_to(self.directory)), (stat := path.stat()).st_mtime_ns, stat.st_size)
                for path in sorted(self.directory.rglob("*"))
                if path.is_file()
            )
            if seen != self._seen or not self._hash:
                self._hash = self._digest(name for name, _mtime, _size in seen)
                self._seen = seen
                self._missing = set()
            self._looked = time.monotonic()
        return self._hash

    def url(self, path: str) -> str:
        """The address of a file in the folder; a missing one is logged once and answers 404."""
        if path not in self._missing and not (self.directory / path).is_file():
            self._missing.add(path)
            _logger.warning("static file is missing: %s", path)
        return f"{self.at}/{self.hash}/{path}"

    def packed(self, path: Path, stat: os.stat_result) -> bytes:
        """The file as gzip (RFC 1952), made once for each content."""
        key = str(path), stat.st_mtime_ns, stat.st_size
        if key not in self._packed:
            self._packed[key] = gzip.compress(path.read_bytes(), 9, mtime=0)
        return self._packed[key]

    def mount(self) -> Mount:
        return Mount(self.at, _Files(self), name="static")

    def _digest(self, names: Iterable[str]) -> str:
        digest = hashlib.sha256()
        for name in names:
            content = hashlib.sha256((self.directory / name).read_bytes()).digest()
            digest.update(name.encode() + b"\0" + content)
        return digest.hexdigest()[:12]


class _Files(StaticFiles):
    def __init__(self, static: Static) -> None:
        super().__init__(directory=static.directory)
        self._static = static

    def get_path(self, scope: Scope) -> str:
        _nothing, _slash, path = super().get_path(scope).partition(os.sep)
        return path or "/"

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            raise HTTPException(404 if error.status_code == 401 else error.status_code) from None
        response.headers["Vary"] = "Accept-Encoding"
        if response.status_code == 200 and isinstance(response, FileResponse):
            response = await self._packed(response, Headers(scope=scope))
        # An address from before an upgrade still finds its file, but nobody may keep it.
        asked = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/").partition("/")[0]
        forever = asked == self._static.hash
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if forever else "no-cache"
        return response

    async def _packed(self, response: FileResponse, asked: Headers) -> Response:
        path, stat = Path(response.path), response.stat_result
        if path.suffix not in COMPRESSED or stat is None or "range" in asked or not _takes_gzip(asked):
            return response
        body = await to_thread.run_sync(self._static.packed, path, stat)
        kept = {name: response.headers[name] for name in ("content-type", "last-modified", "vary")}
        tag = f'{response.headers["etag"][:-1]}-gzip"'
        packed = Response(body, headers={**kept, "Content-Encoding": "gzip", "ETag": tag})
        return NotModifiedResponse(packed.headers) if self.is_not_modified(packed.headers, asked) else packed

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        if any(part.startswith(".") for part in Path(path).parts):
            return "", None
        return super().lookup_path(path)


def _takes_gzip(asked: Headers) -> bool:
    """Whether `Accept-Encoding` (RFC 9110, 12.5.3) names gzip, and not with a weight of nothing."""
    for part in ",".join(asked.getlist("accept-encoding")).lower().split(","):
        name, _semicolon, weight = part.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
