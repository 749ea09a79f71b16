"""Files on their way into a lane and out of it, alike at every door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from swarm.files import outside
from swarm.files.kinds import PICTURES, served_as
from swarm.files.names import disposition
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets.attaching import NewFile, keep_loose
from swarm.tickets.models import File
from swarm.web import uploads
from swarm.web.errors import Invalid, NotFound, Problem, Typed
from swarm.web.forms import build, read_form, typed_of
from swarm.web.house import House, house_of
from swarm.web.uploads import Arrived

_log = structlog.get_logger(__name__)
S = TypeVar("S", bound=msgspec.Struct)
NO_SCRIPT = "default-src 'none'; style-src 'none'; sandbox; frame-ancestors 'none'"


class Writes(Protocol):
    """`staff_write` and its like, for this request."""

    def __call__(self, do: Callable[[Work], None], /) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True)
class Into:
    """Where files go: checked before a byte of them is read."""

    check: Callable[[], Awaitable[str]]
    """Who sends them; raises a `Problem` for whoever has no business here."""
    write: Writes
    ticket_id: int | None
    lane: str
    ahead: bool = False
    """Without a message: checked whatever the form is."""


async def read_message(request: Request, form: type[S], into: Into) -> S:
    """The sent form; what came with it is kept, and its `files` name it. Raises like `read_form`."""
    if not uploads.has_files(request):
        if into.ahead:
            await into.check()
        return await read_form(request, form)
    uploader = await into.check()
    house = house_of(request)
    sent = await uploads.read(request, house.shelf, house.settings.files)
    kept: list[str] = []
    try:
        pairs = [*sent.pairs, *(("files", one.token) for one in sent.files)]
        read = build(form, pairs)
        if refused := [one for one in sent.files if one.refused]:
            raise _refused(form, pairs, refused)
        try:
            new = [await _look(house, one) for one in sent.files]
        except _Unwanted as unwanted:
            raise _refused(form, pairs, [unwanted.file]) from None
        if new:
            most = house.settings.files.hour_bytes
            await into.write(
                lambda work: keep_loose(work, uploader, new, into.ticket_id, into.lane, hour_bytes=most)
            )
            # The row first: bytes without one would never be swept.
            kept = await asyncio.to_thread(_keep, house, sent.files)
        return read
    except Invalid as invalid:
        raise Invalid(invalid.problems, _without_tokens(invalid.typed)) from None
    except OSError as error:
        raise uploads.full() from error
    finally:
        for one in sent.files:
            if one.token not in kept:
                house.shelf.forget(one.token)


async def download(request: Request, file: File) -> Response:
    """The file as it was sent: to be kept, never to be shown."""
    headers = {
        "Content-Disposition": disposition(file.name),
        "Content-Length": str(file.bytes),
        "Content-Security-Policy": NO_SCRIPT,
        "Cache-Control": "private, no-cache",
    }
    return await _bytes(request, file.token, served_as(file.kind), headers)


async def picture(request: Request, file: File) -> Response:
    """The picture drawn anew, the only thing that is ever shown. Raises `NotFound`."""
    if file.width is None or file.safe_kind not in PICTURES:
        raise NotFound
    headers = {
        "Content-Disposition": "inline",
        "Content-Security-Policy": NO_SCRIPT,
        "Cache-Control": "private, no-cache",
        "ETag": f'"{file.token}"',
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return await _bytes(request, f"{file.token}.safe", file.safe_kind, headers)


class _Unwanted(Exception):
    def __init__(self, file: Arrived) -> None:
        super().__init__(file.refused)
        self.file = file


async def _look(house: House, arrived: Arrived) -> NewFile:
    """Have it scanned, and drawn anew where it is a picture. Raises `_Unwanted`."""
    limits, path = house.settings.files, house.shelf.arriving(arrived.token)
    async with house.drawing:
        if limits.scan:
            try:
                clean = await outside.is_clean(limits.scan, path, limits.scan_seconds)
            except outside.Broken as broken:
                _log.error("virus_scan_broken", why=str(broken))
                arrived.refused = _("Files cannot be checked for viruses right now, so none are taken.")
                raise _Unwanted(arrived) from None
            if not clean:
                _log.warning("infected_file_refused", sha256=arrived.sha256, bytes=arrived.bytes)
                arrived.refused = _("The virus scan found something in this file. It was not taken.")
                raise _Unwanted(arrived)
        safe = None
        if arrived.kind in PICTURES:
            copy = house.shelf.arriving(f"{arrived.token}.safe")
            side, pixels = limits.picture_side, limits.picture_pixels
            safe = await outside.redraw(path, copy, side=side, pixels=pixels)
    return NewFile(
        token=arrived.token,
        name=arrived.name,
        kind=arrived.kind,
        bytes=arrived.bytes,
        sha256=arrived.sha256,
        width=safe.width if safe else None,
        height=safe.height if safe else None,
        safe_kind=safe.kind if safe else "",
    )


def _keep(house: House, files: Sequence[Arrived]) -> list[str]:
    for one in files:
        house.shelf.keep(one.token)
    return [one.token for one in files]


def _refused(form: type[S], pairs: list[tuple[str, str]], files: Sequence[Arrived]) -> Invalid:
    said = " ".join(f"{one.name}: {one.refused}" for one in files)
    return Invalid({"files": said}, typed_of(form, pairs))


def _without_tokens(typed: Typed) -> Typed:
    """What arrived just now is gone again: nothing may name it."""
    return replace(typed, chosen={name: value for name, value in typed.chosen.items() if name != "files"})


async def _bytes(request: Request, token: str, kind: str, headers: dict[str, str]) -> Response:
    shelf = house_of(request).shelf
    if not await asyncio.to_thread(shelf.place(token).is_file):
        _log.error("file_is_gone", token=token)
        sentence = _("The file is noted here, but its bytes are not on the server any more.")
        raise Problem(410, _("No longer here"), sentence)

    async def stream() -> AsyncIterator[bytes]:
        chunks = shelf.chunks(token)
        while chunk := await asyncio.to_thread(next, chunks, b""):
            yield chunk

    return StreamingResponse(stream(), headers=headers, media_type=kind)
