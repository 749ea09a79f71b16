"""How a second step and what a token may do are shown, and where passkeys are good."""

from __future__ import annotations

from urllib.parse import urlsplit

import segno
from markupsafe import Markup

from swarm.accounts.models import Factor
from swarm.accounts.passkeys import Place
from swarm.accounts.second_step import address_for_app
from swarm.text.language import _
from swarm.web.house import House
from swarm.web.links import origin


def square(factor: Factor, email: str) -> Markup:
    """A QR code (ISO/IEC 18004) that an app reads."""
    drawn = segno.make(address_for_app(factor, email), micro=False)
    return Markup(drawn.svg_inline(scale=5, border=3, light="white"))  # noqa: S704 (made of numbers)


def in_fours(secret: str) -> str:
    """A secret as a person types it."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def place_of(house: House) -> Place:
    """Where passkeys of this house are good: its host, and pages of its origin."""
    here = origin(house.links.base)
    return Place(urlsplit(here).hostname or "", here)


def scope_word(scope: str) -> str:
    """What a token may do, for a person."""
    return {
        "read": _("Read"),
        "tickets": _("Work on tickets and asks"),
        "teams": _("Change teams, skills and the switch"),
        "people": _("Give accounts and take them away"),
    }[scope]
