"""An examination of the whole installation, a sentence a check."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from swarm.keeping import examine_database, examine_files, examine_machine, examine_redis, examine_settings
from swarm.keeping.findings import Finding, error, guarded
from swarm.settings import SettingsError, load
from swarm.store.store import system_clock
from swarm.text.language import _


def examine(environ: Mapping[str, str], *, clock: Callable[[], datetime] = system_clock) -> Iterator[Finding]:
    """Every finding, in the order in which one would look."""
    try:
        settings = load(environ)
    except SettingsError as refused:
        yield error(_("Settings"), str(refused))
        return
    yield from guarded(_("Settings"), lambda: examine_settings.examine(settings, environ))
    yield from guarded(_("Machine"), lambda: examine_machine.examine(settings))
    yield from guarded(_("Files"), lambda: examine_files.examine(settings))
    yield from guarded(_("Database"), lambda: examine_database.examine(settings, clock))
    yield from guarded("Redis", lambda: examine_redis.examine(settings))
