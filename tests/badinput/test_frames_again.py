"""Frames sent twice, and by two at once: stored once, numbered once."""

from __future__ import annotations

import secrets

from swarm.tickets.models import Message
from tests.access.people import World
from tests.access.wires import wire


def test_a_frame_sent_again_is_acknowledged_with_the_same_number(world: World) -> None:
    ticket = world.tickets["swarming"]
    id_ = secrets.token_hex(8)
    with wire(world, "hive_owner") as one, wire(world, "hive_owner") as two:
        for socket in (one, two, one):
            socket.send(t="post", s=f"room:{ticket}", id=id_, body="Once")
        numbers = {socket.until("ack")["n"] for socket in (one, two, one)}
        assert len(numbers) == 1
        one.send(t="post", s=f"room:{ticket}", id=id_, body="Another text")
        refused = one.until("ack", "refused")
        assert refused["status"] == 409
        assert "sent before with another text" in refused["why"]

    def stored(id_: str) -> list[str]:
        return world.site.look(
            lambda work: [row.body for row in work.session.query(Message).filter_by(client_id=id_)]
        )

    assert stored(id_) == ["Once"]


def test_a_form_and_a_frame_with_one_id_are_one_message(world: World) -> None:
    ticket = world.tickets["swarming"]
    id_ = secrets.token_hex(8)
    answer = world.visitors["hive_owner"].say(ticket, "room", "Once", id_)
    assert answer.status_code == 303
    with wire(world, "hive_owner") as socket:
        socket.send(t="post", s=f"room:{ticket}", id=id_, body="Once")
        socket.until("ack")
    found = world.site.look(lambda work: work.session.query(Message).filter_by(client_id=id_).count())
    assert found == 1
