"""What the hub asks of the rest: the log, who may look, and the action behind a posted frame."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from sqlalchemy.orm import Session

from swarm.accounts.entry import problem_for
from swarm.accounts.knocking import fits, keys_in, viewer_of
from swarm.accounts.queries import (
    Actors,
    Holder,
    actor_by_session,
    asking_stamps,
    holders,
    holding,
    stamps,
    still,
)
from swarm.customers.queries import who_sees
from swarm.events import NOBODY, Actor
from swarm.events.refusals import No
from swarm.live import close_codes
from swarm.live.ports import PostRefused, Refused, Viewer
from swarm.modes import mode_of
from swarm.settings import Settings
from swarm.store import Entry, ReadOnly, Store, Work, log, nobody_could
from swarm.store.sql import together
from swarm.store.writable import sentence
from swarm.text.clean import Unclean, many_lines
from swarm.text.language import _, use
from swarm.tickets.posting import MOST_LETTERS, LaneKey, post
from swarm.tickets.queries import case_for, find, may_know, stands, there
from swarm.tickets.rules import may_answer_customer, may_write_room
from swarm.tickets.standing import Remembered, Stands
from swarm.tickets.turns import Draft, Posted, post_turn, questions, supposing
from swarm.web.cookies import Cookie

TOGETHER = 256
"""At most so many messages share one commit."""
BUSY, GATHER, PAUSE = 0.005, 0.001, 0.012
"""Seconds: a commit so short a time ago means that more is coming; how long is waited at most for as much as
came the last time, before a commit and after one that left messages waiting."""


class StoreLog:
    """The store's log as the hub reads it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def heads(self, streams: Collection[str]) -> Mapping[str, int]:
        """The last number of each stream."""
        return self._store.read_now(NOBODY, lambda work: log.heads(work.session, streams))

    def after(self, stream: str, seq: int, limit: int) -> Sequence[Entry]:
        """What follows, in order."""
        return self._store.read_now(NOBODY, lambda work: log.after(work.session, stream, seq, limit))

    def epoch(self) -> str:
        """Which life of the database this is."""
        return self._store.read_now(NOBODY, lambda work: log.epoch(work.session))

    def changed_outside(self) -> bool:
        """Whether another process may have written."""
        return self._store.changed_outside()


@dataclass(frozen=True, slots=True)
class Tickets:
    """What there is to know of the tickets that somebody asks to watch."""

    stands: Mapping[tuple[str, int], Stands]
    """By actor and ticket, for staff."""
    there: Collection[int]
    """Those of customers' cases that there are."""
    customers: Collection[tuple[int, int]] = ()
    """Customer and colleague who may see the record."""


def may_watch(actor: Actor, stream: str, tickets: Tickets) -> bool:
    """Whether the actor may look at a stream now."""
    kind, id_ = _parts(stream)
    if id_ is None:
        return False
    match kind:
        case "person":
            return actor.person_id == id_
        case "house":
            return actor.is_staff and id_ == 1
        case "team":
            return actor.is_staff and (id_ in actor.rungs or actor.manages)
        case "customer":
            return (id_, actor.person_id) in tickets.customers
        case "lane" | "room":
            if actor.guest_id is not None:
                return id_ == actor.guest_of
            if not actor.is_staff:
                return kind == "lane" and id_ in actor.cases and id_ in tickets.there
            found = tickets.stands.get((actor.key, id_))
            if found is None or not may_know(found.case):
                return False
            return kind == "lane" or bool(mode_of(found.mode).may_read_room(found.case))
    return False


def _parts(stream: str) -> tuple[str, int | None]:
    kind, _colon, number = stream.partition(":")
    known = number.isascii() and number.isdigit() and len(number) <= 15
    return kind, int(number) if known else None


def may_watch_all(session: Session, asked: Collection[tuple[Actor, Collection[str]]]) -> Sequence[set[str]]:
    """Which of their streams each of them may look at, by a few queries for all."""
    wanted = [
        (actor, id_)
        for actor, streams in asked
        for kind, id_ in map(_parts, streams)
        if kind in ("lane", "room") and id_ is not None
    ]
    cases = {id_ for actor, id_ in wanted if id_ in actor.cases}
    records = {
        (id_, actor.person_id)
        for actor, streams in asked
        for kind, id_ in map(_parts, streams)
        if kind == "customer" and id_ is not None and actor.person_id is not None
    }
    tickets = Tickets(stands(session, wanted), there(session, cases), who_sees(session, records))
    return [{stream for stream in streams if may_watch(actor, stream, tickets)} for actor, streams in asked]


def may_write(work: Work, actor: Actor, stream: str) -> bool:
    """Whether the actor may write in a lane now; a customer may in their own."""
    [seen] = may_watch_all(work.session, [(actor, [stream])])
    if not seen:
        return False
    if actor.customer_id is not None:
        return True
    lane, _colon, number = stream.partition(":")
    ticket = find(work.session, actor, int(number))
    case = case_for(work.session, actor, ticket)
    return bool(may_answer_customer(case) if lane == "lane" else may_write_room(case, mode_of(ticket.mode)))


class Doorman:
    """Who may open a socket, and what they may watch."""

    def __init__(self, store: Store, *cookies: Cookie) -> None:
        self._store = store
        self._cookies = cookies
        self._actors = Actors()

    def admit(self, knocks: Sequence[Mapping[str, str]]) -> Sequence[Viewer | Refused]:
        """Whose handshakes these are: the page says by its address which cookie it means."""
        asked = [keys_in(knock, self._cookies) for knock in knocks]
        keys = {key for its in asked for key in its}
        held: Mapping[str, Holder] = {}
        if keys:
            held = self._store.read_now(NOBODY, lambda work: holders(work.session, keys, work.now))
        nobody = Refused(close_codes.SIGNED_OUT, _("You are signed out."))
        return [
            next((viewer_of(held[key]) for key in its if key in held and fits(held[key], knock)), nobody)
            for its, knock in zip(asked, knocks, strict=True)
        ]

    def allowed(self, asked: Mapping[Viewer, Collection[str]]) -> Mapping[Viewer, set[str]]:
        """Which of the streams each viewer may watch now."""

        def look(work: Work) -> Mapping[Viewer, set[str]]:
            now = stamps(work.session, {viewer.key for viewer in asked}, work.now)
            actors = self._actors.found(work.session, now, work.now)
            self._actors.remember(actors)
            its = [(actors.get(viewer.key, NOBODY), streams) for viewer, streams in asked.items()]
            return dict(zip(asked, may_watch_all(work.session, its), strict=True))

        return self._store.read_now(NOBODY, look)

    def may_write(self, viewer: Viewer, stream: str) -> bool:
        """Whether the viewer may write in this lane now."""
        return viewer.writes and self._store.read_now(
            NOBODY,
            lambda work: may_write(work, actor_by_session(work.session, viewer.key, work.now), stream),
        )

    def standing(self, viewers: Collection[Viewer]) -> Mapping[str, int | None]:
        """The stamps of these sessions; none for one that is over."""
        keys = {viewer.key for viewer in viewers}
        now = self._store.read_now(NOBODY, lambda work: stamps(work.session, keys, work.now))
        return {key: now.get(key) for key in keys}


@dataclass(frozen=True, slots=True)
class _Frame:
    session: str
    language: str
    ticket_id: int
    client_id: str
    body: str
    answer: asyncio.Future[int]

    def fail(self, failure: Exception | None) -> None:
        """Tell who wrote it that it is not known, unless they were answered."""
        if failure is not None and not self.answer.done():
            self.answer.set_exception(failure)

    def settle(self, outcome: Posted | No) -> None:
        """Tell who wrote it."""
        if self.answer.done():
            return
        if isinstance(outcome, ReadOnly):
            with use(self.language):
                words = sentence(outcome.why)
            self.answer.set_exception(PostRefused(problem_for(outcome).status, words, outcome.after))
        elif isinstance(outcome, No):
            self.answer.set_exception(PostRefused(problem_for(outcome).status, outcome.sentence))
        else:
            self.answer.set_result(outcome.seq)


_Outcome = tuple[Sequence[Posted | No], Mapping[str, Actor]]
"""What became of each post, and who held the sessions."""


class PostFrame:
    """Writing through the socket: by the form's rule, all that comes in one turn in one commit."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._reopen_days = settings.tickets.reopen_days
        self._actors = Actors()
        self._stood = Remembered()
        self._waiting: list[_Frame] = []
        self._writing: asyncio.Task[None] | None = None
        self._soon: asyncio.Handle | None = None
        """The next transaction, where it has been asked for."""
        self._gathering = False
        """It waits for more to come."""
        self._wrote_at = float("-inf")
        self._usual = 1
        """How many messages were there the last time."""

    def __call__(self, viewer: Viewer, stream: str, client_id: str, body: str) -> Awaitable[int]:
        """The message's number, after its commit; the answer raises `PostRefused`."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[int] = loop.create_future()
        lane, _colon, number = stream.partition(":")
        try:
            text = _fit(viewer, lane, number, body)
        except PostRefused as refused:
            answer.set_exception(refused)
            return answer
        frame = _Frame(viewer.key, viewer.language, int(number), client_id, text, answer)
        if lane == "lane" or viewer.audience == "guest":
            # Turns are for colleagues in rooms: these are few.
            return self._alone(frame, "lane" if lane == "lane" else "room")
        self._waiting.append(frame)
        if self._soon is None and self._writing is None:
            if loop.time() - self._wrote_at < BUSY:
                # What answers one turn comes in a few pieces: they are the next turn together.
                self._gather(GATHER)
            else:
                self._soon = loop.call_soon(self._begin)
        elif self._gathering:
            self._look()
        return answer

    async def _alone(self, frame: _Frame, lane: LaneKey) -> int:
        def write(work: Work) -> Posted:
            work.actor = actor_by_session(work.session, frame.session, work.now)
            with use(work.actor.language):
                days = self._reopen_days
                return post(work, frame.ticket_id, lane, frame.body, frame.client_id, reopen_days=days)

        try:
            frame.settle(await self._store.write(NOBODY, write))
        except No as no:
            frame.settle(no)
        return await frame.answer

    def _gather(self, seconds: float) -> None:
        self._soon = asyncio.get_running_loop().call_later(seconds, self._begin)
        self._gathering = True
        self._look()

    def _look(self) -> None:
        if self._soon is not None and len(self._waiting) >= self._usual:
            # Here and now: in another turn of the loop others would be written to first.
            self._soon.cancel()
            self._begin()

    def _begin(self) -> None:
        """One transaction at a time: what comes meanwhile goes into the next, all of it."""
        self._soon, self._gathering = None, False
        frames, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
        begun = self._begun(frames)
        self._writing = asyncio.get_running_loop().create_task(self._see_through(frames, begun))

    async def _see_through(self, frames: Sequence[_Frame], begun: asyncio.Future[_Outcome]) -> None:
        loop = asyncio.get_running_loop()
        failure: Exception | None = RuntimeError("it is not known what became of it")
        try:
            failure = await self._failed(frames, begun)
            if failure is not None and len(frames) > 1:
                # One of them spoiled it for all; alone, the innocent ones succeed.
                for frame in frames:
                    failure = await self._failed([frame], self._begun([frame]))
                    if failure is not None and nobody_could(failure):
                        # Each of the others would only wait as long again, and who comes after them.
                        break
                    frame.fail(failure)
        finally:
            for frame in frames:
                frame.fail(failure)
            self._writing = None
            self._wrote_at = loop.time()
            self._usual = min(len(frames) + len(self._waiting), TOGETHER)
            if self._waiting:
                self._gather(PAUSE)

    def _begun(self, frames: Sequence[_Frame]) -> asyncio.Future[_Outcome]:
        tries = count()
        return self._store.begin(NOBODY, lambda work: self._post(work, frames, suppose=not next(tries)))

    async def _failed(self, frames: Sequence[_Frame], begun: asyncio.Future[_Outcome]) -> Exception | None:
        """Why nobody was answered; none where all are."""
        try:
            outcomes, actors = await begun
        except ReadOnly as refusal:
            for frame in frames:
                frame.settle(refusal)
            return None
        except Exception as failure:
            return failure
        self._actors.remember(actors)
        for frame, outcome in zip(frames, outcomes, strict=True):
            frame.settle(outcome)
        return None

    def _post(self, work: Work, frames: Sequence[_Frame], *, suppose: bool) -> _Outcome:
        keys = {frame.session for frame in frames}
        connection = work.session.connection()
        # They seldom moved since the last turn.
        actors = self._actors.supposed(keys)
        drafts = _drafts(frames, actors)
        if suppose and not self._store.is_sqlite and actors.keys() == keys:
            supposed = supposing(drafts, self._stood, work.now)
            if supposed is not None:
                answers, (hold, *guards) = supposed
                self._stood.remember(answers[1], work.now)
                return post_turn(work, drafts, answers, (hold, still(actors, work.now), *guards)), actors
        # Rights are asked for in the same breath as what follows from them, and under the locks.
        hold, *asked = questions(drafts)
        held, standing, *rest = together(connection, hold, asking_stamps(keys, work.now), *asked)
        answers = [held, *rest]
        actors = self._actors.found(work.session, holding(standing), work.now)
        if (found := _drafts(frames, actors)) != drafts:
            drafts, answers = found, together(connection, *questions(found))
        self._stood.remember(answers[1], work.now)
        return post_turn(work, drafts, answers), actors


def _drafts(frames: Sequence[_Frame], actors: Mapping[str, Actor]) -> list[Draft]:
    return [
        Draft(actors.get(frame.session, NOBODY), frame.ticket_id, frame.client_id, frame.body)
        for frame in frames
    ]


def _fit(viewer: Viewer, lane: str, number: str, body: str) -> str:
    """The text as it may be kept. Raises `PostRefused`."""
    if not viewer.writes:
        with use(viewer.language):
            said = _("This token may not do that: it was made without “%(scope)s”.", scope="tickets")
            raise PostRefused(403, said)
    named = lane in ("lane", "room") and number.isascii() and number.isdigit() and len(number) <= 15
    with contextlib.suppress(Unclean):
        if named and 0 < len(text := many_lines(body)) <= MOST_LETTERS:
            return text
    with use(viewer.language):
        if not named:
            raise PostRefused(404, _("There is no such ticket, or it is not for you to see."))
        try:
            many_lines(body)
        except Unclean as problem:
            raise PostRefused(422, str(problem)) from None
        raise PostRefused(422, _("A message has between 1 and %(most)s characters.", most=MOST_LETTERS))
