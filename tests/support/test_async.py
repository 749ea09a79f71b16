"""Async tests run on the loop that swarm is served on."""

import asyncio

import uvloop


async def test_the_loop_is_the_one_of_the_server() -> None:
    assert isinstance(asyncio.get_running_loop(), uvloop.Loop)
