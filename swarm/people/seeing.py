"""Who is here, as the workers' open pages say: noted in the database, for those who see no pages."""

from __future__ import annotations

from collections.abc import Collection

from swarm.store import Work
from swarm.store.sql import Sql

# In one order: two workers note the same people.
_NOTE = Sql(
    """
    INSERT INTO seen (person_id, at)
    SELECT id, :now FROM rows(:people, id bigint) AS r WHERE true ORDER BY id
    ON CONFLICT (person_id) DO UPDATE SET at = excluded.at
    """
)


def note_here(work: Work, person_ids: Collection[int]) -> None:
    """These people have a page open now."""
    _NOTE.run(work.session.connection(), people=[[id_] for id_ in sorted(person_ids)], now=work.now)
