"""Whether the settings make sense together."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from swarm.keeping.findings import Finding, error, is_local, ok, warning
from swarm.settings import Settings
from swarm.text.language import _, ngettext

_PASSWORD = re.compile(r"://[^/\s:@\"']*:[^/\s@\"']+@")


def examine(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Everything that can be told from the settings alone."""
    yield from _file(environ.get("SWARM_CONFIG", ""), settings.mail.password, settings.files.secret_key)
    yield from _address(settings)
    yield from _proxies(settings)
    yield from _workers(settings)
    yield from _demo(settings)


def _file(name: str, *secrets: str) -> Iterator[Finding]:
    check = _("Settings")
    if not name:
        yield ok(check, _("They are readable: the defaults and the environment."))
        return
    path = Path(name)
    mode, text = stat.S_IMODE(path.stat().st_mode), path.read_text(encoding="utf-8")
    if mode & 0o044 and (_PASSWORD.search(text) or any(one and one in text for one in secrets)):
        yield warning(
            check,
            _("%(path)s holds a password, and others on this machine may read it: chmod 600.", path=path),
        )
    else:
        yield ok(check, _("They are readable: %(path)s and the environment.", path=path))


def _address(settings: Settings) -> Iterator[Finding]:
    check, server = _("Address"), settings.server
    split = urlsplit(server.address)
    here, listens_here = is_local(split.hostname or ""), is_local(server.host)
    if here and not listens_here and not server.allowed_hosts:
        yield error(
            check,
            _(
                "It listens on %(host)s, but answers to %(address)s only and says so in links: "
                "set server.base_url.",
                host=server.host,
                address=server.address,
            ),
        )
    elif not here and split.scheme != "https":
        yield warning(
            check,
            _(
                "Passwords and cookies go to %(address)s unencrypted: put a proxy with https before it.",
                address=server.address,
            ),
        )
    else:
        yield ok(check, _("People find it at %(address)s.", address=server.address))


def _proxies(settings: Settings) -> Iterator[Finding]:
    check, server = _("Proxies"), settings.server
    if "*" in server.trusted_proxies:
        yield error(
            check,
            _("server.trusted_proxies trusts everybody: anyone can pretend any address and pass the limits."),
        )
    elif not server.trusted_proxies and server.address.startswith("https:"):
        yield warning(
            check,
            _("No proxy is trusted, so that all visitors share one address and one limit."),
        )
    else:
        yield ok(
            check,
            _(
                "Forwarded addresses are believed from %(proxies)s.",
                proxies=", ".join(server.trusted_proxies) or "–",
            ),
        )


def _workers(settings: Settings) -> Iterator[Finding]:
    check, workers = _("Workers"), settings.server.workers
    if workers > 1 and not settings.may_have_several_workers:
        yield error(
            check,
            _(
                "server.workers is %(workers)s, and swarm serve refuses: several need PostgreSQL and Redis.",
                workers=workers,
            ),
        )
    else:
        yield ok(check, ngettext("%(num)s worker serves.", "%(num)s workers serve.", workers))


def _demo(settings: Settings) -> Iterator[Finding]:
    check = _("Demo")
    if settings.demo and not is_local(urlsplit(settings.server.address).hostname or ""):
        yield error(check, _("The demo is on: anybody signs in as anybody with one click."))
    elif settings.demo:
        yield warning(check, _("The demo is on; it is not for real data."))
    else:
        yield ok(check, _("The demo is off."))
