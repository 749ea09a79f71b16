"""Log lines: for people or as JSON, uvicorn's among them, with nothing secret in them."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import psycopg
import structlog

from swarm.settings import Log

SECRET_KEYS = re.compile(r"password|passwd|token|cookie|authorization|secret|api_?key", re.IGNORECASE)
CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
QUERY = re.compile(r"(/[^\s\"'?]*)\?[^\s\"']*")
TOKEN_IN_PATH = re.compile(r"(?<=/)[A-Za-z0-9_-]{20,}(?=$|[/\s\"'?#])")
# PostgreSQL repeats the whole row that it refused.
DETAIL = re.compile(r"(?<=DETAIL:).*?(?=\n\[SQL: |\n\nThe above exception|\Z)", re.DOTALL)
HIDDEN = "[hidden]"

Event = MutableMapping[str, Any]


def set_up(log: Log) -> None:
    """Sends every logger of this process through one handler on standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    line: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log.json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[request_line, *shared],
            pass_foreign_args=True,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                database_away,
                structlog.processors.format_exc_info,
                redact,
                line,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(log.level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.NOTSET)


def request_line(_logger: Any, _method: str, event: Event) -> Event:
    """Gives uvicorn's access line (client, method, path, version, status) named fields."""
    args = event.pop("positional_args", None)
    if event["_record"].name == "uvicorn.access" and isinstance(args, tuple) and len(args) == 5:
        client, method, path, _, status = args
        event.update(event="request", client=client, method=method, path=path, status=status)
    return event


def database_away(_logger: Any, _method: str, event: Event) -> Event:
    """Says in one line that PostgreSQL could not be had: every sweep says so again while it lasts."""
    failure = event.get("exc_info")
    if failure is True:
        failure = sys.exc_info()
    if isinstance(failure, tuple):
        failure = failure[1]
    cause = getattr(failure, "orig", failure)
    if isinstance(cause, psycopg.OperationalError):
        del event["exc_info"]
        event["problem"] = (str(cause) or type(cause).__name__).partition("\n")[0]
    return event


def redact(_logger: Any, _method: str, event: Event) -> Event:
    """Hides what stands under a secret's name, and in any text what `without_secrets` finds."""
    for key in list(event):
        event[key] = HIDDEN if SECRET_KEYS.search(key) else _clean(event[key])
    return event


def without_secrets(text: str) -> str:
    """A line of text without query strings, tokens in paths, credentials in addresses and refused rows."""
    text = DETAIL.sub(f" {HIDDEN}", text)
    return CREDENTIALS.sub(HIDDEN + "@", TOKEN_IN_PATH.sub(HIDDEN, QUERY.sub(r"\1", text)))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, Mapping):
        return {key: HIDDEN if SECRET_KEYS.search(str(key)) else _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in value]
    return value
