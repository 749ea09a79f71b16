"""Nothing inside is reached through a webhook: by no form of an address, no name, no certificate."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from swarm.outbound.addresses import may_reach
from swarm.outbound.http import NoAnswer, parsed, post
from tests.support.receiver import Receiver, receiving
from tests.support.site import Site, text_of
from tests.support.town import build
from tests.webhooks.conftest import Serve, outside

INSIDE = (
    *("127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *("100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1"),
    *("2002:7f00:1::", "2002:808:808::", "2001:0:7f00:1::", "fec0::1"),
)
PUBLIC = ("8.8.8.8", "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "2a00:1450::1")


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_or_hides_something_is_not_reached(address: str) -> None:
    assert not may_reach(ip_address(address), ())


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is(address: str) -> None:
    assert may_reach(ip_address(address), ())


def test_a_setting_names_networks_inside() -> None:
    networks = ("10.1.0.0/16", "fd00::/8")
    for address, right in (("10.1.2.3", True), ("10.2.0.1", False), ("fd12::1", True), ("127.0.0.1", False)):
        assert may_reach(ip_address(address), networks) is right
    assert may_reach(ip_address("::ffff:10.1.2.3"), networks)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0"]
)
async def test_no_way_of_writing_this_machine_reaches_it(host: str) -> None:
    with receiving() as receiver:
        target = parsed(f"http://{host}:{receiver.port}/", http=True)
        with pytest.raises(NoAnswer, match=r"inside|OSError|gaierror"):
            await post(target, {}, b"{}", seconds=5, networks=())
        assert receiver.told == []


async def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It leads outside when looked at and inside when connected to: the connection goes where was looked."""
    asked: list[str] = []
    really = socket.getaddrinfo

    def rebinding(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        if host != "rebinding.example.com":
            return really(host, port, *more, **named)
        asked.append(host)
        return [
            (
                socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                ("127.0.0.2" if len(asked) == 1 else "127.0.0.1", port),
            )
        ]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with receiving() as receiver:
        target = parsed(f"http://rebinding.example.com:{receiver.port}/", http=True)
        # 127.0.0.2 stands for outside: there nobody listens, and 127.0.0.1 hears nothing.
        with pytest.raises(NoAnswer):
            await post(target, {}, b"{}", seconds=5, networks=("127.0.0.2/32",))
        assert asked == ["rebinding.example.com"] and receiver.told == []


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ftp://example.com/",
            "//example.com/",
            "example.com",
            "https://",
            "https:///x",
            "file:///etc/passwd",
        ),
        *("https://me:secret@example.com/", "https://example.com/#x", "https://example.com:99999/"),
        *(
            "https://exa mple.com/",
            "https://example.com/\r\nX: 1",
            "https://exämple.com/",
            "javascript:alert(1)",
        ),
        *("http://example.com/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://[::1"),
    ],
)
def test_an_address_that_cannot_be_is_refused_on_the_page(site_without: Site, root: int, url: str) -> None:
    form = {"name": "Bad", "url": url, "events": ["ticket.opened"]}
    answer = site_without.person(root).post("/webhooks", form)
    assert answer.status_code == 422, url
    assert "problem-line" in answer.text


@pytest.fixture(scope="module")
def site_without(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A swarm with the shipped settings."""
    from tests.support.site import serve_site

    backend = request.getfixturevalue("sqlite_maker").make(tmp_path_factory.mktemp("without"))
    with serve_site(backend) as site:
        yield site


@pytest.fixture(scope="module")
def root(site_without: Site) -> int:
    return build(site_without.store).people["root"]


def test_a_name_that_leads_inside_fails_plainly_and_without_its_answer(
    serve_hooks: Serve, receiver: Receiver
) -> None:
    with serve_hooks(webhooks__networks="10.9.9.0/24") as site:
        out = outside(site, receiver, url=f"http://localhost:{receiver.port}/")
        out.say()
        [row] = out.until(lambda rows: bool(rows) and bool(rows[0].said))
        assert row.status is None and "inside" in row.said and receiver.told == []
        assert "inside" in text_of(out.root.get(f"/webhooks/{out.id}").text)


def _certificate(home: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, both = home / f"{name}.pem", home / f"{name}.both.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both.write_bytes(pem.read_bytes() + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return pem, context


async def test_a_certificate_is_verified_for_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, context = _certificate(tmp_path, "localhost")
    other, wrong_name = _certificate(tmp_path, "elsewhere.example.com")
    here = ("127.0.0.0/8", "::1/128")
    with receiving(context) as receiver, receiving(wrong_name) as stranger:
        target = parsed(f"https://localhost:{receiver.port}/", http=False)
        with pytest.raises(NoAnswer, match="certificate"):
            await post(target, {}, b"{}", seconds=5, networks=here)
        bundle = tmp_path / "bundle.pem"
        bundle.write_bytes(trusted.read_bytes() + other.read_bytes())
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        assert (await post(target, {}, b"{}", seconds=5, networks=here)).status == 200
        named = parsed(f"https://localhost:{stranger.port}/", http=False)
        with pytest.raises(NoAnswer, match="certificate"):
            await post(named, {}, b"{}", seconds=5, networks=here)
        assert len(receiver.told) == 1 and stranger.told == []


async def test_time_is_bounded_whatever_is_slow() -> None:
    with receiving() as receiver:
        receiver.behaviour = "stall"
        target = parsed(receiver.url, http=True)
        began = asyncio.get_running_loop().time()
        with pytest.raises(NoAnswer, match="within"):
            await post(target, {}, b"{}", seconds=0.3, networks=("127.0.0.0/8",))
        assert asyncio.get_running_loop().time() - began < 5
