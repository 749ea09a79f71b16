"""Commands about mail."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from html import escape
from typing import Annotated

import typer
from sqlalchemy import select

from swarm.cli.plain import OPERATOR, group, opened, out, read_settings, show
from swarm.events.refusals import No
from swarm.outbound import queue, smtp
from swarm.outbound.models import Mail
from swarm.store import Work
from swarm.text.language import _, ngettext

MOST = 100

mail = group(_("Letters that go out, and those that could not."))


@mail.command("test", help=_("Send one letter at once, and say what the server said."))
def test(address: Annotated[str, typer.Argument(metavar="EMAIL")]) -> None:
    settings = read_settings().mail
    if not settings.goes_out:
        raise No(_("No mail leaves this house: set mail.server and mail.sender."))
    words = _("This is a letter of swarm, sent to see whether letters arrive. It worked.")
    try:
        letter = smtp.message(
            settings,
            to=address,
            name="",
            subject=_("A letter of swarm"),
            text=f"{words}\n",
            html=f"<p>{escape(words)}</p>",
            token=secrets.token_hex(16),
            at=datetime.now(UTC),
        )
        said = asyncio.run(smtp.send(settings, letter))
    except smtp.NotTaken as problem:
        server = f"{settings.server}:{settings.port}"
        raise No(_("%(server)s did not take it: %(why)s", server=server, why=problem)) from None
    out.print(_("%(server)s took it: %(said)s", server=settings.server, said=said))


@mail.command("list", help=_("Letters that wait or could not be sent, oldest first."))
def list_letters() -> None:
    def read(work: Work) -> list[list[str]]:
        query = select(Mail).where(Mail.state.in_(("waiting", "parked"))).order_by(Mail.id).limit(MOST)
        return [
            [
                str(row.id),
                row.kind,
                row.state,
                f"{row.created_at:%Y-%m-%d %H:%M}",
                str(row.tries),
                row.problem,
            ]
            for row in work.session.scalars(query)
        ]

    with opened() as store:
        found = store.read_now(OPERATOR, read)
    show(["", _("Kind"), _("State"), _("Since"), _("Tries"), _("Problem")], found)


@mail.command("again", help=_("Try everything that waits or could not be sent once more, now."))
def again() -> None:
    with opened() as store:
        count = store.write_now(OPERATOR, queue.again)
    out.print(ngettext("%(num)s letter is tried again.", "%(num)s letters are tried again.", count))
