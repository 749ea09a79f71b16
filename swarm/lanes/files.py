"""Files on their way into a lane and out of it, alike at every door."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import Literal, Protocol, TypeVar

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from swarm.audit.actions import note
from swarm.events.refusals import ensure
from swarm.files import outside
from swarm.files.kinds import PICTURES, served_as
from swarm.files.names import disposition
from swarm.modes import mode_of
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets import rules
from swarm.tickets.attaching import NewFile, keep_loose
from swarm.tickets.events import FileRefused
from swarm.tickets.models import File
from swarm.tickets.queries import case_for, find
from swarm.web import uploads
from swarm.web.errors import Invalid, NotFound, Problem, Typed, Unavailable
from swarm.web.forms import build, read_form, typed_of
from swarm.web.house import House, house_of
from swarm.web.uploads import Arrived

_log = structlog.get_logger(__name__)
S = TypeVar("S", bound=msgspec.Struct)
Find = Callable[[], Awaitable[File]]
"""The file, where whoever asks may have it now; asked again while it is sent. Raises a `Problem`."""
NO_SCRIPT = "default-src 'none'; style-src 'none'; sandbox; frame-ancestors 'none'"


class Writes(Protocol):
    """`staff_write` and its like, for this request."""

    def __call__(self, do: Callable[[Work], None], /) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True)
class Into:
    """Where files go: checked before a byte of them is read."""

    check: Callable[[], Awaitable[tuple[str, int | None]]]
    """Who sends them, and on which ticket; raises a `Problem` for whoever has no business here."""
    write: Writes
    lane: str
    ahead: bool = False
    """Without a message: checked whatever the form is."""


def may_send(
    number: int, lane: Literal["lane", "room"], *, ahead: bool
) -> Callable[[Work], tuple[str, int | None]]:
    """A colleague sees the ticket; files `ahead` lose no text, so that the lane's rule is asked at once."""

    def check(work: Work) -> tuple[str, int | None]:
        ticket = find(work.session, work.actor, number)
        if ahead:
            case = case_for(work.session, work.actor, ticket)
            ensure(
                rules.may_answer_customer(case)
                if lane == "lane"
                else rules.may_write_room(case, mode_of(ticket.mode))
            )
        return work.actor.key, ticket.id

    return check


async def read_message(request: Request, form: type[S], into: Into) -> S:
    """The sent form; what came with it is kept, and its `files` name it. Raises like `read_form`."""
    if not uploads.has_files(request):
        if into.ahead:
            await into.check()
        return await read_form(request, form)
    uploader, ticket_id = await into.check()
    house = house_of(request)
    sent = await uploads.read(request, house.shelf, house.settings.files)
    pairs = [*sent.pairs, *(("files", one.token) for one in sent.files)]
    try:
        read = build(form, pairs)
        if refused := [one for one in sent.files if one.refused]:
            raise _refused(form, pairs, refused)
        try:
            new = [await _look(house, one) for one in sent.files]
        except _Unwanted as unwanted:
            if unwanted.verdict:
                await _audit(into, uploader, ticket_id, unwanted)
            raise _refused(form, pairs, [unwanted.file]) from None
        if new:
            most = house.settings.files.hour_bytes
            await into.write(
                lambda work: keep_loose(work, uploader, new, ticket_id, into.lane, hour_bytes=most)
            )
            # The row first: bytes without one would never be swept.
            await house.shelf.apart(_keep, house, sent.files)
        return read
    except Invalid as invalid:
        raise Invalid(invalid.problems, _without_tokens(invalid.typed)) from None
    except OSError as error:
        _log.error("file_not_kept", why=str(error))
        raise uploads.not_kept(error, _without_tokens(typed_of(form, pairs))) from error
    finally:
        # What was kept of it all the same has a row, and is swept with it.
        for one in sent.files:
            house.shelf.drop(one.token)


async def download(request: Request, find: Find, kind: str = "") -> Response:
    """The file as it was sent, as its own type or as this one: to be kept, never to be shown."""
    file = await find()
    headers = {
        "Content-Disposition": disposition(file.name),
        "Content-Length": str(file.bytes),
        "Content-Security-Policy": NO_SCRIPT,
        "Cache-Control": "private, no-cache",
    }
    return await _bytes(request, file.token, find, kind or served_as(file.kind), headers)


async def picture(request: Request, find: Find) -> Response:
    """The picture drawn anew, the only thing that is ever shown. Raises `NotFound`."""
    file = await find()
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
    return await _bytes(request, f"{file.token}.safe", find, file.safe_kind, headers)


class _Unwanted(Exception):
    def __init__(self, file: Arrived, verdict: str = "") -> None:
        super().__init__(file.refused)
        self.file, self.verdict = file, verdict


async def _audit(into: Into, uploader: str, ticket_id: int | None, unwanted: _Unwanted) -> None:
    """No content: who sent it, where, what it was called, and what the scanner called it."""
    fact = FileRefused(ticket_id=ticket_id or 0, name=unwanted.file.name, verdict=unwanted.verdict)

    def write(work: Work) -> None:
        # Whoever is at an address is nobody by name.
        work.actor = replace(work.actor, key="nobody" if uploader.startswith("address:") else uploader)
        note(work, fact)

    await into.write(write)


async def _look(house: House, arrived: Arrived) -> NewFile:
    """Have it scanned, and drawn anew where it is a picture. Raises `_Unwanted`."""
    limits, path = house.settings.files, house.shelf.arriving(arrived.token)
    async with house.drawing:
        if limits.scan:
            try:
                verdict = await outside.verdict(limits.scan, path, limits.scan_seconds)
            except outside.Broken as broken:
                _log.error("virus_scan_broken", why=str(broken))
                arrived.refused = _("Files cannot be checked for viruses right now, so none are taken.")
                raise _Unwanted(arrived) from None
            if verdict is not None:
                _log.warning("infected_file_refused", sha256=arrived.sha256, bytes=arrived.bytes)
                arrived.refused = _("The virus scan found something in this file. It was not taken.")
                raise _Unwanted(arrived, verdict)
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


def _keep(house: House, files: Sequence[Arrived]) -> None:
    for one in files:
        house.shelf.keep(one.token)


def _refused(form: type[S], pairs: list[tuple[str, str]], files: Sequence[Arrived]) -> Invalid:
    said = " ".join(f"{one.name}: {one.refused}" for one in files)
    return Invalid({"files": said}, typed_of(form, pairs))


def _without_tokens(typed: Typed) -> Typed:
    """What arrived just now is gone again: nothing may name it."""
    return replace(typed, chosen={name: value for name, value in typed.chosen.items() if name != "files"})


async def _bytes(request: Request, name: str, find: Find, kind: str, headers: dict[str, str]) -> Response:
    house = house_of(request)
    chunks = house.shelf.chunks(name)
    try:
        first = await house.shelf.apart(next, chunks, b"")
    except FileNotFoundError:
        _log.error("file_is_gone", token=name)
        sentence = _("The file is noted here, but its bytes are not on the server any more.")
        raise Problem(410, _("No longer here"), sentence) from None
    except OSError as away:
        _log.error("file_not_read", why=str(away))
        sentence = _("This file cannot be fetched right now: its storage does not answer. Try it again soon.")
        raise Unavailable(sentence, 30) from None

    async def rest() -> AsyncIterator[bytes]:
        chunk, asked = first, monotonic()
        while chunk:
            yield chunk
            try:
                if monotonic() - asked > house.settings.live.standing_seconds:
                    # However slowly somebody reads, whoever lost the right gets no more of it.
                    await find()
                    asked = monotonic()
                chunk = await house.shelf.apart(next, chunks, b"")
            except (Problem, OSError) as why:
                raise _Cut from why

    return _Bytes(rest(), headers=headers, media_type=kind)


class _Cut(Exception):
    """There is no more of it for whoever asked."""


class _Bytes(StreamingResponse):
    """Ends in the middle where it must: shorter than it said, and so never taken for the whole file."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(_Cut):
            await super().__call__(scope, receive, send)
