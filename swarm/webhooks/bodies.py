"""What a program outside is sent of an event: the same at every try, as far as texts have not changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from swarm.lanes.queries import headline, people_in
from swarm.outbound.deliveries import Taken
from swarm.people.queries import Face, faces
from swarm.store import Entry, Work, log
from swarm.text.times import stamp
from swarm.tickets.queries import Said, messages

_json = msgspec.json.Encoder(order="deterministic")


def bodies(work: Work, taken: Sequence[Taken], prefix: str) -> list[tuple[str, bytes]]:
    """The id and the body of each message, in a fixed number of queries."""
    epoch = log.epoch(work.session)
    entries = log.lines(work.session, [(one.stream, one.seq) for one in taken])
    names = faces(work.session, people_in(list(entries.values())))
    texts = messages(work.session, [one.data["message_id"] for one in entries.values() if _has_text(one)])
    return [
        (
            f"{one.stream.replace(':', '-')}-{one.seq}-{epoch}",
            _json.encode(_body(entries[one.stream, one.seq], names, texts, prefix)),
        )
        for one in taken
    ]


def _has_text(entry: Entry) -> bool:
    return entry.kind in ("lane.message_posted", "room.message_posted")


def _body(
    entry: Entry, names: Mapping[str, Face], texts: Mapping[int, Said], prefix: str
) -> Mapping[str, Any]:
    ticket = entry.data.get("ticket_id")
    actor = names.get(entry.actor)
    text = texts.get(entry.data["message_id"]) if _has_text(entry) else None
    return {
        "type": entry.kind,
        "timestamp": stamp(entry.at),
        "stream": entry.stream,
        "seq": entry.seq,
        "ticket": None if ticket is None else {"id": ticket, "number": f"{prefix}-{ticket}"},
        "actor": {"id": entry.actor, "name": actor.name if actor else ""},
        "headline": headline(entry, names),
        "data": {**entry.data, **({} if text is None else {"text": text.body})},
    }
