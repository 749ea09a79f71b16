"""Letters to guests."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from swarm.accounts.actions import key_of
from swarm.outbound.letters import Letter
from swarm.people.models import Guest, Person
from swarm.store import Work
from swarm.text.language import _, use
from swarm.tickets.models import Ticket


def guest(work: Work, data: Mapping[str, Any]) -> Letter | None:
    """To somebody without an account, whose help is asked for; mail is read by others, so not about what."""
    row = work.session.get(Guest, int(data["guest_id"]))
    if row is None:
        return None
    work.hold(Ticket, row.ticket_id)
    work.session.refresh(row)
    if row.ended_at is not None or row.joined_at is not None or row.email is None:
        return None
    # Made here, for the secret of a link is kept nowhere.
    secret = secrets.token_urlsafe(32)
    row.link = key_of(secret)
    host = work.session.get_one(Person, row.invited_by).name
    with use(row.language):
        return Letter(
            to=row.email,
            name=row.name,
            language=row.language,
            subject=_("%(host)s asks for your help", host=host),
            paragraphs=(
                _(
                    "Hello %(name)s, %(host)s invites you as a guest into a conversation.",
                    name=row.name,
                    host=host,
                ),
            ),
            closing=(
                _("The link works once, in the browser you open it in. You need no account."),
                _("If you do not know what this is about, do nothing: without the link nobody gets in."),
            ),
            label=_("See the invitation"),
            path=f"/join/{secret}",
        )
