"""Every socket, frame and stream × every kind of person."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus

from swarm.live.close_codes import SIGNED_OUT
from tests.access.people import KINDS, STAFF, World
from tests.access.sending import Rehearsal, rehearsing, snapshot
from tests.access.table import POSTS, SOCKETS, STREAMS, WATCHERS, members
from tests.access.wires import wire

NO_STREAM = (
    "guest:1",
    "log:1",
    "session:1",
    "tickets:1",
    "lane:0",
    "room:999999",
    "house:2",
    "customer:0",
    "customer:999999",
    "team:x",
    "person:1x",
)
"""Nobody may watch what nobody defined."""


@pytest.fixture(scope="module")
def rehearsal(world: World) -> Iterator[Rehearsal]:
    with rehearsing(world) as made:
        yield made


@pytest.mark.parametrize("path", SOCKETS)
def test_who_is_let_in(world: World, path: str) -> None:
    wrong = []
    for kind in KINDS:
        with wire(world, kind, path) as socket:
            let_in = bool(socket.epoch)
            if let_in != (kind in SOCKETS[path]) or (not let_in and socket.closed != SIGNED_OUT):
                wrong.append(f"{path}, {kind}: {'let in' if let_in else socket.closed}")
    assert not wrong, "\n".join(wrong)


def test_no_socket_opens_from_a_foreign_page(world: World) -> None:
    for path in SOCKETS:
        for origin in ("https://evil.example", "null", f"{world.site.url}.evil.example"):
            with pytest.raises(InvalidStatus) as refused, wire(world, "manager", path, origin=origin):
                pass
            assert refused.value.response.status_code == 403


def test_who_may_watch_which_stream(world: World) -> None:
    """Everybody asks for every stream there is, and for some that are not."""
    streams = _streams(world)
    wrong, cells = [], 0
    for kind, path in WATCHERS.items():
        with wire(world, kind, path) as socket:
            answers = socket.watch(*streams, *NO_STREAM)
            for stream, who in streams.items():
                cells += 1
                if (answers[stream] == "gone") == (kind in who):
                    wrong.append(f"{stream}, {kind}: {answers[stream]}")
            wrong += [f"{stream}, {kind}" for stream in NO_STREAM if answers[stream] != "gone"]
    print(f"watch: {cells} cells")
    assert not wrong, "\n".join(wrong)


def test_who_may_post_where(world: World, rehearsal: Rehearsal) -> None:
    before, wrong, cells = snapshot(world), [], 0
    for kind, path in WATCHERS.items():
        with wire(world, kind, path) as socket:
            for lane, tickets in POSTS.items():
                for ticket, who in tickets.items():
                    right = _status_of_post(kind, lane, ticket)
                    rehearsal.on = right == 200
                    stream = f"{lane}:{world.tickets[ticket]}"
                    socket.send(t="post", s=stream, id=secrets.token_hex(8), body="Through the socket")
                    answer = socket.until("ack", "refused")
                    rehearsal.on = False
                    cells += 1
                    if answer.get("status", 200) != right:
                        wrong.append(f"{stream} ({ticket}), {kind}: {answer} instead of {right}; {who}")
    print(f"post: {cells} cells")
    assert not wrong, "\n".join(wrong)
    assert snapshot(world) == before


def test_who_is_told_that_somebody_types(world: World) -> None:
    """Only who may write there is shown as typing, and a customer hears of the owner alone."""
    ticket = world.tickets["swarming"]
    lane, room = f"lane:{ticket}", f"room:{ticket}"
    right = {(kind, room) for kind in members(POSTS["room"]["swarming"])}
    right |= {(kind, lane) for kind in members(POSTS["lane"]["swarming"])}
    with (
        wire(world, "hive_lead") as staff,
        wire(world, "customer", "/live/case") as customer,
        wire(world, "other_customer", "/live/case") as other,
    ):
        for one in (staff, customer, other):
            one.watch(lane, room)
        told = set()
        for kind, path in WATCHERS.items():
            with wire(world, kind, path) as socket:
                socket.watch(lane, room)
                socket.send(t="typing", s=lane)
                socket.send(t="typing", s=room)
                socket.settle()
                for _shown in range(((kind, lane) in right) + ((kind, room) in right)):
                    told.add((kind, staff.until("typing")["s"]))
        assert told == right
        assert [one for one in staff.settle() if one["t"] == "typing"] == []
        assert [one["id"] for one in customer.settle() if one["t"] == "typing"] == [
            f"person:{world.people['hive_owner']}"
        ]
        assert [one for one in other.settle() if one["t"] == "typing"] == []


def test_customers_learn_nothing_of_who_is_there(world: World) -> None:
    ticket = world.tickets["swarming"]
    with wire(world, "customer", "/live/case") as customer:
        customer.watch(f"lane:{ticket}", f"room:{ticket}")
        with wire(world, "hive_owner") as owner:
            owner.watch(f"lane:{ticket}", f"room:{ticket}")
            assert [frame for frame in owner.settle() if frame["t"] == "presence"]
        assert [frame for frame in customer.settle() if frame["t"] == "presence"] == []
        assert '"t":"presence"' not in "".join(customer.said)


def _streams(world: World) -> dict[str, frozenset[str]]:
    """Stream → who may watch it."""
    found = {f"person:{id_}": frozenset({name}) & set(STAFF) for name, id_ in world.people.items()}
    for kind, ids in (
        ("house", {"1": 1}),
        ("team", world.teams),
        ("lane", world.tickets),
        ("room", world.tickets),
        ("customer", world.customers),
    ):
        for name, who in STREAMS[kind].items():
            found[f"{kind}:{ids[name]}"] = members(who)
    return found


def _status_of_post(kind: str, lane: str, ticket: str) -> int:
    if kind in members(POSTS[lane][ticket]):
        return 200
    return 403 if kind in members(STREAMS["lane"][ticket]) else 404
