"""swarm whose only files are on a disk that a test may fill."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import select

from swarm.accounts.actions import start_session
from swarm.events import SYSTEM
from swarm.tickets import actions as tickets
from swarm.tickets.models import Message
from tests.support.app import App
from tests.support.backends import Backend, SqliteMaker
from tests.support.site import Visitor
from tests.support.small_disk import SmallDisk, SmallFiles
from tests.support.town import Town, build, open_store


@dataclass
class OnDisk:
    """A ticket of the hive's which Ina owns, and her session."""

    disk: SmallDisk | SmallFiles
    town: Town
    ticket: int
    secret: str
    home: Path
    before: Backend
    """The file as it is prepared, before it is put on the disk."""
    customer: str = ""
    apps: list[App] = field(default_factory=list)
    visitors: list[Visitor] = field(default_factory=list)

    def serve(self, env: Mapping[str, str]) -> App:
        """A process that sees the disk."""
        inside = Backend("sqlite", f"sqlite:///{self.disk.path / 'swarm.db'}", None)
        app = App(inside, self.home, env={"SWARM_LIMITS__POSTS_PER_MINUTE": "100000", **env})
        app.command = self.disk.command(app.command)
        self.apps.append(app)
        return app.start()

    def visitor(self, app: App, **cookies: str) -> Visitor:
        """A browser without script; signed in unless other cookies are given."""

        class Served:
            url = app.url

        http = httpx2.Client(base_url=app.url, timeout=15.0)
        for name, value in (cookies or {"session": self.secret}).items():
            http.cookies.set(name, value)
        served: Any = Served
        self.visitors.append(Visitor(served, SYSTEM, http))
        return self.visitors[-1]

    def close(self) -> None:
        """Everybody leaves, and swarm ends."""
        for visitor in self.visitors:
            visitor.http.close()
        for app in self.apps:
            app.stop()

    def bodies(self) -> list[str]:
        """What stands in the room now: read from a copy, as SQLite resolves the way in from outside."""
        copy = Path(tempfile.mkdtemp(dir=self.home))
        for name in ("swarm.db", "swarm.db-wal"):
            if (self.disk.seen / name).exists():
                shutil.copyfile(self.disk.seen / name, copy / name)
        store = open_store(Backend("sqlite", f"sqlite:///{copy / 'swarm.db'}", None))
        try:
            return store.read_now(
                SYSTEM,
                lambda work: list(
                    work.session.scalars(
                        select(Message.body)
                        .where(Message.ticket_id == self.ticket, Message.lane == "room")
                        .order_by(Message.id)
                    )
                ),
            )
        finally:
            store.close()


def prepare(
    disk: SmallDisk | SmallFiles,
    maker: SqliteMaker,
    home: Path,
    prepared: Callable[[OnDisk], None] = lambda made: None,
) -> OnDisk:
    """A migrated file with a town in it, on the disk."""
    made = maker.make(home)
    store = open_store(made)
    town = build(store)
    ticket = town.open("hive")
    town.do("ina", lambda work: tickets.take(work, ticket))
    secret = store.write_now(
        SYSTEM, lambda work: start_session(work, town.people["ina"], days=1, idle_hours=12)
    )
    store.close()
    on_disk = OnDisk(disk, town, ticket, secret, home, made)
    prepared(on_disk)
    shutil.copyfile(home / "swarm.db", disk.seen / "swarm.db")
    return on_disk
