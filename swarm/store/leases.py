"""Leases: what only one worker runs at a time, and another one when that one dies."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from swarm.store.tables import Lease, UtcTime
from swarm.store.work import Work

_NOBODY = ""


def is_there(work: Work, name: str) -> bool:
    """Whether it can be taken at all; if not, `prepare` it."""
    return work.session.get(Lease, name) is not None


def prepare(work: Work, name: str) -> None:
    """Make its row, in a transaction of its own: who takes it would wait for one that inserts and goes on."""
    if is_there(work, name):
        return
    dialect = postgresql if work.session.get_bind().dialect.name == "postgresql" else sqlite
    row = dialect.insert(Lease).values(name=name, holder=_NOBODY, until=_now(work))
    work.session.execute(row.on_conflict_do_nothing())


def is_free(work: Work, name: str, holder: str) -> bool:
    """Whether `take` is worth trying: it is this holder's, nobody's, or its time is over."""
    lease = work.session.get(Lease, name)
    return lease is None or lease.holder == holder or lease.until <= _now(work)


def take(work: Work, name: str, holder: str, seconds: float) -> bool:
    """Take it or keep it for so many seconds from now; False when somebody else has it, or it is not there.

    Its row is locked until the transaction ends: what is done in it is done by one worker at a time,
    however late that worker is.
    """
    now = _now(work)
    # Whoever is in the middle of it has it: nobody waits behind a holder that hangs.
    held = select(Lease).where(Lease.name == name).with_for_update(skip_locked=True)
    lease = work.session.scalars(held.execution_options(populate_existing=True)).one_or_none()
    if lease is None or (lease.holder != holder and lease.until > now):
        return False
    lease.holder, lease.until = holder, now + timedelta(seconds=seconds)
    work.session.flush()
    return True


def give_up(work: Work, holder: str) -> None:
    """Leave everything of this holder to others, at once."""
    work.session.execute(update(Lease).where(Lease.holder == holder).values(holder=_NOBODY, until=_now(work)))


def _now(work: Work) -> datetime:
    now: datetime | None = work.session.scalar(select(func.current_timestamp(type_=UtcTime())))
    assert now is not None
    return now
