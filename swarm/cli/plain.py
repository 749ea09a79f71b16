"""What all commands share: settings, the store, who acts, and errors as sentences."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError, ProgrammingError
from typer.core import TyperGroup

import swarm.tables  # noqa: F401  # every table, so that references between them resolve
from swarm.accounts.passwords import MOST, hash_of
from swarm.accounts.queries import person_by_email
from swarm.at_once import AT_ONCE
from swarm.events import SYSTEM, Actor
from swarm.events.refusals import No
from swarm.logs import without_secrets
from swarm.people.models import Person
from swarm.people.queries import actor_of
from swarm.settings import Settings, SettingsError, load
from swarm.store import Store, Work
from swarm.store.engines import sync_url
from swarm.text.clean import Unclean, one_line
from swarm.text.language import _, ngettext
from swarm.tickets.csv_rows import ImportRefused

OPERATOR = replace(SYSTEM, role="administrator")
"""Whoever may run commands on this machine may do everything; the log says `system`."""

As = Annotated[str, typer.Option("--as", metavar="EMAIL", help=_("Who is recorded as having done it."))]

out = Console(soft_wrap=True, highlight=False, markup=False)
err = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)

_OTHER_TABLES = re.compile(r"no such (table|column)|does not exist", re.IGNORECASE)


class Plain(TyperGroup):
    """Commands that fail with a sentence on standard error, never with a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what it refuses ends it with exit code 1."""
        try:
            return super().invoke(ctx)
        except (No, ImportRefused) as refused:
            problem = refused.sentence
        except (SettingsError, Unclean) as refused:
            problem = str(refused)
        except (OperationalError, ProgrammingError, InternalError) as failure:
            problem = database_problem(failure)
        err.print(problem, style="red")
        raise typer.Exit(1)


def group(help: str) -> typer.Typer:
    """An empty set of commands of the kind we want."""
    return typer.Typer(
        cls=Plain,
        help=help,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )


def database_problem(failure: DBAPIError) -> str:
    """What is wrong with the database, for the person at the terminal."""
    said = " ".join(without_secrets(str(failure.orig)).split())
    if _OTHER_TABLES.search(said):
        return _("The database does not have the tables of this version. Run swarm migrate first.")
    return _("The database cannot be used: %(why)s", why=said)


def read_settings() -> Settings:
    """The settings, with the folder of a SQLite file made. Raises `SettingsError`, `No`."""
    settings = load()
    url = sync_url(settings.database.url)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        folder = Path(url.database).resolve().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise No(
                _("%(path)s cannot be made: %(why)s.", path=folder, why=error.strerror or error)
            ) from None
    return settings


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[Store]:
    """The store, closed afterwards."""
    settings = settings or read_settings()
    store = Store(settings.database.url, at_once=AT_ONCE, connections=settings.database.connections)
    try:
        yield store
    finally:
        store.close()


def acting(work: Work, email: str) -> Actor:
    """Make `--as` the actor; the operator without it. Raises `No`."""
    if email:
        work.actor = actor_of(work.session, colleague(work, email))
    return work.actor


def colleague(work: Work, email: str) -> Person:
    """An active person by address. Raises `No`."""
    person = person_by_email(work.session, email.strip())
    if person is None:
        raise No(_("Nobody who works here has the address %(email)s.", email=email))
    return person


def mail(text: str) -> str:
    """An address as typed. Raises `No`."""
    text = one_line(text)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", text) or len(text) > 254:
        raise No(_("“%(text)s” is not an e-mail address.", text=text))
    return text


def name_of(text: str) -> str:
    """A person's name as typed. Raises `No`."""
    text = one_line(text)
    if not 0 < len(text) <= 100:
        raise No(_("A name has between 1 and %(most)s characters.", most=100))
    return text


def new_password(settings: Settings) -> str:
    """The hash of a password asked for twice, or read from the first line of standard input. Raises `No`."""
    if sys.stdin.isatty():
        typed: str = typer.prompt(_("Password"), hide_input=True, confirmation_prompt=True, err=True)
    else:
        typed = sys.stdin.readline().rstrip("\r\n")
    least = settings.passwords.min_length
    if not least <= len(typed) <= MOST:
        raise No(
            ngettext(
                "A password has at least %(num)s character.",
                "A password has at least %(num)s characters.",
                least,
            )
        )
    return hash_of(typed)


def show(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on a terminal; for other programs lines with tabs."""
    if not out.is_terminal:
        for row in rows:
            print("\t".join(row))
        return
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*row)
    out.print(table)
