"""Events as programs read them: through the API, and in frames of the socket's JSON protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from swarm.lanes.queries import SYSTEM, headline, notes, people_in
from swarm.lanes.views import Audience
from swarm.people.queries import Face, faces
from swarm.store import Entry
from swarm.tickets.attaching import Attached, files_of
from swarm.tickets.events import LaneMessagePosted, RoomMessagePosted
from swarm.tickets.queries import messages


class By(msgspec.Struct, frozen=True, kw_only=True):
    """Who did it."""

    id: str
    """`person:7`, `customer:9` or `system`."""
    name: str


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a message: fetched at `/api/v1/files/{token}`."""

    token: str
    name: str
    kind: str
    """What its first bytes say it is, such as `image/png`."""
    bytes: int


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it stands now."""

    id: int
    client_id: str
    body: str
    """Markdown, as it was written."""
    files: list[Sent]
    """What went with it."""


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """What happened: a sentence for people, the facts for programs."""

    by: By
    headline: str
    """In the reader's language."""
    facts: dict[str, int | str | bool | None]
    """The event's own fields, by name; `…_id` are ids."""
    note: str
    """What somebody said with it: a reason, a hand-over note; empty where nobody did."""
    message: Text | None
    """Of an event that is a message."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a stream. Without `data` the number counts, and there is nothing for this reader to see."""

    s: str
    """The stream: `lane:41` or `room:41`."""
    n: int
    """Its number there, without gaps from 1."""
    k: str
    """What kind of event it is, such as `room.message_posted`."""
    at: datetime
    data: Data | None


def events(session: Session, entries: Sequence[Entry], audience: Audience) -> list[Event]:
    """One for each entry, in their order, by a fixed number of queries; texts in the language in use."""
    shown = [entry for entry in entries if audience == "staff" or entry.event.audience == "customer"]
    said = [entry.event for entry in shown]
    texts = messages(
        session, [fact.message_id for fact in said if isinstance(fact, LaneMessagePosted | RoomMessagePosted)]
    )
    sent = files_of(session, list(texts))
    names = faces(session, people_in(shown))
    beside = notes(session, shown) if audience == "staff" else {}
    known = {
        (entry.stream, entry.seq): _data(
            entry, names, beside.get((entry.stream, entry.seq), ""), _text(entry, texts, sent)
        )
        for entry in shown
    }
    return [
        Event(s=entry.stream, n=entry.seq, k=entry.kind, at=entry.at, data=data)
        if (data := known.get((entry.stream, entry.seq))) is not None
        # What happened is not told either.
        else Event(s=entry.stream, n=entry.seq, k="", at=entry.at, data=None)
        for entry in entries
    ]


def _data(entry: Entry, names: dict[str, Face], note: str, text: Text | None) -> Data:
    by = names.get(entry.actor, SYSTEM)
    return Data(
        by=By(id=entry.actor, name=by.name),
        headline=headline(entry, names),
        facts=dict(entry.data),
        note=note,
        message=text,
    )


def _text(entry: Entry, texts: dict[int, Any], sent: Mapping[int, list[Attached]]) -> Text | None:
    if not isinstance(entry.event, LaneMessagePosted | RoomMessagePosted):
        return None
    said = texts.get(entry.event.message_id)
    if said is None:
        return None
    files = [
        Sent(token=one.token, name=one.name, kind=one.kind, bytes=one.bytes) for one in sent.get(said.id, ())
    ]
    return Text(id=said.id, client_id=said.client_id, body=said.body, files=files)
