"""A desk of any size as rows: tickets with chain, streams and messages, as actions leave them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from swarm.events import Event
from swarm.tickets.events import (
    LaneMessagePosted,
    OwnerShown,
    RoomMessagePosted,
    TicketBecameYours,
    TicketLeftQueue,
    TicketLeftYou,
    TicketOpened,
    TicketQueued,
    TicketTaken,
)

Row = tuple[str, dict[str, Any]]
"""A table's name and one row of it."""

BEGAN = datetime(2025, 1, 1, 8, tzinfo=UTC)
LADDER, HIVE, MIXED = 1, 2, 3
TEAMS = {LADDER: "tiered", HIVE: "tierless", MIXED: "split"}
LEADS = {LADDER: 1, HIVE: 2, MIXED: 3}
AGENT, MANAGER = 4, 5
"""The two who look at lists: an agent of two teams, and a manager."""
COLLEAGUES = (6, 7, 8, 9)
LONG, CROWDED = 1, 4
"""The ticket with many lines in both lanes, and the one whose room everybody watches; both tierless."""
LINES = 60
HELPED = 10
"""Tickets to which the agent is admitted from outside; as many in a large desk as in a small one."""
TAGS = ("billing", "login", "export", "mail", "mobile")
LANGUAGES = ("en", "de", "fr", "es", "pt")
TEXT = "the export of invoices stops after some rows, and the log shows a timeout of the gateway"


def rows(tickets: int) -> Iterator[Row]:
    """Everything, parents before children; equal for equal arguments."""
    yield from _people(tickets)
    yield from _Desk(tickets).rows()


def person(id_: int) -> Row:
    """A colleague."""
    return (
        "people",
        {
            "id": id_,
            "name": f"Person {id_}",
            "email": f"person.{id_}@example.org",
            "role": "manager" if id_ == MANAGER else "agent",
            "active": True,
            "availability": "available",
            "language": "en",
            "timezone": "UTC",
            "stamp": 1,
            "created_at": BEGAN,
        },
    )


def _people(tickets: int) -> Iterator[Row]:
    for id_ in (*LEADS.values(), AGENT, MANAGER, *COLLEAGUES):
        yield person(id_)
    for team, policy in TEAMS.items():
        yield (
            "teams",
            {
                "id": team,
                "key": policy,
                "name": f"Team {policy}",
                "duty_lead_id": LEADS[team],
                "policy": policy,
                "share": {"tiered": 0, "tierless": 100}.get(policy, 50),
                "policy_version": 1,
                "created_at": BEGAN,
            },
        )
    for rung in (1, 2, 3):
        yield "tiers", {"team_id": LADDER, "rung": rung, "name": f"Tier {rung}"}
    belongs = [
        *((team, lead, 1) for team, lead in LEADS.items()),
        (LADDER, AGENT, 1),
        (HIVE, AGENT, 1),
        *((team, id_, 1) for id_ in COLLEAGUES for team in TEAMS),
    ]
    for team, id_, rung in belongs:
        yield "memberships", {"team_id": team, "person_id": id_, "rung": rung}
    for id_ in range(1, tickets // 5 + 1):
        yield (
            "customers",
            {
                "id": id_,
                "name": f"Customer {id_}",
                "email": f"customer.{id_}@example.com",
                "company": "",
                "language": "en",
                "created_at": BEGAN,
            },
        )


_WORDS = TEXT.split()


class _Desk:
    def __init__(self, tickets: int) -> None:
        self._tickets = tickets
        self._random = random.Random(tickets)  # the same desk every time
        self._heads: defaultdict[str, int] = defaultdict(int)
        self._messages = 0

    def rows(self) -> Iterator[Row]:
        for number in range(1, self._tickets + 1):
            yield from self._ticket(number)
        for key, last in self._heads.items():
            yield "streams", {"key": key, "last_seq": last}

    def _ticket(self, number: int) -> Iterator[Row]:
        draw, team, place = self._random.random, number % 3 + 1, number // 3 % 20
        at = BEGAN + timedelta(seconds=number * 60 + draw() * 3000)
        known = number in (LONG, CROWDED)
        waits = None if known else 0 if place < 4 else 2 if place == 4 and team == LADDER else None
        taken = waits != 0
        status = (
            "open" if place < 8 or known else ("waiting", "on_hold")[place % 2] if place < 13 else "resolved"
        )
        if place > 15 and not known:
            status = "closed"
        mode = "tiered" if team == LADDER or (team == MIXED and draw() < 0.5) else "tierless"
        lead = LEADS[team]
        owner = lead
        if taken:
            mine = draw() < 1 / 3 and team != MIXED and not known
            owner = AGENT if mine else COLLEAGUES[int(draw() * len(COLLEAGUES))]
        customer = int(draw() * (self._tickets // 5)) + 1
        updated = at + timedelta(hours=draw() * 48)
        over = status in ("resolved", "closed")
        yield (
            "tickets",
            {
                "id": number,
                "team_id": team,
                "customer_id": customer,
                "subject": self._words(6),
                "status": status,
                "priority": int(draw() * 4),
                "category": "",
                "language": LANGUAGES[int(draw() * draw() * 5)],
                "mode": mode,
                "assigned_mode": mode,
                "tier": 1,
                "owner_id": owner,
                "owner_version": 2 if taken else 1,
                "queued_for": waits,
                "queued_at": None if waits is None else at,
                "opened_at": at,
                "updated_at": updated,
                "resolved_at": updated if over else None,
                "channel": "page",
                "imported": False,
            },
        )
        yield "ticket_tags", {"ticket_id": number, "tag": TAGS[int(draw() * len(TAGS))]}
        by = f"customer:{customer}"
        lane, room = f"lane:{number}", f"room:{number}"
        yield self._link(number, 1, lead, None, "opened", by, at)
        yield self._event(lane, TicketOpened(ticket_id=number), by, at)
        yield from self._message(number, "lane", by, at)
        yield self._event(lane, OwnerShown(ticket_id=number, to_id=lead), "system", at)
        yield self._event(f"team:{team}", TicketQueued(ticket_id=number, tier=0), by, at)
        if taken:
            yield self._link(number, 2, owner, lead, "taken", f"person:{owner}", updated)
            yield from self._taken(number, team, lead, owner, updated)
            yield from self._message(number, "room", f"person:{owner}", updated)
        if waits:
            yield self._event(
                f"team:{team}", TicketQueued(ticket_id=number, tier=waits), f"person:{owner}", updated
            )
        if team == MIXED and not over and number <= 3 * 20 * HELPED and place == 15 - 3:
            since = {"ticket_id": number, "person_id": AGENT, "standing": "swarm", "since": updated}
            yield "admissions", since
        if number == LONG:
            for _again in range(LINES - self._heads[lane]):
                yield from self._message(number, "lane", f"person:{owner}", updated)
            for _again in range(LINES - self._heads[room]):
                yield from self._message(number, "room", f"person:{owner}", updated)

    def _taken(self, number: int, team: int, lead: int, owner: int, at: datetime) -> Iterator[Row]:
        by = f"person:{owner}"
        yield self._event(f"room:{number}", TicketTaken(ticket_id=number, from_id=lead, to_id=owner), by, at)
        yield self._event(f"lane:{number}", OwnerShown(ticket_id=number, to_id=owner), by, at)
        yield self._event(f"person:{lead}", TicketLeftYou(ticket_id=number), by, at)
        yield self._event(f"person:{owner}", TicketBecameYours(ticket_id=number), by, at)
        yield self._event(f"team:{team}", TicketLeftQueue(ticket_id=number), by, at)

    def _message(self, number: int, lane: str, by: str, at: datetime) -> Iterator[Row]:
        self._messages += 1
        id_ = self._messages
        fact = (
            RoomMessagePosted(ticket_id=number, message_id=id_)
            if lane == "room"
            else LaneMessagePosted(ticket_id=number, message_id=id_, by_staff=by.startswith("person:"))
        )
        row = self._event(f"{lane}:{number}", fact, by, at)
        yield (
            "messages",
            {
                "id": id_,
                "ticket_id": number,
                "lane": lane,
                "author": by,
                "body": self._words(40),
                "client_id": f"bench-{id_}",
                "seq": row[1]["seq"],
                "at": at,
            },
        )
        yield row

    def _event(self, stream: str, fact: Event, by: str, at: datetime) -> Row:
        self._heads[stream] += 1
        return (
            "events",
            {
                "stream": stream,
                "seq": self._heads[stream],
                "kind": fact.kind,
                "actor": by,
                "at": at,
                "data": fact.data(),
            },
        )

    def _link(
        self, number: int, position: int, owner: int, before: int | None, how: str, by: str, at: datetime
    ) -> Row:
        return (
            "ownerships",
            {
                "ticket_id": number,
                "position": position,
                "owner_id": owner,
                "from_id": before,
                "how": how,
                "reason": "",
                "by": by,
                "at": at,
            },
        )

    def _words(self, count: int) -> str:
        start = int(self._random.random() * len(_WORDS))
        return " ".join((_WORDS * 4)[start : start + count]).capitalize()
