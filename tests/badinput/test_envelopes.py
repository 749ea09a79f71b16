"""What surrounds a form: its type, length and origin, the name of the host, cookies and other headers."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.access import table
from tests.access.people import World
from tests.access.sending import Knocker, form_for, rehearsing, snapshot, writer_of
from tests.support.site import PATIENCE

ROOM = "POST /tickets/{number:int}/{lane}/messages lane=room"
CASE = "POST /case/{number:int}/messages"
OPEN = "POST /open"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def knocker(sqlite_world: World) -> Iterator[Knocker]:
    """And whatever is sent, nothing changes."""
    made, before = Knocker(sqlite_world), snapshot(sqlite_world)
    yield made
    made.close()
    assert snapshot(sqlite_world) == before


BODIES: dict[str, tuple[str, bytes, int]] = {
    "no type": ("", b"body=x", 415),
    "text": ("text/plain", b"body=x", 415),
    "JSON as text": ("text/plain", b'{"body": "x"}', 415),
    "JSON": ("application/json", b'{"body": "x"}', 415),
    "deep JSON": ("application/json", b"[" * 100_000, 415),
    "XML": ("application/xml", b"<a/>", 415),
    "another charset": (f"{FORM}; charset=utf-7", b"body=x", 415),
    "not UTF-8": (FORM, b"body=\xff\xfe", 400),
    "escaped, not UTF-8": (FORM, b"body=%ff", 400),
    "very many fields": (FORM, b"&".join(b"a%d=1" % number for number in range(1000)), 400),
    "a very long name": (FORM, b"a" * 1000 + b"=1", 400),
    "a very long field": (FORM, b"body=" + b"a" * 300_000, 400),
    "nothing": (FORM, b"", 422),
    "no pairs": (FORM, b"%", 422),
    "multipart without boundary": ("multipart/form-data", b"x", 400),
    "multipart that is none": ("multipart/form-data; boundary=x", b"x", 400),
    "multipart with a file": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="body"; filename="a"\r\n\r\nx\r\n--x--\r\n',
        400,
    ),
    "multipart, not UTF-8": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="body"\r\n\r\n\xff\r\n--x--\r\n',
        400,
    ),
}


@pytest.mark.parametrize("what", BODIES)
def test_what_is_no_form_is_refused(sqlite_world: World, knocker: Knocker, what: str) -> None:
    kind, body, right = BODIES[what]
    for door in (ROOM, CASE, OPEN, "POST /me/password", "POST /sign-in", "POST /teams/{key}/policy"):
        who, ticket = writer_of(door)
        address = knocker.address(door, ticket)
        answer = knocker.send(who, "POST", address, body, Content_Type=kind, Accept="application/json")
        assert answer.status == right, (door, answer.status, answer.body[:200])


def test_a_body_that_is_too_large_is_refused_unread(sqlite_world: World, knocker: Knocker) -> None:
    for length, right in (
        ("2000000", b"413"),
        ("9" * 15, b"413"),
        ("9" * 30, b"400"),
        ("-1", b"400"),
        ("1e3", b"400"),
    ):
        head = f"POST /open HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORM}\r\n"
        said = _raw(sqlite_world, f"{head}Content-Length: {length}\r\n\r\n".encode())
        assert said.startswith(b"HTTP/1.1 " + right), said[:60]


def test_without_an_origin_a_cookie_is_worth_nothing(sqlite_world: World, knocker: Knocker) -> None:
    # Programs show a token, never a cookie: tests/api.
    for door in (door for door in table.DOORS if door.startswith("POST") and " /api/" not in door):
        who, ticket = writer_of(door)
        form = form_for(sqlite_world, door, ticket)
        assert knocker.send(who, "POST", knocker.address(door, ticket), form, Origin="").status == 403, door


HOSTS = (
    *("evil.example", "127.0.0.1.evil.example", "127.0.0.1:99999999", "127.0.0.1@evil.example", "", "[::1"),
    *(
        "127.0.0.1/evil",
        "127.0.0.1\tx",
        "evil.example:80",
        "localhost.evil.example",
        "127.0.0.1, evil.example",
    ),
)


@pytest.mark.parametrize("host", HOSTS)
def test_a_foreign_host_is_not_answered(sqlite_world: World, knocker: Knocker, host: str) -> None:
    for path in ("/", "/open", "/sign-in", "/mine"):
        said = _raw(
            sqlite_world, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        )
        assert said.startswith(b"HTTP/1.1 400"), said[:60]
        assert b"evil" not in said


HEADERS = {
    "who forwarded it": {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"},
    "how it was forwarded": {"X-Forwarded-Proto": "javascript"},
    "for whom": {"X-Forwarded-For": "\xff, " + "1" * 2000},
    "another method": {"X-HTTP-Method-Override": "DELETE"},
    "another address": {"X-Original-URL": "/teams", "X-Rewrite-URL": "/teams"},
    "no language": {"Accept-Language": "../../etc/passwd;q=nan, \xff;q=1e999, x-" + "y" * 3000},
    "no time zone": {"Cookie": "zone=../../etc/passwd"},
    "a broken cookie": {"Cookie": "session=\xff\x7f; ;=;case"},
    "two sessions": {"Cookie": "session=a; session=b"},
    "an endless cookie": {"Cookie": "session=" + "x" * 8000},
    "an odd range": {"Range": "bytes=0-" + "9" * 30, "If-Modified-Since": "x", "If-None-Match": "\xff"},
    "an odd face": {
        "Accept": "\xff",
        "X-Swarm-Request": "\xff",
        "HX-Request": "true",
        "HX-Request-Type": "x",
    },
}


@pytest.mark.parametrize("what", HEADERS)
def test_headers_that_make_no_sense_break_nothing(sqlite_world: World, knocker: Knocker, what: str) -> None:
    for path in ("/open", "/mine", "/case/1", "/static/x/css/tokens.css", "/nowhere", "/healthz"):
        sent = {name.replace("-", "_"): value for name, value in HEADERS[what].items()}
        answer = knocker.send("customer", "GET", path, **sent)
        assert answer.status < 500, (path, answer.status)
        assert b"evil" not in answer.all_bytes


def test_a_link_names_our_address_whatever_the_host_said(sqlite_world: World, knocker: Knocker) -> None:
    """Links are mailed: they come from the settings."""
    form = form_for(sqlite_world, OPEN, "swarming")
    body = "&".join(f"{name}={value}" for name, value in {**form, "email": "a%40b.example"}.items())
    with rehearsing(sqlite_world) as rehearsal:
        rehearsal.on = True
        port = sqlite_world.site.url.rpartition(":")[2]
        head = (
            f"POST /open HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n"
            f"X-Forwarded-Host: evil.example\r\nContent-Type: {FORM}\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        said = _raw(sqlite_world, head.encode()).decode()
    assert said.startswith("HTTP/1.1 201"), said[:300]
    assert f"{sqlite_world.site.url}/link/" in said
    assert "localhost" not in said.partition("\r\n\r\n")[2]


def _raw(world: World, sent: bytes) -> bytes:
    """What the server says to exactly these bytes, until it has nothing more to say."""
    port = int(world.site.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(sent)
        said = b""
        while piece := connection.recv(65536):
            said += piece
        return said
