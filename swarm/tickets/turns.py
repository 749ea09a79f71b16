"""What many people write into rooms in one turn: a fixed number of statements, whatever their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from swarm.events import Actor
from swarm.events.refusals import No, NotAllowed, Refused, Stale, Unknown
from swarm.modes import mode_of
from swarm.store import Entry, Work, log, outbox
from swarm.store.sql import Asked, Rows, Sql, together
from swarm.text.language import _, use
from swarm.tickets import rules
from swarm.tickets.events import RoomMessagePosted
from swarm.tickets.queries import may_know
from swarm.tickets.standing import Pair, Remembered, Stands, asking, standing, still


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that somebody wants to write into a room."""

    actor: Actor
    ticket_id: int
    client_id: str
    body: str

    @property
    def key(self) -> Key:
        """What a retry of it carries as well."""
        return (self.ticket_id, self.actor.key, self.client_id)


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a post."""

    message_id: int
    seq: int
    repeated: bool
    """It stood there already: an exact retry changes nothing."""


Supposed = tuple[Sequence[Rows], Sequence[Asked]]
"""Answers, and what fails where they are not true."""


class Fresh(NamedTuple):
    """What is known of a message just written, so that drawing it asks nothing."""

    message_id: int
    client_id: str
    body: str
    author: str
    """Their name."""
    is_owner: bool


class Stored(NamedTuple):
    """A message that stands."""

    id: int
    seq: int
    body: str


Key = tuple[int, str, str]
"""Ticket, author, client id."""
_HOLD = Sql(
    """
    SELECT id FROM tickets WHERE id IN (SELECT id FROM rows(:tickets, id bigint) AS h) ORDER BY id FOR UPDATE
    """
)
_WRITTEN = Sql(
    """
    SELECT m.ticket_id, m.author, m.client_id, m.id, m.seq, m.body
    FROM rows(:keys, ticket bigint, author text, client text) AS a
        JOIN messages m ON m.client_id = a.client AND m.author = a.author AND m.lane = 'room'
        AND m.ticket_id + 0 = a.ticket
    """  # + 0: or a planner that thinks rooms are small walks through all of it
)
_NOTHING_STANDS = Sql(
    """
    SELECT 1 / (count(*) = 0)::int
    FROM rows(:keys, ticket bigint, author text, client text) AS a
        JOIN messages m ON m.client_id = a.client AND m.author = a.author AND m.lane = 'room'
        AND m.ticket_id + 0 = a.ticket
    """
)
# A message's number is its stream's last, just taken, less those of the turn that come after it.
_WRITE = Sql(
    """
    INSERT INTO messages (lane, at, ticket_id, author, client_id, body, seq)
    SELECT 'room', :now, w.ticket, w.author, w.client, w.body, s.last_seq - w.later
    FROM rows(
            :rows, place int, stream text, ticket bigint, author text, client text, body text, later int
        ) AS w JOIN streams s ON s.key = w.stream
    ORDER BY w.place
    RETURNING ticket_id, seq, id
    """
)
_TELL = Sql(
    """
    INSERT INTO events (stream, seq, kind, actor, at, data)
    SELECT a.stream, m.seq, :kind, m.author, m.at, json_object('ticket_id', m.ticket_id, 'message_id', m.id)
    FROM rows(:keys, stream text, ticket bigint, author text, client text) AS a
        JOIN messages m ON m.client_id = a.client AND m.author = a.author AND m.lane = 'room'
        AND m.ticket_id + 0 = a.ticket
    """
)
# Each change of the row goes into all of its indexes: in a busy room that was as much work as the messages.
_TOUCH = Sql(
    """
    UPDATE tickets SET updated_at = :now
    WHERE id IN (SELECT id FROM rows(:tickets, id bigint) AS u) AND updated_at < :stale
    """
)
STALE = timedelta(seconds=1)
"""A ticket says when something happened in it to this accuracy."""


def questions(drafts: Sequence[Draft]) -> Sequence[Asked]:
    """What `post_turn` has to know; the first one takes the tickets' locks."""
    return (
        (_HOLD, {"tickets": [[id_] for id_ in {draft.ticket_id for draft in drafts}]}),
        asking(_staff(drafts)),
        (_WRITTEN, {"keys": [list(key) for key in {draft.key for draft in drafts}]}),
    )


def supposing(drafts: Sequence[Draft], remembered: Remembered, now: datetime) -> Supposed | None:
    """The answers to the `questions`, if nothing has moved and nothing stands; none where that is not known.

    And what goes before the writing in its round trip: fails where anything has moved. On PostgreSQL.
    """
    rows = remembered.supposed(_staff(drafts), now)
    if rows is None:
        return None
    hold, *_asked = questions(drafts)
    return ((), rows, ()), (hold, still(rows))


def post_turn(
    work: Work, drafts: Sequence[Draft], answers: Sequence[Rows] | None = None, first: Sequence[Asked] = ()
) -> list[Posted | No]:
    """`post` into rooms for many at once: each draft's outcome in its place.

    Every draft is judged by the rule the form asks, on the rows as they stand under the tickets' locks:
    the `answers` to the `questions` of these drafts, where they were asked already. On PostgreSQL the
    outcomes are there when the transaction is over, and not before. `first` goes in front of the writing, in
    its round trip: answers that were only supposed let it fail there, and all is asked again.
    """
    connection = work.session.connection()
    _held, stood, written = answers or together(connection, *questions(drafts))
    cases = {(one.case.ticket_id, one.case.actor.key): one for one in standing(stood, _staff(drafts))}
    verdicts = _verdicts(drafts, cases)
    before = {(ticket, author, client): Stored(*rest) for ticket, author, client, *rest in written}
    fresh: dict[Key, Draft] = {}
    refused: set[Key] = set()
    for draft in drafts:
        if verdicts[draft.ticket_id, draft.actor.key] is not None:
            refused.add(draft.key)
        elif draft.key not in before:
            fresh.setdefault(draft.key, draft)
    if first and refused:
        # What is written anew cannot stand already, says its index. The others are not written.
        first = (*first, (_NOTHING_STANDS, {"keys": [list(key) for key in refused]}))
    owned = {place for place, one in cases.items() if one.case.is_owner}
    outcomes: list[Posted | No] = []

    def tell(stored: dict[Key, Stored]) -> None:
        outcomes.extend(_outcomes(drafts, verdicts, before | stored, fresh))

    if fresh:
        _write(work, list(fresh.values()), owned, tell, first)
    else:
        if first:
            together(connection, *first)
        tell({})
    return outcomes


def _staff(drafts: Sequence[Draft]) -> Mapping[Pair, Actor]:
    return {(one.ticket_id, one.actor.person_id or 0): one.actor for one in drafts if one.actor.is_staff}


def _outcomes(
    drafts: Sequence[Draft],
    verdicts: Mapping[tuple[int, str], No | None],
    written: Mapping[Key, Stored],
    fresh: Mapping[Key, Draft],
) -> Iterator[Posted | No]:
    for draft in drafts:
        verdict, row = verdicts[draft.ticket_id, draft.actor.key], written.get(draft.key)
        # What stands there already is answered as before, also where the right to write has gone since.
        if row is None or isinstance(verdict, Unknown):
            assert verdict is not None
            yield verdict
        elif row.body != draft.body:
            yield other_text()
        else:
            yield Posted(row.id, row.seq, repeated=fresh.get(draft.key) is not draft)


def _verdicts(
    drafts: Sequence[Draft], cases: Mapping[tuple[int, str], Stands]
) -> dict[tuple[int, str], No | None]:
    """For each ticket and author why they may not write; none where they may."""
    verdicts: dict[tuple[int, str], No | None] = {}
    for draft in drafts:
        place, actor = (draft.ticket_id, draft.actor.key), draft.actor
        if place in verdicts:
            continue
        with use(actor.language):
            found, hidden = cases.get(place), _("There is no such ticket, or it is not for you to see.")
            if place[0] in actor.cases:
                verdicts[place] = NotAllowed(hidden)
                continue
            if found is None or not may_know(found.case):
                verdicts[place] = Unknown(hidden)
                continue
            verdict = rules.may_write_room(found.case, mode_of(found.mode))
            verdicts[place] = NotAllowed(verdict.sentence) if isinstance(verdict, Refused) else None
    return verdicts


def _write(
    work: Work,
    drafts: Sequence[Draft],
    owned: Collection[tuple[int, str]],
    tell: Callable[[dict[Key, Stored]], None],
    first: Sequence[Asked],
) -> None:
    counts = Counter(draft.ticket_id for draft in drafts)
    later = dict(counts)
    rows: list[list[Any]] = []
    for place, draft in enumerate(drafts):
        ticket = draft.ticket_id
        later[ticket] -= 1
        rows.append(
            [place, f"room:{ticket}", ticket, draft.actor.key, draft.client_id, draft.body, later[ticket]]
        )

    def written(answers: Sequence[Rows]) -> None:
        numbered, put = answers[len(first) : len(first) + 2]
        last, ids = dict(numbered), {(ticket, seq): id_ for ticket, seq, id_ in put}
        stored: dict[Key, Stored] = {}
        for draft, (_place, stream, ticket, author, client, body, after) in zip(drafts, rows, strict=True):
            seq = last[stream] - after
            id_ = ids[ticket, seq]
            event = RoomMessagePosted(ticket_id=ticket, message_id=id_)
            fresh = Fresh(id_, client, body, draft.actor.name, (ticket, author) in owned)
            work.recorded.append(Entry(stream, seq, event.kind, work.now, author, event.data(), fresh))
            stored[ticket, author, client] = Stored(id_, seq, body)
        tell(stored)

    work.at_last(
        *first,
        log.numbering({f"room:{ticket}": count for ticket, count in counts.items()}),
        (_WRITE, {"rows": rows, "now": work.now}),
        (_TELL, {"kind": RoomMessagePosted.kind, "keys": [row[1:5] for row in rows]}),
        outbox.put_new(RoomMessagePosted.kind, [(row[1], row[6]) for row in rows], work.now),
        (_TOUCH, {"tickets": [[ticket] for ticket in counts], "now": work.now, "stale": work.now - STALE}),
        then=written,
    )


def other_text() -> Stale:
    """The same client id with another body."""
    return Stale(_("This message was sent before with another text. Send the new text as a new message."))
