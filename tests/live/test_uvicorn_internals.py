"""The internals of uvicorn that swarm.live.protocol stands on; when one fails, read the new version."""

import inspect

import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from swarm.live.protocol import Protocol
from tests.live.house import Doors, MemoryLog, until, worker

USED = {
    "handle_connect", "handle_cont", "handle_text", "handle_bytes", "send_receive_event_to_app", "run_asgi",
    "connection_lost", "data_received", "shutdown", "stop_keepalive", "send_500_response", "handle_close",
}  # fmt: skip
FIELDS = {
    "loop", "transport", "conn", "queue", "close_sent", "disconnected", "handshake_complete", "close_timer",
    "frames", "curr_msg_data_type", "read_paused", "logger", "app",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(USED))
def test_the_method_is_there(name: str) -> None:
    assert callable(getattr(WebSocketsSansIOProtocol, name))


def test_the_fields_are_set_at_the_start() -> None:
    source = inspect.getsource(WebSocketsSansIOProtocol.__init__)
    assert [name for name in sorted(FIELDS) if f"self.{name}" not in source] == []


def test_the_asgi_call_is_made_through_the_method_we_replace() -> None:
    assert "self.run_asgi()" in inspect.getsource(WebSocketsSansIOProtocol.handle_connect)
    assert "self.send_receive_event_to_app()" in inspect.getsource(WebSocketsSansIOProtocol.handle_text)
    assert "self.transport.close()" in inspect.getsource(WebSocketsSansIOProtocol.run_asgi)


async def test_a_taken_over_connection_holds_no_task_and_no_scope() -> None:
    doors = Doors()
    doors.let_in("ann", "person:1", ["room:1"])
    async with worker(MemoryLog(), doors) as w, w.page() as page:
        await page.live(room_1=0)
        await until(lambda: not w.server.server_state.tasks)
        (connection,) = w.server.server_state.connections
        assert isinstance(connection, Protocol)
        assert not hasattr(connection, "scope")
        assert connection.buffered() == 0


async def test_large_frames_arrive_whole_between_small_ones() -> None:
    log, doors = MemoryLog(), Doors()
    doors.let_in("ann", "person:1", ["room:1"])
    async with worker(log, doors) as w, w.page(max_size=None) as page:
        await page.live(room_1=0)
        for size in (0, 100, 126, 70_000, 65_400, 65_536, 1):
            w.hub.ring([log.append("room:1", "é" * size)])
        await page.until(lambda: len(page.numbers("room:1")) == 7)
        sizes = [frame["do"][0][2].count("é") for frame in page.of("event")]
        assert sizes == [0, 100, 126, 70_000, 65_400, 65_536, 1]
