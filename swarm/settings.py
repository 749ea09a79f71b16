"""Every setting, typed; `config/swarm.toml` documents them and a test holds the two together."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec.inspect import StructType, VarTupleType

PREFIX = "SWARM_"
ALIASES = {"SWARM_DATABASE_URL": "SWARM_DATABASE__URL", "SWARM_REDIS_URL": "SWARM_REDIS__URL"}
NOT_SETTINGS = ("SWARM_CONFIG", "SWARM_TEST_")

Count = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Rate = Annotated[float, msgspec.Meta(gt=0)]


class SettingsError(Exception):
    """A setting nobody can act on; the text is a sentence for the person who wrote it."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields of one table of the configuration file."""


class Server(Section, frozen=True):
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8000
    base_url: str = ""
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ("127.0.0.1",)
    workers: Count = 1
    silent_seconds: Annotated[float, msgspec.Meta(ge=5)] = 60.0
    body_bytes: Count = 1024 * 1024
    body_seconds: Seconds = 20.0
    header_bytes: Annotated[int, msgspec.Meta(ge=4096)] = 32 * 1024
    header_seconds: Seconds = 10.0
    keep_alive_seconds: Seconds = 5.0
    connections: Count = 1000

    @property
    def address(self) -> str:
        """Where people find swarm, without a slash at the end."""
        return self.base_url.rstrip("/") or f"http://localhost:{self.port}"

    @property
    def hosts(self) -> frozenset[str]:
        """Host names, without ports, that a request may name."""
        own = urlsplit(self.address).hostname or "localhost"
        return frozenset({own, "localhost", "127.0.0.1", "[::1]", *self.allowed_hosts})


class Database(Section, frozen=True):
    url: Annotated[str, msgspec.Meta(pattern=r"^(sqlite|postgresql\+psycopg)://")] = "sqlite:///var/swarm.db"
    connections: Count = 8
    probe_seconds: Seconds = 5.0


class Redis(Section, frozen=True):
    url: Annotated[str, msgspec.Meta(pattern=r"^$|^(redis|rediss|unix)://")] = ""
    prefix: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_-]{1,40}$")] = "swarm"


class Live(Section, frozen=True):
    beat_seconds: Seconds = 20.0
    resync_limit: Count = 300
    heads_seconds: Seconds = 1.0
    probe_seconds: Seconds = 5.0
    standing_seconds: Annotated[float, msgspec.Meta(gt=0, le=2)] = 1.0
    sockets_per_person: Count = 20
    sockets_per_worker: Count = 10_000
    frame_bytes: Count = 64 * 1024
    frames_per_second: Rate = 20.0
    posts_per_second: Rate = 5.0
    buffer_bytes: Count = 1024 * 1024
    drain_seconds: Annotated[float, msgspec.Meta(ge=0, le=8)] = 3.0


class Sessions(Section, frozen=True):
    idle_hours: Count = 12
    days: Count = 14


class Links(Section, frozen=True):
    days: Count = 7
    follow_days: Count = 60
    account_hours: Count = 72


class Guests(Section, frozen=True):
    link_hours: Count = 48
    days: Count = 7


class Tickets(Section, frozen=True):
    prefix: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{1,8}$")] = "SW"
    reopen_days: Count = 7


class Asks(Section, frozen=True):
    answer_minutes: Count = 15


class Passwords(Section, frozen=True):
    min_length: Annotated[int, msgspec.Meta(ge=8, le=100)] = 12
    at_once: Count = 2


class Limits(Section, frozen=True):
    sign_in_per_minute: Count = 10
    opening_per_minute: Count = 6
    links_per_minute: Count = 20
    posts_per_minute: Count = 120
    api_per_minute: Count = 600
    searches_per_minute: Count = 240


class Mail(Section, frozen=True):
    server: str = ""
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = ""
    sender: Annotated[str, msgspec.Meta(pattern=r"^$|^[^@\s<>]+@[^@\s<>]+$")] = ""
    name: Annotated[str, msgspec.Meta(pattern=r"^[^\r\n]*$")] = "swarm"
    seconds: Annotated[float, msgspec.Meta(gt=0, le=300)] = 30.0
    customers: bool = True
    gather_seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 60.0

    @property
    def goes_out(self) -> bool:
        """Whether letters are sent at all."""
        return bool(self.server and self.sender)

    @property
    def writes_to_customers(self) -> bool:
        """Whether customers get letters about their cases."""
        return self.goes_out and self.customers


class Webhooks(Section, frozen=True):
    sent: bool = True
    networks: tuple[str, ...] = ()
    http: bool = False
    seconds: Annotated[float, msgspec.Meta(gt=0, le=60)] = 15.0
    patience_days: Count = 3
    keep_days: Count = 30

    def __post_init__(self) -> None:
        for network in self.networks:
            try:
                ip_network(network)
            except ValueError:
                raise ValueError(f"{network} is no network, such as 10.1.0.0/16") from None


class Files(Section, frozen=True):
    folder: Annotated[str, msgspec.Meta(min_length=1)] = "var/files"
    storage: Literal["disk", "s3"] = "disk"
    bucket: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]*$")] = ""
    prefix: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._/-]*$")] = ""
    endpoint: Annotated[str, msgspec.Meta(pattern=r"^$|^https?://[^\s@?#]+$")] = ""
    region: str = "us-east-1"
    access_key: str = ""
    secret_key: str = ""
    storage_seconds: Annotated[float, msgspec.Meta(gt=0, le=300)] = 15.0
    most: Annotated[int, msgspec.Meta(ge=0, le=50)] = 10
    most_bytes: Count = 25_000_000
    message_bytes: Count = 50_000_000
    hour_bytes: Count = 500_000_000
    seconds: Seconds = 600.0
    keep_hours: Count = 24
    picture_pixels: Count = 50_000_000
    picture_side: Annotated[int, msgspec.Meta(ge=200, le=8000)] = 1600
    refused: tuple[str, ...] = (
        *("programs", "exe", "com", "scr", "msi", "bat", "cmd", "ps1", "vbs", "js", "jse"),
        *("wsf", "hta", "lnk", "jar", "reg", "cpl", "dll", "apk", "appx"),
    )
    scan: str = ""
    scan_seconds: Annotated[float, msgspec.Meta(gt=0, le=600)] = 60.0

    def __post_init__(self) -> None:
        if self.storage == "s3" and not self.bucket:
            raise ValueError("storage is s3, and no bucket is named")
        if bool(self.access_key) != bool(self.secret_key):
            raise ValueError("access_key and secret_key belong together")


class Metrics(Section, frozen=True):
    token: Annotated[str, msgspec.Meta(pattern=r"^$|^[!-~]{16,200}$")] = ""


class Log(Section, frozen=True):
    level: Literal["debug", "info", "warning", "error"] = "info"
    json: bool = False


class Settings(Section, frozen=True):
    """What one process runs with; made once, by `load`, and handed down."""

    demo: bool = False
    still: bool = False
    """The demo is served without simulated people."""
    server: Server = Server()
    database: Database = Database()
    redis: Redis = Redis()
    live: Live = Live()
    sessions: Sessions = Sessions()
    links: Links = Links()
    guests: Guests = Guests()
    tickets: Tickets = Tickets()
    asks: Asks = Asks()
    passwords: Passwords = Passwords()
    limits: Limits = Limits()
    mail: Mail = Mail()
    webhooks: Webhooks = Webhooks()
    files: Files = Files()
    metrics: Metrics = Metrics()
    log: Log = Log()

    @property
    def may_have_several_workers(self) -> bool:
        """Whether several would find what they share; docs/decisions/0007 says what goes wrong without."""
        return bool(self.redis.url) and self.database.url.startswith("postgresql")


def resources(*parts: str) -> Path:
    """The templates, static or config folder: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parent
    inside = package / "_files"
    return (inside if inside.is_dir() else package.parent).joinpath(*parts)


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Shipped defaults, then the file SWARM_CONFIG names, then SWARM_SECTION__KEY; raises SettingsError."""
    environ = os.environ if environ is None else environ
    merged = _read(resources("config", "swarm.toml"))
    own = environ.get("SWARM_CONFIG")
    if own:
        _lay_over(merged, _read(Path(own)))
    _lay_over(merged, _from_environment(environ))
    try:
        return msgspec.convert(merged, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(_sentence(str(error))) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"The configuration file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The configuration file {path} is not valid TOML: {error}.") from None
    _refuse_unknown(found, str(path))
    return found


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX) or name.startswith(NOT_SETTINGS):
            continue
        path = ALIASES.get(name, name).removeprefix(PREFIX).lower().split("__")
        field = _field(path, name)
        if isinstance(field, StructType):
            raise SettingsError(f"{name} names a whole section; add two underscores and the setting's name.")
        table = found
        for part in path[:-1]:
            table = table.setdefault(part, {})
        table[path[-1]] = _items(text) if isinstance(field, VarTupleType) else text
    return found


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


@cache
def _settings() -> msgspec.inspect.Type:
    return msgspec.inspect.type_info(Settings)


def _field(path: Sequence[str], origin: str) -> msgspec.inspect.Type:
    found = _settings()
    for part in path:
        known = {field.name: field.type for field in found.fields} if isinstance(found, StructType) else {}
        if part not in known:
            close = get_close_matches(part, known, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise SettingsError(f"There is no setting {'.'.join(path)}, which {origin} sets.{hint}")
        found = known[part]
    return found


def _refuse_unknown(found: Mapping[str, Any], origin: str, above: tuple[str, ...] = ()) -> None:
    for key, value in found.items():
        if isinstance(_field((*above, key), origin), StructType):
            if not isinstance(value, dict):
                raise SettingsError(f"{key} in {origin} is a section: write [{key}] on a line of its own.")
            _refuse_unknown(value, origin, (*above, key))


def _lay_over(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            _lay_over(below[key], value)
        else:
            below[key] = value


def _sentence(problem: str) -> str:
    reason, _, where = problem.partition(" - at `$.")
    return f"The setting {where.rstrip('`') or 'file'} cannot be used: {re.sub(r'`', '', reason)}."
