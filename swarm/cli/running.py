"""Commands that start things: serve, migrate, set-up."""

from __future__ import annotations

import logging
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace
from sqlalchemy.exc import DBAPIError

from swarm import demo, logs, seeds, serving
from swarm.accounts.queries import anybody
from swarm.cli.plain import OPERATOR, mail, name_of, new_password, opened, out, read_settings
from swarm.events.refusals import No
from swarm.people import actions as people
from swarm.settings import Settings
from swarm.store import ReadOnly, Work, instance
from swarm.store.migrate import is_current, upgrade
from swarm.store.writable import refusal, sentence
from swarm.text.language import _


def serve(
    with_demo: Annotated[
        bool, typer.Option("--demo", help=_("With sample people and tickets, in an empty database."))
    ] = False,
    still: Annotated[
        bool, typer.Option("--still", help=_("The demo without simulated people at work."))
    ] = False,
    host: Annotated[str | None, typer.Option(help=_("Address to listen on."))] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help=_("Port to listen on."))] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help=_("Processes that share the port."))
    ] = None,
    migrating: Annotated[
        bool, typer.Option("--migrate/--no-migrate", help=_("Bring the database up to date first."))
    ] = True,
) -> None:
    """Serve the desk until told to stop."""
    settings = read_settings()
    server = settings.server
    server = replace(
        server,
        host=host or server.host,
        port=server.port if port is None else port,
        workers=workers or server.workers,
    )
    several = server.workers > 1
    if several and not settings.may_have_several_workers:
        raise No(
            _(
                "Several workers need PostgreSQL and Redis: set database.url and redis.url, "
                "or serve with one worker."
            )
        )
    settings = replace(
        settings, demo=with_demo or settings.demo, still=still or settings.still, server=server
    )
    if settings.demo and not settings.still and settings.log.level == "info":
        # Simulated people would fill the screen with their requests.
        settings = replace(settings, log=replace(settings.log, level="warning"))
    logs.set_up(settings.log)
    try:
        if migrating:
            _migrate(settings)
        if settings.demo:
            with opened(settings) as store:
                demo.load(store, settings)
    except (DBAPIError, ReadOnly) as failure:
        if not _can_be_read(settings, failure):
            raise
    with _simulated_people(settings):
        _serve(settings)


def _simulated_people(settings: Settings) -> AbstractContextManager[None]:
    """At work beside a demo whose address is known, unless it shall be still."""
    if not settings.demo or settings.still or not settings.server.port:
        return nullcontext()
    from swarm.simulation.beside import company

    return company(settings.server.address)


def _serve(settings: Settings) -> None:
    if settings.server.workers > 1:
        _serve_together(settings)
        return
    # Only here the whole web is needed; other commands start faster without it.
    from swarm import main

    out.print(_("swarm is at %(address)s", address=settings.server.address))
    main.serve(settings)


def _serve_together(settings: Settings) -> None:
    server = settings.server
    try:
        listening = serving.listen(server.host, server.port)
    except OSError as error:
        raise No(
            _(
                "Port %(port)s of %(host)s cannot be used: %(why)s.",
                port=server.port,
                host=server.host,
                why=os.strerror(error.errno) if error.errno else error,
            )
        ) from None
    settings = replace(settings, server=replace(server, port=listening[0].getsockname()[1]))
    out.print(_("swarm is at %(address)s", address=settings.server.address))
    if not serving.supervise(settings, listening):
        raise No(_("No worker could start; what they said stands above."))


def _can_be_read(settings: Settings, failure: BaseException) -> bool:
    """Whether only writes were refused: then it is said, as reading is enough to serve. Raises `No`."""
    why = refusal(failure)
    if why is None:
        return False
    try:
        current = is_current(settings.database.url)
    except DBAPIError:
        raise No(
            _("The disk is full, and the database cannot even be read. Make room, then start again.")
            if why == "full"
            else _("The database takes no writes, and cannot even be read.")
        ) from None
    if not current:
        raise No(_("The database takes no writes, and does not have the tables of this version yet."))
    out.print(sentence(why))
    return True


def migrate() -> None:
    """Bring the database to the tables of this version."""
    _migrate(read_settings())
    out.print(_("The database has the tables of this version."))


def set_up(
    name: Annotated[str, typer.Option(prompt=True, help=_("Name of the first administrator."))],
    email: Annotated[str, typer.Option(prompt=True, help=_("Address to sign in with."))],
    teams: Annotated[
        Path | None, typer.Option(metavar="FILE", help=_("Another file than config/teams.toml."))
    ] = None,
) -> None:
    """Make the first administrator; the password is asked for, or read from standard input."""
    settings = read_settings()
    name, email = name_of(name), mail(email)
    if teams is not None:
        seeds.read(teams)
    _migrate(settings)

    def do(work: Work) -> None:
        if teams is not None:
            # Said to be planted, so that the shipped file is not planted beside theirs.
            instance.locked(work).seeded_at = work.now
        people.set_up(work, name=name, email=email, password=password)
        if teams is not None:
            seeds.apply(work, teams)

    with opened(settings) as store:
        if store.read_now(OPERATOR, lambda work: anybody(work.session)):
            raise No(_("swarm is set up already. swarm person add makes more accounts."))
        password = new_password(settings)
        store.write_now(OPERATOR, do)
    out.print(_("%(name)s is the administrator. Start with: swarm serve", name=name))


def _migrate(settings: Settings) -> None:
    # Each step is told by what the command says afterwards.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    upgrade(settings.database.url)
    with opened(settings) as store:
        store.write_now(OPERATOR, instance.ensure)
