"""Passkeys in a real browser, with an authenticator of its own."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from swarm.accounts.actions import set_password
from swarm.accounts.passwords import hash_of
from swarm.people.models import Person
from tests.support.backends import Backend
from tests.support.site import Site, serve_site
from tests.support.town import Town, build

pytestmark = pytest.mark.journey
PASSWORD = "four words in a row"


@pytest.fixture
def site(backend: Backend) -> Iterator[Site]:
    # Passkeys belong to a name; an address of numbers is none.
    with serve_site(backend, host="localhost") as site:
        yield site


@pytest.fixture
def town(site: Site) -> Town:
    town = build(site.store)
    site.do(lambda work: set_password(work, town.people["ina"], hash_of(PASSWORD)))
    return town


@pytest.fixture
def browser(site: Site, chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=site.url)
    yield context
    context.close()


def authenticator(page: Page) -> tuple[CDPSession, str]:
    """A security key that always says yes."""
    protocol = page.context.new_cdp_session(page)
    protocol.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = protocol.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return protocol, made["authenticatorId"]


def another_key() -> str:
    """A private key (P-256, PKCS 8) that nobody registered."""
    made = ec.generate_private_key(ec.SECP256R1())
    return b64encode(made.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())).decode()


def sign_in(page: Page, site: Site, town: Town) -> None:
    email = site.look(lambda work: work.session.get_one(Person, town.people["ina"]).email)
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def make_passkey(page: Page) -> None:
    page.goto("/me/second-step")
    section = page.locator("section", has_text="A passkey")
    section.get_by_label("What you call it").fill("Laptop")
    section.get_by_label("Password").fill(PASSWORD)
    section.get_by_role("button", name="Make a passkey").click()


def test_a_passkey_is_made_and_opens_the_account(site: Site, town: Town, browser: BrowserContext) -> None:
    page = browser.new_page()
    authenticator(page)
    sign_in(page, site, town)
    make_passkey(page)
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    page.get_by_role("link", name="I kept them").click()
    expect(page.get_by_text("Laptop", exact=True)).to_be_visible()

    browser.clear_cookies()
    sign_in(page, site, town)
    expect(page.get_by_role("heading", name="The second step")).to_be_visible()
    page.goto("/mine")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/sign-in/second")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/mine")


def test_another_passkey_opens_nothing(
    site: Site, town: Town, browser: BrowserContext, chromium: Browser
) -> None:
    page = browser.new_page()
    protocol, id_ = authenticator(page)
    sign_in(page, site, town)
    make_passkey(page)
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    browser.clear_cookies()
    # The same key, but another private half.
    kept = protocol.send("WebAuthn.getCredentials", {"authenticatorId": id_})["credentials"]
    protocol.send("WebAuthn.clearCredentials", {"authenticatorId": id_})
    stranger = chromium.new_context(base_url=site.url)
    other = stranger.new_page()
    foreign, foreign_id = authenticator(other)
    foreign.send(
        "WebAuthn.addCredential",
        {"authenticatorId": foreign_id, "credential": {**kept[0], "privateKey": another_key()}},
    )
    sign_in(other, site, town)
    other.get_by_role("button", name="Use a passkey").click()
    expect(other.get_by_role("alert")).to_contain_text("This passkey was not recognised.")
    other.goto("/mine")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    stranger.close()


def test_a_wrong_password_makes_none(site: Site, town: Town, browser: BrowserContext) -> None:
    page = browser.new_page()
    authenticator(page)
    sign_in(page, site, town)
    page.goto("/me/second-step")
    section = page.locator("section", has_text="A passkey")
    section.get_by_label("Password").fill("not this one")
    section.get_by_role("button", name="Make a passkey").click()
    expect(section.get_by_role("alert")).to_contain_text("This is not your password.")
    expect(page.get_by_text("The password alone")).to_be_visible()
