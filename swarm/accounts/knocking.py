"""What a handshake shows: a program its token, a page its cookie."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from swarm.accounts.actions import key_of
from swarm.accounts.queries import Holder
from swarm.live.ports import Audience, Viewer
from swarm.web.cookies import Cookie

_BEARER = re.compile(r"bearer +([A-Za-z0-9_.~+/=-]{1,200})", re.IGNORECASE)


def bearer(header: str) -> str | None:
    """The token in an Authorization header (RFC 6750, 2.1)."""
    found = _BEARER.fullmatch(header)
    return found[1] if found else None


def keys_in(knock: Mapping[str, str], cookies: Sequence[Cookie]) -> Sequence[str]:
    """The sessions that these headers speak of."""
    if "authorization" in knock:
        shown = [bearer(knock["authorization"])]
    else:
        shown = [cookie.find(knock.get("cookie", "")) for cookie in cookies]
    try:
        return [key_of(secret) for secret in shown if secret]
    except ValueError:
        # No secret of ours, and no reason to refuse the others who knock.
        return ()


def fits(held: Holder, knock: Mapping[str, str]) -> bool:
    """A token is shown as one, and a cookie as a cookie."""
    return (held.scopes is not None) == ("authorization" in knock)


def viewer_of(held: Holder) -> Viewer:
    """Who looks through the socket."""
    id_, audience = _place(held)
    return Viewer(
        key=held.key,
        id=id_,
        name=held.name,
        audience=audience,
        language=held.language,
        stamp=held.stamp,
        writes=held.scopes is None or "tickets" in held.scopes.split(),
    )


def _place(held: Holder) -> tuple[str, Audience]:
    if held.person_id is not None:
        return f"person:{held.person_id}", "staff"
    if held.guest_id is not None:
        return f"guest:{held.guest_id}", "guest"
    return f"customer:{held.customer_id}", "customer"
