"""A mail server, and a swarm that sends through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from tests.support.backends import Backend
from tests.support.site import Site, serve_site
from tests.support.smtp import Mailbox, mail_server
from tests.support.town import Town, build

Serve = Callable[..., AbstractContextManager[Site]]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as made:
        yield made


@pytest.fixture
def serve_with_mail(backend: Backend, mailbox: Mailbox) -> Serve:
    """`serve_with_mail(mail__seconds="1")`: a swarm whose letters go to that server."""

    def serve(**settings: str) -> AbstractContextManager[Site]:
        usual = {
            "mail__server": "127.0.0.1",
            "mail__port": str(mailbox.port),
            "mail__security": "none",
            "mail__sender": "desk@example.org",
            "mail__name": "The desk",
            "mail__gather_seconds": "0",
        }
        return serve_site(backend, **{**usual, **settings})

    return serve


@pytest.fixture
def site(serve_with_mail: Serve) -> Iterator[Site]:
    with serve_with_mail() as site:
        yield site


@pytest.fixture
def town(site: Site) -> Town:
    return build(site.store)
