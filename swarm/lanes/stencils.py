"""A line drawn once for each author of a room; what differs between their messages is set in."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

from swarm.lanes.queries import fresh_line
from swarm.lanes.views import Line
from swarm.store import Entry
from swarm.text.language import current
from swarm.text.markdown import to_html
from swarm.text.times import stamp
from swarm.tickets.turns import Fresh

MOST = 4096

_Stencil = tuple[Sequence[str], Sequence[int]]
"""What stays, and which value stands between one piece and the next."""


class Stencils:
    """Draws with the template, once; call it where times are drawn for everybody."""

    def __init__(self, draw: Callable[[Line], str]) -> None:
        self._draw = draw
        self._kept: dict[tuple[str, str, str, bool, str], _Stencil] = {}
        # Nobody can write these: they are made anew by each process and never leave it.
        self._sample = Fresh(_number(), secrets.token_hex(16), secrets.token_hex(16), "", False)
        self._seq = _number()
        self._at = datetime(5000, 1, 1, tzinfo=UTC) + timedelta(seconds=secrets.randbelow(10**11))
        holes = (
            str(self._sample.message_id),
            self._sample.client_id,
            str(self._seq),
            stamp(self._at),
            str(to_html(self._sample.body)),
        )
        self._holes = {words: place for place, words in enumerate(holes)}
        self._hole = re.compile("(" + "|".join(map(re.escape, holes)) + ")")

    def line(self, entry: Entry, fresh: Fresh, html: Markup) -> str:
        """The line of a message just written, whose body is drawn as `html`."""
        key = (entry.stream, entry.actor, fresh.author, fresh.is_owner, current())
        stencil = self._kept.get(key)
        if stencil is None:
            stencil = self._cut(entry, fresh)
            if len(self._kept) >= MOST:
                self._kept.clear()
            self._kept[key] = stencil
        stays, holes = stencil
        values = (str(fresh.message_id), escape(fresh.client_id), str(entry.seq), stamp(entry.at), html)
        drawn = [stays[0]]
        for hole, piece in zip(holes, stays[1:], strict=True):
            drawn += (values[hole], piece)
        return "".join(drawn)

    def _cut(self, entry: Entry, fresh: Fresh) -> _Stencil:
        sample = self._sample._replace(author=fresh.author, is_owner=fresh.is_owner)
        drawn = self._draw(fresh_line(replace(entry, seq=self._seq, at=self._at), sample))
        pieces = self._hole.split(drawn)
        return pieces[0::2], [self._holes[words] for words in pieces[1::2]]


def _number() -> int:
    return 10**17 + secrets.randbelow(10**17)
