"""Files of messages: sent ahead, attached once, fetched by whoever may read the message now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from swarm.events import Actor
from swarm.events.refusals import Unfit, Unknown, ensure
from swarm.modes import mode_of
from swarm.store import Work
from swarm.text.language import _
from swarm.tickets.models import File, Message, Ticket
from swarm.tickets.queries import case_for, visible

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that has arrived: scanned, drawn anew where it is a picture, not yet anybody's to see."""

    token: str
    name: str
    kind: str
    bytes: int
    sha256: str
    width: int | None = None
    height: int | None = None
    safe_kind: str = ""


class Attached(NamedTuple):
    """A file as a line of a lane shows it."""

    message_id: int
    token: str
    name: str
    kind: str
    bytes: int
    width: int | None
    height: int | None

    @property
    def has_picture(self) -> bool:
        """Whether there is a safe copy to show."""
        return self.width is not None


_ATTACHED = [getattr(File, name) for name in Attached._fields]


def keep_loose(
    work: Work, uploader: str, new: Sequence[NewFile], ticket_id: int | None, lane: str, *, hour_bytes: int
) -> None:
    """Note files that wait for their message. Raises `Unfit` for more than one sender may send in an hour."""
    sent = work.session.scalar(
        select(func.coalesce(func.sum(File.bytes), 0)).where(
            File.uploader == uploader, File.at > work.now - HOUR
        )
    )
    if int(sent or 0) + sum(one.bytes for one in new) > hour_bytes:
        raise Unfit(_("You have sent very much within an hour. Send the rest a little later."), "files")
    work.session.add_all(
        File(
            token=one.token,
            uploader=uploader,
            ticket_id=ticket_id,
            lane=lane,
            name=one.name,
            kind=one.kind,
            bytes=one.bytes,
            sha256=one.sha256,
            width=one.width,
            height=one.height,
            safe_kind=one.safe_kind,
            at=work.now,
        )
        for one in new
    )


def attach(work: Work, message: Message, uploader: str, tokens: Sequence[str]) -> None:
    """Let loose files go with a message. Raises `Unfit` for one of others, or not for here."""
    if not tokens:
        return
    rows = work.session.scalars(
        select(File).where(File.token.in_(tokens)).order_by(File.id).with_for_update()
    ).all()
    found = {row.token: row for row in rows}
    for position, token in enumerate(tokens):
        file = found.get(token)
        fits = (
            file is not None
            and file.message_id is None
            and file.uploader == uploader
            and file.lane == message.lane
            and file.ticket_id in (None, message.ticket_id)
        )
        if file is None or not fits:
            raise Unfit(_("A file that goes with this is no longer here. Choose it again."), "files")
        file.message_id, file.ticket_id, file.position = message.id, message.ticket_id, position


def same_files(work: Work, message_id: int, uploader: str, tokens: Sequence[str]) -> bool:
    """Whether a message has just these: by name and content, for a form sent again brings them anew."""
    have = work.session.execute(
        select(File.name, File.sha256).where(File.message_id == message_id).order_by(File.position)
    ).all()
    if len(have) != len(tokens):
        return False
    if not tokens:
        return True
    rows = work.session.execute(
        select(File.token, File.name, File.sha256).where(File.token.in_(tokens), File.uploader == uploader)
    )
    sent = {token: (name, sha256) for token, name, sha256 in rows}
    return [sent.get(token) for token in tokens] == [tuple(one) for one in have]


def prints(work: Work, uploader: str, tokens: Sequence[str]) -> list[str]:
    """What files say of their content, in their order."""
    rows = work.session.execute(
        select(File.token, File.name, File.sha256).where(File.token.in_(tokens), File.uploader == uploader)
    )
    said = {token: f"{name} {sha256}" for token, name, sha256 in rows}
    return [said.get(token, "") for token in tokens]


def files_of(session: Session, message_ids: Collection[int]) -> Mapping[int, list[Attached]]:
    """Files by message, in their order."""
    found: dict[int, list[Attached]] = defaultdict(list)
    if message_ids:
        query = select(*_ATTACHED).where(File.message_id.in_(message_ids))
        for row in session.execute(query.order_by(File.message_id, File.position)):
            found[row.message_id].append(Attached(*row))
    return found


def find_file(session: Session, actor: Actor, token: str, ticket_id: int | None = None) -> File:
    """The file, where the actor may read its message now. Raises `Unknown`, also for what is hidden."""
    hidden = Unknown(_("There is no such file, or it is not for you to see."))
    query = (
        select(File, Ticket)
        .join(Message, Message.id == File.message_id)
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(File.token == token, File.lane == Message.lane, visible(actor))
    )
    if ticket_id is not None:
        query = query.where(Ticket.id == ticket_id)
    row = session.execute(query).one_or_none()
    if row is None:
        raise hidden
    file, ticket = row
    if file.lane != "lane":
        if actor.person_id is None and actor.guest_id is None:
            raise hidden
        ensure(mode_of(ticket.mode).may_read_room(case_for(session, actor, ticket)))
    return file


def condemn(work: Work, hours: int, limit: int = 100) -> Sequence[str]:
    """Files that never went with a message, and now never will: nobody sent them any more."""
    rows = work.session.scalars(
        select(File)
        .where(File.message_id.is_(None), File.at < work.now - timedelta(hours=hours))
        .order_by(File.at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.uploader = ""
    return [row.token for row in rows]


def strike(work: Work, tokens: Collection[str]) -> None:
    """Remove the rows of condemned files, whose bytes are gone."""
    gone = File.token.in_(tokens), File.message_id.is_(None), File.uploader == ""
    work.session.execute(delete(File).where(*gone))
