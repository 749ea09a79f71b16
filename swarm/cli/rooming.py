"""`swarm room`: sit in a ticket's room from a terminal, or let a script speak there."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Literal

import typer
from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout
from rich.console import Console
from rich.text import Text

from swarm.cli.plain import read_settings
from swarm.cli.sitting import Kind, Over, Seat
from swarm.events.refusals import No
from swarm.text.language import _, ngettext

PATIENCE = 20.0
LONGEST_ANSWER = 1_000_000
UNSENT_PATIENCE = 30.0
"""Seconds for what a script wrote to be taken."""
Lane = Literal["room", "customer"]

# What a terminal would obey: a message is shown, never carried out.
_COMMANDS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def room(
    number: Annotated[int, typer.Argument(min=1, max=2**53 - 1, metavar="NUMBER")],
    at: Annotated[
        str, typer.Option("--at", metavar="URL", help=_("The desk's address; by default this machine's."))
    ] = "",
    lane: Annotated[
        Lane, typer.Option(help=_("The room, or the customer lane, which the customer reads."))
    ] = "room",
    last: Annotated[int, typer.Option(min=0, max=300, help=_("How many events to begin with."))] = 50,
) -> None:
    """The token comes from SWARM_TOKEN, or is asked for; never from the command line, which others see."""
    address = (at or read_settings().server.address).rstrip("/")
    if not re.fullmatch(r"https?://[^/?#\s@]+", address):
        raise No(_("“%(text)s” is not an address such as https://desk.example.org.", text=address))
    secret = os.environ.get("SWARM_TOKEN", "") or _ask_token()
    if not re.fullmatch(r"[\w.~+/=-]{1,200}", secret, re.ASCII):
        raise No(_("This is no token as we give them."))
    with suppress(KeyboardInterrupt):
        asyncio.run(_Sitting(address, secret, number, lane, last).run())


def _ask_token() -> str:
    if not sys.stdin.isatty():
        raise No(_("Set SWARM_TOKEN to a token: people make them on their own page."))
    typed: str = typer.prompt(_("Token"), hide_input=True, err=True)
    return typed.strip()


class _Sitting:
    """One sitting, from the first line shown to the last one sent."""

    def __init__(self, address: str, secret: str, number: int, lane: Lane, last: int) -> None:
        self._address, self._secret, self._number, self._lane, self._last = (
            address,
            secret,
            number,
            lane,
            last,
        )
        self._key = "room" if lane == "room" else "lane"
        self._out = Console(soft_wrap=True, highlight=False, markup=False)
        self._ticket: dict[str, Any] = {}
        self._state = ""
        self._here: set[str] = set()
        self._all_sent = asyncio.Event()
        self._seat = Seat(address, secret, f"{self._key}:{number}", self._begin, self._said)

    async def run(self) -> None:
        """Until the person leaves, a script has said everything, or the seat is lost. Raises `No`."""
        self._ticket = await asyncio.to_thread(self._ask)
        reads = self._customer if self._lane == "customer" else _("The customer never sees this")
        self._line(f"{self._ticket['number']} · {self._ticket['subject']}", "bold")
        self._line(
            _("Owner: %(name)s", name=self._ticket["owner"]["name"]) + f" · {self._ticket['mode']} · {reads}",
            "dim",
        )
        holding = asyncio.ensure_future(self._seat.hold())
        writing = asyncio.ensure_future(self._write() if sys.stdin.isatty() else self._relay())
        done, waiting = await asyncio.wait((holding, writing), return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for task in done:
            task.result()

    @property
    def _customer(self) -> str:
        customer = self._ticket["customer"]
        return _("%(name)s sees this", name=customer["name"] if customer else _("The customer"))

    async def _begin(self) -> int:
        ticket = await asyncio.to_thread(self._ask)
        return max(0, int(ticket["heads"][self._key]) - self._last)

    async def _write(self) -> None:
        """A person's lines, each when Enter is pressed."""
        # The event itself shows the line, once it is stored.
        asked: PromptSession[str] = PromptSession(erase_when_done=True)
        prompt = "room> " if self._lane == "room" else f"{self._customer}> "
        with patch_stdout(raw=True):
            while True:
                try:
                    line = await asked.prompt_async(prompt)
                except (EOFError, KeyboardInterrupt):
                    return
                if line.strip() in ("/quit", "/leave"):
                    return
                if line.strip() == "/who":
                    self._line(_("Here: %(names)s", names=", ".join(sorted(self._here)) or "–"), "dim")
                elif line.strip():
                    await self._seat.post(line)

    async def _relay(self) -> None:
        """A script's lines, all of them one message."""
        text = await asyncio.to_thread(sys.stdin.read)
        if not text.strip():
            # Nothing to say: it listens, until it is stopped.
            await asyncio.Event().wait()
        await self._seat.post(text)
        try:
            await asyncio.wait_for(self._all_sent.wait(), UNSENT_PATIENCE)
        except TimeoutError:
            raise No(_("It could not be sent: the desk cannot be reached.")) from None

    def _said(self, kind: Kind, frame: Mapping[str, Any]) -> None:
        match kind:
            case "event":
                self._event(frame)
            case "state":
                self._change(frame)
            case "sent":
                if not self._seat.unsent:
                    self._all_sent.set()
            case "refused":
                self._line(_("Not sent: %(why)s", why=frame["why"]), "red")
                self._line(frame["text"], "red")
                if not sys.stdin.isatty():
                    raise Over(frame["why"])
            case "here":
                self._here = {one["name"] for one in frame["here"]}
            case "typing":
                pass

    def _change(self, frame: Mapping[str, Any]) -> None:
        if frame.get("readonly"):
            self._line(frame["readonly"], "yellow")
        state = str(frame["state"])
        if state == self._state:
            return
        self._state = state
        if state == "offline":
            waiting = frame["unsent"]
            kept = ngettext("%(num)s line is kept.", "%(num)s lines are kept.", waiting) if waiting else ""
            self._line(" ".join((_("Offline, trying again."), kept)).strip(), "yellow")
        elif state == "live":
            self._line(_("Live"), "green")
        elif state == "skipped":
            self._line(_("Older lines were skipped."), "yellow")

    def _event(self, frame: Mapping[str, Any]) -> None:
        data = frame.get("data")
        if data is None:
            return
        at = datetime.fromisoformat(frame["at"]).astimezone().strftime("%H:%M")
        if data["message"] is None:
            said = f"{data['headline']} {data['note']}".strip()
            self._out.print(Text(f"{at} ", "dim") + Text(_plain(f"· {said}"), "dim"))
            return
        mine = data["by"]["id"] == self._seat.me
        who = Text(_plain(data["by"]["name"]), "bold cyan" if mine else "bold")
        self._out.print(Text(f"{at} ", "dim") + who + Text("  " + _plain(data["message"]["body"])))
        for one in data["message"].get("files", ()):
            self._out.print(Text(f"{at}   + {_plain(one['name'])}", "dim"))

    def _line(self, text: str, style: str = "") -> None:
        self._out.print(Text(_plain(text), style))

    def _ask(self) -> dict[str, Any]:
        """What the desk says of the ticket. Raises `No`."""
        request = urllib.request.Request(  # noqa: S310 (http or https: looked at where it was read)
            f"{self._address}/api/v1/tickets/{self._number}",
            headers={"Authorization": f"Bearer {self._secret}", "Accept": "application/json"},
        )
        try:
            with _opener.open(request, timeout=PATIENCE) as answer:
                told = json.loads(answer.read(LONGEST_ANSWER))
        except urllib.error.HTTPError as refused:
            raise No(_why(refused, self._address)) from None
        except (OSError, ValueError) as failure:
            why = getattr(failure, "reason", failure)
            raise No(_("%(address)s cannot be reached: %(why)s.", address=self._address, why=why)) from None
        if not isinstance(told, dict) or "heads" not in told:
            raise No(_("There is no swarm at %(address)s.", address=self._address))
        return told


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token is shown to nobody but the desk that was named."""

    def redirect_request(self, *_about: Any) -> None:
        """Take the redirection for an error."""


_opener = urllib.request.build_opener(_NoRedirect)


def _why(refused: urllib.error.HTTPError, address: str) -> str:
    """The sentence of a problem (RFC 9457), or that this is no desk."""
    with suppress(ValueError, OSError):
        told = json.loads(refused.read(LONGEST_ANSWER))
        if isinstance(told, dict) and isinstance(told.get("detail"), str) and "status" in told:
            return str(told["detail"])
    return _("There is no swarm at %(address)s.", address=address)


def _plain(text: str) -> str:
    return _COMMANDS.sub("·", text)
