"""Our own files, under an address that changes with their content."""

import hashlib
import logging
import mimetypes
import os
import time
from collections.abc import Iterable
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
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


class Static:
    """One hash for the whole folder, so that a module's relative imports carry it too."""

    def __init__(self, directory: Path, at: str = "/static") -> None:
        self.directory = directory
        self.at = at
        self._looked = 0.0
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._hash = ""
        self._missing: set[str] = set()

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
        # An address from before an upgrade still finds its file, but nobody may keep it.
        asked = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/").partition("/")[0]
        forever = asked == self._static.hash
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if forever else "no-cache"
        return response

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        if any(part.startswith(".") for part in Path(path).parts):
            return "", None
        return super().lookup_path(path)
