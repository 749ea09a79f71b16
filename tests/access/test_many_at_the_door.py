"""Everybody at the door at once: each is told what they would have been told alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from swarm.live.close_codes import SIGNED_OUT
from tests.access.people import KINDS, World
from tests.access.table import SOCKETS, STREAMS, members
from tests.access.wires import wire

TIMES = 3


def test_each_gets_their_own_answer(world: World) -> None:
    def knock(kind: str, path: str) -> tuple[str, str, int, str]:
        with wire(world, kind, path) as socket:
            return kind, path, socket.closed, socket.said[0]

    everybody = [(kind, path) for path in SOCKETS for kind in KINDS] * TIMES
    with ThreadPoolExecutor(len(everybody)) as threads:
        answers = list(threads.map(knock, *zip(*everybody, strict=True)))
    alone = {(kind, path): knock(kind, path) for path in SOCKETS for kind in KINDS}
    assert {answer for answer in answers if answer != alone[answer[:2]]} == set()
    assert {(kind, path) for kind, path, closed, _said in answers if closed != SIGNED_OUT} == {
        (kind, path) for path, kinds in SOCKETS.items() for kind in kinds
    }


def test_each_may_watch_their_own(world: World) -> None:
    """All ask for the same rooms and lanes in the same moment."""
    tickets = {
        f"{lane}:{world.tickets[name]}": members(who)
        for lane in ("lane", "room")
        for name, who in STREAMS[lane].items()
    }

    def ask(kind: str, path: str) -> set[str]:
        with wire(world, kind, path) as socket:
            answers = socket.watch(*tickets)
            return {
                f"{stream}, {kind}: {answers[stream]}"
                for stream in tickets
                if (answers[stream] == "gone") == (kind in tickets[stream])
            }

    everybody = [(kind, path) for path, kinds in SOCKETS.items() for kind in kinds] * TIMES
    with ThreadPoolExecutor(len(everybody)) as threads:
        wrong = set().union(*threads.map(ask, *zip(*everybody, strict=True)))
    assert not wrong, "\n".join(sorted(wrong))
