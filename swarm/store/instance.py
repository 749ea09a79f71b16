"""The one row that says which installation this is."""

from __future__ import annotations

import secrets

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from swarm.store.tables import Instance
from swarm.store.work import Work

ONE = 1


def ensure(work: Work) -> None:
    """Put the row in where it is missing, with an epoch nobody had before; safe to repeat and to race."""
    dialect = postgresql if work.session.get_bind().dialect.name == "postgresql" else sqlite
    work.session.execute(
        dialect.insert(Instance)
        .values(id=ONE, epoch=secrets.token_hex(8), demo=False)
        .on_conflict_do_nothing(index_elements=[Instance.id])
    )


def locked(work: Work) -> Instance:
    """The row, held to the end of the transaction: for what happens once in an installation's life."""
    ensure(work)
    query = select(Instance).where(Instance.id == ONE).with_for_update()
    return work.session.scalars(query.execution_options(populate_existing=True)).one()
