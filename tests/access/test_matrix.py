"""Every door × every kind of person × own and foreign tickets, each request really sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from swarm.live.frames import CLIENT_FRAMES, ClientFrame
from tests.access import table
from tests.access.complete import difference, doors_of, frames_of, kinds_of_stream, sockets_of
from tests.access.people import World
from tests.access.rights import Plain
from tests.access.sending import Knocker, Rehearsal, rehearsing, snapshot

REFUSED = {401, 403, 404, 405, 409, 410, 422}


@pytest.fixture(scope="module")
def rehearsal(world: World) -> Iterator[Rehearsal]:
    with rehearsing(world) as made:
        yield made


def test_every_door_socket_frame_and_stream_has_an_entry(world: World) -> None:
    routes = world.site.app.routes
    assert difference(doors_of(routes), table.DOORS) == ""
    assert difference(sockets_of(routes), table.SOCKETS) == ""
    assert difference(frames_of(CLIENT_FRAMES), table.FRAMES) == ""
    assert difference(kinds_of_stream(), table.STREAMS) == ""


def test_a_new_door_without_an_entry_is_named(world: World) -> None:
    async def door(request: Request) -> Response:
        return Response("a room's line")

    routes = [*world.site.app.routes, Route("/tickets/{number:int}/export", door, methods=["POST"])]
    said = difference(doors_of(routes), table.DOORS)
    assert said == "without an entry: POST /tickets/{number:int}/export"


def test_a_new_method_on_a_known_path_is_named(world: World) -> None:
    async def door(request: Request) -> Response:
        return Response()

    routes = [*world.site.app.routes, Route("/me", door, methods=["DELETE"])]
    assert difference(doors_of(routes), table.DOORS) == "without an entry: DELETE /me"


def test_a_new_frame_without_an_entry_is_named() -> None:
    class Whisper(ClientFrame, frozen=True, tag="whisper"):
        """Nobody wrote down who may send it."""

    said = difference(frames_of([*CLIENT_FRAMES, Whisper]), table.FRAMES)
    assert said == "without an entry: whisper"


def test_a_door_that_is_gone_leaves_no_entry(world: World) -> None:
    routes = [route for route in world.site.app.routes if getattr(route, "path", "") != "/healthz"]
    assert difference(doors_of(routes), table.DOORS) == "entries of nothing: GET /healthz"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_matrix(world: World, rehearsal: Rehearsal, knocker: Knocker, method: str) -> None:
    """Reads and refusals are sent for real and may change nothing; what passes is done and rolled back."""
    before, wrong, cells = snapshot(world), [], 0
    for door in table.DOORS:
        if not door.startswith(method):
            continue
        if isinstance(table.DOORS[door], Plain) and not world.site.store.is_sqlite:
            # Rights that no query decides are looked at on one database.
            continue
        for ticket, kind in table.cells(door):
            right = table.expected(door, kind, ticket)
            rehearsal.on = method == "POST" and not set(right) <= REFUSED
            try:
                status = knocker.knock(kind, door, ticket).status
            finally:
                rehearsal.on = False
            cells += 1
            if status not in right:
                wrong.append(f"{door}, {kind}, {ticket}: {status} instead of {right}")
    print(f"{method}: {cells} cells")
    assert not wrong, "\n".join(wrong)
    assert snapshot(world) == before
