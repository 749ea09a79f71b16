"""E-mail addresses as people type them."""

from __future__ import annotations

import re

from swarm.text.language import _
from swarm.web.errors import Invalid

_MAIL = re.compile(r"[^@\s<>(),;:\"\\]{1,64}@[^@\s<>(),;:\"\\]{1,190}")


def check_mail(email: str) -> None:
    """Raise `Invalid` for what cannot be an e-mail address; whether it is theirs only a mail can tell."""
    if not _MAIL.fullmatch(email):
        raise Invalid({"email": _("This does not look like an e-mail address.")})
