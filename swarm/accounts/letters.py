"""Letters about accounts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from swarm.accounts.account_links import let_in_by_link
from swarm.accounts.queries import person_by_email
from swarm.outbound.letters import Letter
from swarm.people.models import Person
from swarm.store import Work
from swarm.text.language import _, ngettext, use


def account_link(work: Work, data: Mapping[str, Any]) -> Letter | None:
    """To somebody an administrator gave an account, or a new way in."""
    person = work.session.get(Person, int(data["person_id"]))
    return _link(work, person, int(data["hours"])) if person is not None and person.active else None


def forgotten(work: Work, data: Mapping[str, Any]) -> Letter | None:
    """To whoever said that they forgot their password, if there is such an account."""
    person = person_by_email(work.session, str(data["email"]))
    return None if person is None else _link(work, person, int(data["hours"]))


def _link(work: Work, person: Person, hours: int) -> Letter:
    invited = person.password is None
    secret = let_in_by_link(work, person.id, timedelta(hours=hours))
    with use(person.language):
        lasts = ngettext(
            "The link works once, within %(num)s hour.", "The link works once, within %(num)s hours.", hours
        )
        if invited:
            subject, first = (
                _("Your account"),
                _("Hello %(name)s, you have an account now.", name=person.name),
            )
            label = _("Choose a password")
            last = _("If you do not know what this is about, do nothing: without the link nobody gets in.")
        else:
            subject = _("A new password")
            first = _("Hello %(name)s, with this link you choose a new password.", name=person.name)
            label = _("Choose another password")
            last = _("If you did not ask for it, do nothing: your password stays as it is.")
    return Letter(
        to=person.email,
        name=person.name,
        language=person.language,
        subject=subject,
        paragraphs=(first,),
        label=label,
        path=f"/account/{secret}",
        closing=(lasts, last),
    )
