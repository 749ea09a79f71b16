"""One POST to an address outside: no redirects, bounded in time and size, only where it may go.

h11, which uvicorn brings along, speaks HTTP/1.1: a whole client would look names up and connect by itself.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

import h11

from swarm.outbound.addresses import Forbidden, look_up
from swarm.text.language import _

MOST_OF_ANSWER = 4096
"""Bytes of an answer that are read; the rest is left on the line."""
LONGEST_ADDRESS = 1000
_CHUNK = 4096


class NoAnswer(Exception):
    """Nothing came back; the text says why, and names no address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Target:
    """An address in its parts."""

    secure: bool
    host: str
    port: int
    path: str


def parsed(url: str, *, http: bool) -> Target:
    """The parts of an address. Raises `ValueError` with a sentence for the person who typed it."""
    if len(url) > LONGEST_ADDRESS or not url.isascii() or any(not 0x21 <= ord(one) < 0x7F for one in url):
        raise ValueError(_("This is no address, such as https://example.com/hook."))
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(_("This is no address, such as https://example.com/hook.")) from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise ValueError(_("This is no address, such as https://example.com/hook."))
    if parts.scheme == "http" and not http:
        raise ValueError(_("The address begins with https://."))
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError(_("The address has no name, password or # in it."))
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, host, port or (443 if secure else 80), path)


async def post(
    target: Target, headers: Mapping[str, str], body: bytes, *, seconds: float, networks: Sequence[str]
) -> Answer:
    """Send it and read the beginning of the answer. Raises `NoAnswer`."""
    try:
        async with asyncio.timeout(seconds):
            return await _post(target, headers, body, networks)
    except TimeoutError:
        raise NoAnswer(f"no answer within {seconds:g} seconds") from None
    except Forbidden as refused:
        raise NoAnswer(str(refused)) from None
    except ssl.SSLCertVerificationError as failure:
        raise NoAnswer(f"its certificate is not to be trusted: {failure.verify_message}") from None
    except h11.RemoteProtocolError:
        raise NoAnswer("what came back was not HTTP") from None
    except (OSError, h11.ProtocolError, UnicodeError) as failure:
        why = failure.strerror if isinstance(failure, OSError) and failure.strerror else ""
        raise NoAnswer(f"{type(failure).__name__} {why}".strip()) from None


async def _post(target: Target, headers: Mapping[str, str], body: bytes, networks: Sequence[str]) -> Answer:
    reader, writer = await _connect(target, networks)
    try:
        connection = h11.Connection(our_role=h11.CLIENT)
        request = h11.Request(
            method="POST",
            target=target.path,
            headers=[
                ("Host", _host(target)),
                ("Content-Length", str(len(body))),
                ("Connection", "close"),
                *headers.items(),
            ],
        )
        for event in (request, h11.Data(data=body), h11.EndOfMessage()):
            writer.write(connection.send(event) or b"")
        with suppress(ConnectionError):
            # Who has answered already need not have read all of it.
            await writer.drain()
        return await _answer(connection, reader)
    finally:
        # Nobody waits for the other side to say goodbye.
        writer.transport.abort()


@lru_cache(maxsize=2)
def _trust(_bundle: str) -> ssl.SSLContext:
    """What certificates are trusted; reading them takes tens of milliseconds of everybody's time."""
    return ssl.create_default_context()


async def _connect(
    target: Target, networks: Sequence[str]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    addresses = await look_up(target.host, target.port, networks)
    secure = _trust(os.environ.get("SSL_CERT_FILE", "")) if target.secure else None
    for place, address in enumerate(addresses, start=1):
        try:
            return await asyncio.open_connection(
                str(address),
                target.port,
                ssl=secure,
                server_hostname=target.host if secure else None,
                limit=_CHUNK,
            )
        except ssl.SSLError:
            raise
        except OSError:
            if place == len(addresses):
                raise
    raise AssertionError("no address")


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader) -> Answer:
    status, body = 0, b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
            if len(body) >= MOST_OF_ANSWER:
                return Answer(status, body[:MOST_OF_ANSWER])
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed) or event is h11.PAUSED:
            return Answer(status, body)


def _host(target: Target) -> str:
    try:
        ip_address(target.host)
        host = f"[{target.host}]" if ":" in target.host else target.host
    except ValueError:
        host = target.host
    return host if target.port == (443 if target.secure else 80) else f"{host}:{target.port}"
