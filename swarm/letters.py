"""Kind of letter → who writes it."""

from __future__ import annotations

from collections.abc import Mapping

from swarm.accounts.letters import account_link, forgotten
from swarm.outbound.letters import Write
from swarm.rooms.guest_letters import guest
from swarm.rooms.letters import staff_news
from swarm.tickets.letters import case_news, case_opened

LETTERS: Mapping[str, Write] = {
    "account_link": account_link,
    "forgotten": forgotten,
    "guest": guest,
    "case_opened": case_opened,
    "case_news": case_news,
    "staff_news": staff_news,
}
