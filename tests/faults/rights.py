"""People who lose a right while messages go on: who sees what, on which worker, and for how long after."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx2
from sqlalchemy import func, select
from typer.testing import CliRunner
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from swarm.accounts.actions import exchange, key_of, make_link, start_session
from swarm.accounts.models import SessionRow
from swarm.cli import app as command
from swarm.events import SYSTEM
from swarm.people.models import Person, Team
from swarm.people.queries import person_actor
from swarm.rooms.actions import accept
from swarm.rooms.guests import invite_guest, join
from swarm.rooms.queries import pending_for
from swarm.routing.matching import ask_for_help
from swarm.store import Work
from swarm.store.tables import EventRow
from swarm.tickets import actions as tickets
from swarm.tickets.posting import LaneKey, post
from tests.faults.pages import BROKEN, Seat
from tests.support.app import App
from tests.support.backends import Backend
from tests.support.town import Town

CUSTOMER = "the customer"
GUEST = "the guest"
LANES: tuple[LaneKey, LaneKey] = ("lane", "room")
PACE = 0.05
"""Seconds between two messages."""
Loss = Callable[["Scene"], None]


@dataclass
class Watching:
    """Somebody's socket on one worker; comes back as a page does, and notes when frames came."""

    name: str
    worker: int
    stream: str
    seat: Seat
    frames: list[tuple[float, int]] = field(default_factory=list)
    """When (as `time.time` says) which number came."""
    sent_away: bool = False
    ended: bool = False

    async def run(self) -> None:
        """Until cancelled, or told not to come back."""
        while not self.ended:
            with suppress(*BROKEN):
                async with self.seat.open() as connection:
                    await self._watch(connection)
            await asyncio.sleep(0.05)

    async def _watch(self, connection: ClientConnection) -> None:
        at = self.frames[-1][1] if self.frames else 0
        # Whoever was dropped and is signed out is told at the door, before any greeting.
        with suppress(ConnectionClosed):
            hello = json.loads(await connection.recv())
            await connection.send(
                json.dumps({"t": "watch", "epoch": hello["epoch"], "streams": {self.stream: at}})
            )
            while True:
                frame = json.loads(await connection.recv())
                if frame.get("s") != self.stream:
                    continue
                if frame["t"] == "gone":
                    self.sent_away = True
                else:
                    self.frames.append((time.time(), frame.get("n", at)))
                    at = frame.get("n", at)
        self.ended = connection.close_code in (4401, 4403, 4404)
        self.sent_away |= self.ended

    def last(self) -> float:
        """When the last frame came."""
        return self.frames[-1][0]


@dataclass
class Scene:
    """A room and a customer lane in which messages never stop, watched on every worker."""

    town: Town
    backend: Backend
    workers: Sequence[App]
    ticket: int
    invited: Mapping[str, int]
    secrets: dict[str, str] = field(default_factory=dict)
    losing: list[Watching] = field(default_factory=list)
    staying: list[Watching] = field(default_factory=list)
    posting: bool = True
    guest: int = 0

    @classmethod
    def open(cls, town: Town, backend: Backend, workers: Sequence[App]) -> Scene:
        """Hugo owns the ticket; the others see it for all the reasons there are."""
        ticket = town.open("hive")
        town.act("hugo", tickets.take, ticket)
        invited = _ask(town, ticket, "paul", "quinn", "eve")
        for name in ("paul", "quinn"):
            town.act(name, accept, invited[name])
        made = cls(town, backend, workers, ticket, invited)
        made.secrets = {name: made._sign_in(name) for name in ("hugo", *LOSSES)}
        for place in range(len(workers)):
            made.losing += [made._watch(name, place) for name in LOSSES]
            made.staying.append(made._watch("hugo", place))
        return made

    def _sign_in(self, name: str) -> str:
        def follow(work: Work) -> str:
            return exchange(work, make_link(work, self.ticket, self.town.customer_id, 7), None, 60)[1]

        def enter(work: Work) -> str:
            return start_session(work, self.town.people[name], days=1, idle_hours=12)

        def come(work: Work) -> str:
            work.actor = person_actor(work.session, self.town.people["hugo"])
            self.guest, link = invite_guest(work, self.ticket, "Rui", timedelta(days=1))
            return join(work, link, timedelta(days=1))[1]

        do = {CUSTOMER: follow, GUEST: come}.get(name, enter)
        return self.town.store.write_now(SYSTEM, do)

    def _watch(self, name: str, place: int) -> Watching:
        kind, path = {
            CUSTOMER: ("case", "/live/case"),
            GUEST: (f"guest-{self.guest}", f"/live/guest/{self.guest}"),
        }.get(name, ("session", "/live"))
        seat = Seat([self.workers[place].url], f"{kind}={self.secrets[name]}", "", path)
        return Watching(name, place, f"{'lane' if name == CUSTOMER else 'room'}:{self.ticket}", seat)

    @property
    def team(self) -> str:
        """The team's key."""
        id_ = self.town.teams["hive"]
        return self.town.store.read_now(SYSTEM, lambda work: work.session.get_one(Team, id_).key)

    async def post_forever(self) -> None:
        """The owner writes in both lanes: through the workers in turn, and beside them without a bell."""
        await asyncio.gather(self._through_workers(), self._beside())

    async def _through_workers(self) -> None:
        async with httpx2.AsyncClient(timeout=1.0) as http:
            for number in count():
                if not self.posting:
                    return
                worker = self.workers[number % len(self.workers)]
                with suppress(*BROKEN):
                    await http.post(
                        f"{worker.url}/tickets/{self.ticket}/{LANES[number % 2]}/messages",
                        data={"body": f"through {number}", "client_id": f"through-{number}"},
                        headers={"Cookie": f"session={self.secrets['hugo']}", "Origin": worker.url},
                    )
                await asyncio.sleep(PACE)

    async def _beside(self) -> None:
        for number in count():
            if not self.posting:
                return
            await asyncio.to_thread(self._post_beside, LANES[number % 2], number)
            await asyncio.sleep(PACE)

    def _post_beside(self, lane: LaneKey, number: int) -> None:
        self.town.act("hugo", post, self.ticket, lane, f"beside {number}", f"beside-{number}")

    def door(self, name: str, path: str, **form: str) -> None:
        """A form of a page, at the first worker."""
        answer = httpx2.post(
            f"{self.workers[0].url}{path}",
            data=form,
            headers={
                "Cookie": f"session={self.secrets[name]}",
                "Origin": self.workers[0].url,
                "Accept": "text/html",
                "Content-Type": "application/x-www-form-urlencoded",
            },
            # What a worker had locked when it was frozen is free again after twenty seconds.
            timeout=40.0,
        )
        assert answer.status_code == 303, (path, answer.status_code, answer.text[:500])

    def run(self, *arguments: str) -> None:
        """The command line, in another process than any worker."""
        env = {**self.backend.env}
        result = CliRunner().invoke(command, list(arguments), env=env)
        assert result.exit_code == 0, result.output

    def mail(self, name: str) -> str:
        """Somebody's address."""
        id_ = self.town.people[name]
        return self.town.store.read_now(SYSTEM, lambda work: work.session.get_one(Person, id_).email)

    def lost_at(self, name: str) -> float:
        """When the transaction began in which the right went, as `time.time` says."""

        def look(work: Work) -> datetime | None:
            if name == "mona":
                key = key_of(self.secrets[name])
                return work.session.scalar(select(SessionRow.ended_at).where(SessionRow.key == key))
            stream, kind = (
                f"person:{self.town.people.get(name)}",
                ("person.rights_changed", "person.deactivated"),
            )
            if name == CUSTOMER:
                stream, kind = f"room:{self.ticket}", ("ticket.links_ended", "")
            if name == GUEST:
                stream, kind = f"room:{self.ticket}", ("guest.withdrawn", "")
            events = select(func.max(EventRow.at)).where(EventRow.stream == stream, EventRow.kind.in_(kind))
            return work.session.scalar(events)

        at = self.town.store.read_now(SYSTEM, look)
        assert at is not None, f"{name} has lost nothing"
        return at.replace(tzinfo=UTC).timestamp()


def _ask(town: Town, ticket: int, *names: str) -> dict[str, int]:
    def do(work: Work) -> None:
        people = [town.people[name] for name in names]
        ask_for_help(
            work,
            ticket,
            question="Why?",
            tried="",
            skill_ids=[],
            person_ids=people,
            client_id=f"ask-{ticket}",
        )

    def invited(work: Work) -> int:
        waiting = pending_for(work.session, work.actor, ticket)
        assert waiting is not None
        return waiting.id

    town.do("hugo", do)
    return {name: town.look(name, invited) for name in names}


LOSSES: Mapping[str, Loss] = {
    "paul": lambda at: at.door("paul", f"/tickets/{at.ticket}/leaving"),
    "quinn": lambda at: at.door(
        "hugo", f"/tickets/{at.ticket}/dismissal", person=str(at.town.people["quinn"])
    ),
    "eve": lambda at: at.door("eve", f"/invitations/{at.invited['eve']}/refusal"),
    "ina": lambda at: at.run("team", "leave", at.team, at.mail("ina")),
    "ada": lambda at: at.run("person", "deactivate", at.mail("ada")),
    "max": lambda at: at.run("person", "role", at.mail("max"), "agent"),
    "mona": lambda at: at.door("mona", "/sign-out"),
    CUSTOMER: lambda at: at.door("hugo", f"/tickets/{at.ticket}/link/end"),
    GUEST: lambda at: at.door("hugo", f"/tickets/{at.ticket}/guests/withdrawal", guest=str(at.guest)),
}
"""Who leaves, is dismissed, declines, leaves the team, is deactivated, gets a lesser role, signs out, and
whose link is revoked, a customer's and a guest's; by a page at the first worker, or by the command line."""
