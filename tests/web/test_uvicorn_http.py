"""The internals of uvicorn that swarm.web.protocol stands on; when one fails, read the new version."""

import inspect

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import Server

USED = {
    "connection_made", "connection_lost", "data_received", "on_message_begin", "on_headers_complete",
    "on_message_complete", "on_response_complete", "handle_websocket_upgrade", "timeout_keep_alive_handler",
    "pause_writing", "resume_writing", "shutdown",
}  # fmt: skip
FIELDS = {"app", "cycle", "flow", "headers", "loop", "timeout_keep_alive_task", "transport"}


@pytest.mark.parametrize("name", sorted(USED))
def test_the_method_is_there(name: str) -> None:
    assert callable(getattr(HttpToolsProtocol, name))


def test_the_fields_are_set_at_the_start() -> None:
    source = inspect.getsource(HttpToolsProtocol.__init__)
    assert [name for name in sorted(FIELDS) if f"self.{name}" not in source] == []


def test_what_answers_is_chosen_when_the_headers_are_complete() -> None:
    source = inspect.getsource(HttpToolsProtocol.on_headers_complete)
    assert "app = self.app" in source
    assert "on_response=self.on_response_complete" in source


def test_any_byte_ends_the_time_for_idling() -> None:
    source = inspect.getsource(HttpToolsProtocol.data_received)
    assert source.index("_unset_keepalive_if_required") < source.index("feed_data")


def test_a_stopping_server_closes_its_doors_then_tells_its_connections_then_waits_for_them() -> None:
    source = inspect.getsource(Server.shutdown)
    steps = ["server.close()", "connection.shutdown()", "_wait_tasks_to_complete()", "lifespan.shutdown()"]
    places = [source.index(step) for step in steps]
    assert places == sorted(places)


def test_a_server_makes_its_protocols_as_our_further_listeners_do() -> None:
    source = inspect.getsource(Server.startup)
    wanted = ["config.http_protocol_class(", "config=config", "server_state=self.server_state",
              "app_state=self.lifespan.state", "self.servers"]  # fmt: skip
    assert [words for words in wanted if words not in source] == []
    assert "for server in self.servers:" in inspect.getsource(Server.shutdown)
