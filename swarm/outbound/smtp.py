"""One letter to one server (RFC 5321), within a bound of time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib
from aiosmtplib import errors

from swarm.settings import Mail as MailSettings


class NotTaken(Exception):
    """The server did not take it: for now, or `for_good`."""

    def __init__(self, why: str, *, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


def message(
    settings: MailSettings,
    *,
    to: str,
    name: str,
    subject: str,
    text: str,
    html: str,
    token: str,
    at: datetime,
    thread: str = "",
) -> EmailMessage:
    """The letter as it goes over the wire. Raises `NotTaken` for an address no header can hold."""
    made = EmailMessage()
    try:
        made["From"] = Address(settings.name, addr_spec=settings.sender)
        made["To"] = Address(name, addr_spec=to)
        made["Subject"] = subject
    except (ValueError, IndexError, errors.SMTPException) as problem:
        raise NotTaken(str(problem), for_good=True) from None
    made["Date"] = format_datetime(at)
    domain = settings.sender.rpartition("@")[2]
    made["Message-ID"] = f"<{token}@{domain}>"
    if thread:
        # No letter ever had this id; programs that sort by it keep all of them together (RFC 5322, 3.6.4).
        made["In-Reply-To"] = made["References"] = f"<{thread}@{domain}>"
    # Who is away tells us nothing by answering (RFC 3834).
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(text)
    made.add_alternative(html, subtype="html")
    return made


async def send(settings: MailSettings, letter: EmailMessage) -> str:
    """What the server said when it took it. Raises `NotTaken`."""
    try:
        async with asyncio.timeout(settings.seconds):
            _refused, said = await aiosmtplib.send(
                letter,
                hostname=settings.server,
                port=settings.port,
                username=settings.user or None,
                password=settings.password or None,
                use_tls=settings.security == "tls",
                start_tls=settings.security == "starttls",
                timeout=settings.seconds,
            )
    except errors.SMTPRecipientsRefused as problem:
        raise NotTaken(
            _words(problem.recipients), for_good=all(_for_good(one) for one in problem.recipients)
        ) from None
    except (errors.SMTPDataError, errors.SMTPRecipientRefused) as problem:
        raise NotTaken(f"{problem.code} {problem.message}", for_good=_for_good(problem)) from None
    except errors.SMTPResponseException as problem:
        # Who we are, not whom it is for: somebody mends the settings.
        raise NotTaken(f"{problem.code} {problem.message}") from None
    except (errors.SMTPException, OSError, TimeoutError, ValueError) as problem:
        raise NotTaken(f"{type(problem).__name__} {problem}".strip()) from None
    return said


def _words(refusals: Sequence[errors.SMTPRecipientRefused]) -> str:
    return "; ".join(f"{one.code} {one.message}" for one in refusals)


def _for_good(problem: errors.SMTPResponseException) -> bool:
    return 500 <= problem.code < 600
