"""Kind of letter → who writes it."""

from __future__ import annotations

from collections.abc import Mapping

from swarm.accounts.letters import account_link, forgotten
from swarm.outbound.letters import Write

LETTERS: Mapping[str, Write] = {
    "account_link": account_link,
    "forgotten": forgotten,
}
