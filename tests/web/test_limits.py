"""Guessing is slowed down, by address and by account, with Redis or without."""

import asyncio
import socket

import pytest

from swarm.web.errors import TooMany
from swarm.web.limits import Limits, Rule
from tests.faults.proxy import proxied
from tests.support import servers

RULE = Rule("sign_in", "3/minute")
pytestmark = pytest.mark.anyio


async def test_the_fourth_try_is_refused_with_a_waiting_time():
    limits = Limits()
    for _ in range(3):
        await limits.hit(RULE, "ip:10.0.0.1")
    assert not await limits.test(RULE, "ip:10.0.0.1")
    with pytest.raises(TooMany) as refused:
        await limits.hit(RULE, "ip:10.0.0.1")
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 61


async def test_another_key_or_rule_counts_for_itself():
    limits = Limits()
    for _ in range(3):
        await limits.hit(RULE, "a/b", "c")
    await limits.hit(RULE, "a", "b/c")
    await limits.hit(Rule("link", "3/minute"), "a/b", "c")
    await limits.hit(RULE, "\ud800")


async def test_without_redis_the_process_counts_alone():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        limits = Limits(f"redis://127.0.0.1:{closed.getsockname()[1]}")
        for _ in range(3):
            await limits.hit(RULE, "x")
        with pytest.raises(TooMany):
            await limits.hit(RULE, "x")
        await limits.close()


async def test_a_line_to_redis_that_was_reset_while_idle_refuses_nobody():
    with servers.redis() as redis:
        async with proxied(redis.port) as line:
            limits = Limits(f"redis://127.0.0.1:{line.port}")
            await limits.hit(RULE, "x")
            line.reset()
            # Whoever is answered by the same loop afterwards was behind the reset.
            reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
            writer.write(b"PING\r\n")
            assert await reader.readline() == b"+PONG\r\n"
            for _ in range(3):
                await limits.hit(RULE, "x")
            writer.close()
            await limits.close()
