"""Letters in the order they are sent: put in with the change they tell of, taken by one worker at a time."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from swarm.outbound.letters import Letter
from swarm.outbound.models import Mail
from swarm.store import Work

PATIENCE = timedelta(days=3)
"""After so long without anybody who takes it a letter is parked."""
LONGEST_PAUSE = timedelta(hours=4)
LONGEST_PROBLEM = 500


@dataclass(frozen=True, slots=True)
class Taken:
    """A letter in the hands of one worker."""

    id: int
    token: str
    kind: str
    data: Mapping[str, Any]
    letter: Letter | None


def put(work: Work, kind: str, about: str = "", *, after: float = 0, **data: Any) -> None:
    """A letter of this kind goes out when this transaction is committed, or so many seconds later."""
    work.session.add(
        Mail(
            token=secrets.token_hex(16),
            kind=kind,
            about=about,
            data=data,
            letter=None,
            state="waiting",
            created_at=work.now,
            next_at=work.now + timedelta(seconds=after),
        )
    )


def gather(
    work: Work, kind: str, about: str, change: Callable[[dict[str, Any]], dict[str, Any]], after: float
) -> None:
    """Let what waits about the same say this too; where nothing waits, a letter goes out in so many seconds.

    `change` is given its data, and makes new. Nobody takes the letter before this transaction is over, so
    nothing is added to one that is being written.
    """
    work.session.flush()
    untouched = Mail.about == about, Mail.kind == kind, Mail.state == "waiting", Mail.tries == 0
    found = select(Mail).where(*untouched).order_by(Mail.id).limit(1).with_for_update()
    row = work.session.scalars(found.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        put(work, kind, about, after=after, **change({}))
    else:
        row.data = change(dict(row.data))


def is_due(work: Work) -> bool:
    """Whether `take` would find something."""
    due = select(Mail.id).where(Mail.state == "waiting", Mail.next_at <= work.now)
    return work.session.scalar(due.limit(1)) is not None


def take(work: Work, most: int, seconds: float) -> Sequence[Taken]:
    """Up to `most` letters that are due, nobody else's for so many seconds."""
    due = select(Mail).where(Mail.state == "waiting", Mail.next_at <= work.now)
    rows = work.session.scalars(
        due.order_by(Mail.next_at).limit(most).with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.next_at, row.tries = work.now + timedelta(seconds=seconds), row.tries + 1
    return [
        Taken(
            row.id, row.token, row.kind, row.data, msgspec.convert(row.letter, Letter) if row.letter else None
        )
        for row in rows
    ]


def keep(work: Work, id_: int, letter: Letter) -> None:
    """As it was written it is sent, however often."""
    work.session.get_one(Mail, id_).letter = msgspec.to_builtins(letter)


def drop(work: Work, id_: int) -> None:
    """Nobody is to get it any more."""
    _end(work, id_, "dropped")


def take_back(work: Work, about: str) -> None:
    """Nobody is to get what was put in about this any more, nor is it kept to whom it would have gone."""
    left = update(Mail).where(Mail.about == about, Mail.state.in_(("waiting", "parked")))
    work.session.execute(left.values(state="dropped", letter=None, problem=""))


def sent(work: Work, id_: int) -> None:
    """A server took it."""
    row = _end(work, id_, "sent")
    row.sent_at, row.problem = work.now, ""


def later(work: Work, id_: int, problem: str) -> None:
    """Nobody took it yet; after days of that it is parked."""
    row = work.session.get_one(Mail, id_)
    if row.state == "dropped":
        # Taken back meanwhile; what a server says may name the address.
        return
    row.problem = problem[:LONGEST_PROBLEM]
    if work.now - row.created_at > PATIENCE:
        park(work, id_, problem)
    else:
        row.next_at = work.now + min(timedelta(minutes=2 ** min(row.tries - 1, 10)), LONGEST_PAUSE)


def park(work: Work, id_: int, problem: str) -> None:
    """It will never be taken as it is; somebody may look at why, and try again."""
    row = work.session.get_one(Mail, id_)
    if row.state != "dropped":
        row.state, row.problem = "parked", problem[:LONGEST_PROBLEM]


def again(work: Work) -> int:
    """Try everything that is parked or waits once more, at once; how many."""
    rows = update(Mail).where(Mail.state.in_(("parked", "waiting")))
    return len(
        work.session.scalars(
            rows.values(state="waiting", next_at=work.now, created_at=work.now, tries=0).returning(Mail.id)
        ).all()
    )


def forget(work: Work, days: int, most: int = 5000) -> int:
    """Take away letters that are over and older than so many days, a part at a time; how many."""
    old = select(Mail.id).where(
        Mail.state.in_(("sent", "dropped")), Mail.created_at < work.now - timedelta(days=days)
    )
    ids = work.session.scalars(old.order_by(Mail.id).limit(most)).all()
    work.session.execute(delete(Mail).where(Mail.id.in_(ids)))
    return len(ids)


def waiting(session: Session) -> tuple[int, datetime | None]:
    """How many letters wait, and since when the oldest does."""
    row = session.execute(
        select(func.count(), func.min(Mail.created_at)).where(Mail.state == "waiting")
    ).one()
    return row[0], row[1]


def last_about(session: Session, about: str) -> Mail | None:
    """The newest letter about somebody."""
    newest = select(Mail).where(Mail.about == about).order_by(Mail.id.desc())
    return session.scalars(newest.limit(1)).one_or_none()


def _end(work: Work, id_: int, state: str) -> Mail:
    row = work.session.get_one(Mail, id_)
    row.state, row.letter = state, None
    return row
